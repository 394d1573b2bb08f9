package provisioning

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// longestRetryAfter bounds how long a server can send a panel away.
const longestRetryAfter = 24 * time.Hour

// An answer is what one successful request brought.
type answer struct {
	raw       []byte // nil when unchanged
	unchanged bool   // 304
	etag      string
	modified  string
	web       bool // the server says that it is a web page
}

// A statusError is an answer that is neither 200 nor 304.
type statusError struct {
	code       int
	retryAfter time.Duration // 0: the server named none
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("the server answers %d %s", e.code, http.StatusText(e.code))
	switch e.code {
	case http.StatusUnauthorized, http.StatusForbidden:
		return text + "; user, password or certificate are missing or wrong"
	case http.StatusNotFound, http.StatusGone:
		return text + "; there is no document for this panel under the URL"
	}
	return text
}

// get makes one request. hash is that of the document in force: validators are
// sent only if they belong to it.
func (f *Fetcher) get(ctx context.Context, known validators) (answer, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, f.url.String(), nil)
	if err != nil {
		return answer{}, errors.New("the request cannot be made")
	}
	req.Header.Set("Accept", "application/yaml, application/json;q=0.9, */*;q=0.1")
	req.Header.Set("User-Agent", "doorstation")
	if f.src.User != "" || f.src.Password != "" {
		req.SetBasicAuth(f.src.User, f.src.Password)
	}
	known.set(req.Header)
	resp, err := f.client.Do(req)
	if err != nil {
		return answer{}, f.cause(err)
	}
	defer resp.Body.Close()
	return read(resp, known)
}

// cause is cause, and says of a wrong clock what it is.
func (f *Fetcher) cause(err error) error {
	err = cause(err)
	var invalid x509.CertificateInvalidError
	if !errors.As(err, &invalid) || invalid.Reason != x509.Expired {
		return err
	}
	now := time.Now
	if f.src.Now != nil {
		now = f.src.Now
	}
	return fmt.Errorf("%w (the panel's clock says %s)", err, now().UTC().Format(time.DateTime))
}

// read judges an answer and reads its body.
func read(resp *http.Response, known validators) (answer, error) {
	switch {
	case resp.StatusCode == http.StatusNotModified && known.hash != "":
		return answer{unchanged: true}, nil
	case resp.StatusCode != http.StatusOK:
		return answer{}, &statusError{resp.StatusCode, retryAfter(resp.Header.Get("Retry-After"), time.Now())}
	case resp.ContentLength < 0 && len(resp.TransferEncoding) == 0 && !resp.Uncompressed:
		return answer{}, errors.New("the server does not say how long the document is, so a cut one would pass for whole")
	case resp.ContentLength > MaxSize:
		return answer{}, fmt.Errorf("the document has %d bytes, at most %d are read", resp.ContentLength, MaxSize)
	}
	// The limit holds for what has been decompressed.
	raw, err := io.ReadAll(io.LimitReader(resp.Body, MaxSize+1))
	if err != nil {
		return answer{}, fmt.Errorf("the document broke off after %d bytes: %w", len(raw), cause(err))
	}
	if len(raw) > MaxSize {
		return answer{}, fmt.Errorf("the document has more than %d bytes", MaxSize)
	}
	return answer{
		raw:      raw,
		etag:     resp.Header.Get("ETag"),
		modified: resp.Header.Get("Last-Modified"),
		web:      strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html"),
	}, nil
}

// validators let the server answer 304 (RFC 9110 section 13.1). They belong
// to the document with this hash.
type validators struct{ hash, etag, modified string }

func (v validators) set(h http.Header) {
	if v.etag != "" {
		h.Set("If-None-Match", v.etag)
	}
	if v.modified != "" {
		h.Set("If-Modified-Since", v.modified)
	}
}

// retryAfter reads seconds or a date (RFC 9110 section 10.2.3); 0: neither.
func retryAfter(s string, now time.Time) time.Duration {
	var wait time.Duration
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		wait = time.Duration(n) * time.Second
	} else if at, err := http.ParseTime(s); err == nil {
		wait = at.Sub(now)
	}
	return min(max(wait, 0), longestRetryAfter)
}

// cause drops the URL that net/http puts in front of its errors, and says of a
// time-out what it is.
func cause(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		err = u.Err
	}
	var timeout net.Error
	if errors.Is(err, context.DeadlineExceeded) || errors.As(err, &timeout) && timeout.Timeout() {
		return fmt.Errorf("no answer in time: %w", err)
	}
	return err
}
