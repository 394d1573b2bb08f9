package provisioning

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"time"
)

// The time-outs of one fetch.
const (
	dialTimeout   = 10 * time.Second
	tlsTimeout    = 10 * time.Second
	headerTimeout = 20 * time.Second // from the request to the answer's header
	fetchTimeout  = time.Minute      // all of it
	maxRedirects  = 3
	maxHeader     = 32 << 10 // bytes
)

// client makes the HTTP client of a source. It uses no proxy and keeps no
// connection: the next fetch is hours away.
func (src Source) client() (*http.Client, error) {
	conf, err := src.tls()
	if err != nil {
		return nil, err
	}
	return &http.Client{
		Timeout:       fetchTimeout,
		CheckRedirect: checkRedirect,
		Transport: &http.Transport{
			DialContext:            (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSClientConfig:        conf,
			TLSHandshakeTimeout:    tlsTimeout,
			ResponseHeaderTimeout:  headerTimeout,
			MaxResponseHeaderBytes: maxHeader,
			DisableKeepAlives:      true,
		},
	}, nil
}

func (src Source) tls() (*tls.Config, error) {
	conf := &tls.Config{MinVersion: tls.VersionTLS12, Time: src.Now}
	if src.CAFile != "" {
		bundle, err := os.ReadFile(src.CAFile)
		if err != nil {
			return nil, fmt.Errorf("certificates of the server: %w", err)
		}
		conf.RootCAs = x509.NewCertPool()
		if !conf.RootCAs.AppendCertsFromPEM(bundle) {
			return nil, fmt.Errorf("certificates of the server: %s holds no PEM certificate", src.CAFile)
		}
	}
	if (src.CertFile == "") != (src.KeyFile == "") {
		return nil, errors.New("the panel's certificate needs both a certificate file and a key file")
	}
	if src.CertFile != "" {
		cert, err := tls.LoadX509KeyPair(src.CertFile, src.KeyFile)
		if err != nil {
			return nil, fmt.Errorf("the panel's certificate %s with key %s: %w", src.CertFile, src.KeyFile, err)
		}
		conf.Certificates = []tls.Certificate{cert}
	}
	return conf, nil
}

// A redirectError says why a redirect was not followed.
type redirectError struct{ reason string }

func (e *redirectError) Error() string { return "the server redirects " + e.reason + "; not followed" }

// checkRedirect follows only to https on the host that was asked, so that
// neither password nor certificate ever meets another one.
func checkRedirect(req *http.Request, via []*http.Request) error {
	first := via[0].URL
	switch {
	case len(via) > maxRedirects:
		return &redirectError{fmt.Sprintf("more than %d times", maxRedirects)}
	case req.URL.Scheme != "https":
		return &redirectError{"to a URL that is not https"}
	case req.URL.User != nil:
		return &redirectError{"to a URL with a user in it"}
	case req.URL.Hostname() != first.Hostname():
		return &redirectError{fmt.Sprintf("to another host, %s", req.URL.Hostname())}
	case first.Scheme == "https" && portOf(req.URL) != portOf(first), first.Scheme == "http" && portOf(first) == "80" && portOf(req.URL) != "443":
		return &redirectError{"to another port, " + portOf(req.URL)}
	}
	return nil
}

// portOf is the port of a URL, written or not.
func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	if u.Scheme == "http" {
		return "80"
	}
	return "443"
}
