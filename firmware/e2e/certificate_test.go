package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A certificate is a pair of PEM files; it vouches for itself.
type certificate struct{ cert, key string }

func newCertificate(t testing.TB, dir string, addr netip.Addr, names ...string) certificate {
	t.Helper()
	return newCertificateFor(t, dir, addr, time.Hour, 24*time.Hour, names...)
}

// newCertificateFor is one that has been valid for some time, and will be.
func newCertificateFor(t testing.TB, dir string, addr netip.Addr, past, future time.Duration, names ...string) certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: addr.String()},
		NotBefore: time.Now().Add(-past), NotAfter: time.Now().Add(future),
		IPAddresses: []net.IP{addr.AsSlice()}, DNSNames: names, BasicConstraintsValid: true, IsCA: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	cert, err := x509.CreateCertificate(rand.Reader, &template, &template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return certificate{
		cert: writePEM(t, filepath.Join(dir, "cert.pem"), "CERTIFICATE", cert),
		key:  writePEM(t, filepath.Join(dir, "key.pem"), "PRIVATE KEY", private),
	}
}

func writePEM(t testing.TB, path, kind string, der []byte) string {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
