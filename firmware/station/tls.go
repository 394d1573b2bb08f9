package station

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"os"
	"time"
)

// tlsConfig is how a line's servers are verified: by name, under the system's
// roots or an own bundle, and by the pin if there is one. now is the time by
// which certificates are judged.
func tlsConfig(rule lineRule, now func() time.Time) (*tls.Config, error) {
	cfg := &tls.Config{MinVersion: tls.VersionTLS12, Time: now}
	if rule.ca != "" {
		pem, err := os.ReadFile(rule.ca)
		if err != nil {
			return nil, fmt.Errorf("account.ca_file: %w", err)
		}
		cfg.RootCAs = x509.NewCertPool()
		if !cfg.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("account.ca_file: %s holds no certificate", rule.ca)
		}
	}
	if rule.cert != "" {
		pair, err := tls.LoadX509KeyPair(rule.cert, rule.key)
		if err != nil {
			return nil, fmt.Errorf("account.cert_file: %w", err)
		}
		cfg.Certificates = []tls.Certificate{pair}
	}
	if rule.pin != "" {
		pin, err := base64.StdEncoding.DecodeString(rule.pin)
		if err != nil {
			return nil, fmt.Errorf("account.pin: %w", err)
		}
		cfg.VerifyConnection = func(s tls.ConnectionState) error { return pinned(s, pin) }
	}
	return cfg, nil
}

// pinned reports a server whose key is another than the one we were told of, in
// a certificate that is good otherwise.
func pinned(s tls.ConnectionState, pin []byte) error {
	if len(s.PeerCertificates) == 0 {
		return fmt.Errorf("account.pin: the server %s shows no certificate", s.ServerName)
	}
	sum := sha256.Sum256(s.PeerCertificates[0].RawSubjectPublicKeyInfo)
	if !bytes.Equal(sum[:], pin) {
		return fmt.Errorf("account.pin: the key of %s is another one: its pin is %s", s.ServerName, base64.StdEncoding.EncodeToString(sum[:]))
	}
	return nil
}
