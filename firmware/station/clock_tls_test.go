package station

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"doorstation/callflow/sipua"
	"doorstation/provisioning"
)

// certificateFor makes one for 127.0.0.1 that vouches for itself, and its file.
func certificateFor(t *testing.T, from, to time.Time) (tls.Certificate, string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: from, NotAfter: to, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tpl, tpl, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, file
}

// A configuration server whose certificate is not of this machine's time, but of
// the panel's.
func TestFetchWithAWrongClock(t *testing.T) {
	later := time.Now().AddDate(3, 0, 0)
	pair, file := certificateFor(t, later.AddDate(0, -1, 0), later.AddDate(0, 1, 0))
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte(goodConfig)) }))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
	srv.StartTLS()
	defer srv.Close()
	log := slog.New(slog.DiscardHandler)
	store, err := provisioning.OpenStore(t.TempDir(), limits(simBoard(t)), sealer(make([]byte, keySize)), log)
	if err != nil {
		t.Fatal(err)
	}
	s := &Station{log: log, store: store, opt: Options{Server: &provisioning.Source{URL: srv.URL, CAFile: file}}}
	s.clock = openClock(filepath.Join(t.TempDir(), clockFile), later, log)
	s.clock.kept = func() bool { return false }
	fetcher, err := s.fetcher()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() { fetcher.Run(ctx); close(ended) }()
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for store.State().LastFetch.IsZero() {
		<-every.C
	}
	stop()
	<-ended
	if st := store.State(); st.Revision != "1" || !s.timeProved() {
		t.Errorf("the certificate was judged with %q, proof of the time: %v", st.FetchError, s.timeProved())
	}
}

// A clock that has forgotten the time, or runs years ahead, does not keep the
// line from a registrar whose certificate is of the day of the build.
func TestLineWithAWrongClock(t *testing.T) {
	pair, file := certificateFor(t, built.AddDate(0, -1, 0), built.AddDate(1, 0, 0))
	srv, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	if err != nil {
		t.Fatal(err)
	}
	defer srv.Close()
	go func() {
		for {
			conn, err := srv.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).HandshakeContext(context.Background())
			conn.Close()
		}
	}()
	for name, c := range map[string]struct {
		sys time.Time
		ok  bool
	}{
		"1970": {noBattery, true}, "2039": {farAhead, true},
		"right": {built.AddDate(0, 1, 0), true}, "years too late": {built.AddDate(3, 0, 0), false},
	} {
		t.Run(name, func(t *testing.T) {
			l := newLine("test", slog.New(slog.DiscardHandler))
			l.certTime = newClockBench(t, c.sys, time.Time{}).forTLS
			cfg, err := l.config(lineRule{address: "127.0.0.1", ca: file, account: sipua.Account{Transport: "tls", Domain: "pbx.example"}})
			if err != nil {
				t.Fatal(err)
			}
			conn, err := tls.Dial("tcp", srv.Addr().String(), cfg.Account.TLS)
			if err == nil {
				conn.Close()
			}
			if (err == nil) != c.ok {
				t.Errorf("the certificate was judged with %v", err)
			}
		})
	}
}
