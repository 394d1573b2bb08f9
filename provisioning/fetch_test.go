package provisioning

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// A server answers with what its script says.
type server struct {
	*httptest.Server
	mu   sync.Mutex
	do   http.HandlerFunc
	seen []*http.Request
}

func newServer(t *testing.T, secure bool) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		do := s.do
		s.seen = append(s.seen, r)
		s.mu.Unlock()
		do(w, r)
	}))
	s.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	if secure {
		s.StartTLS()
	} else {
		s.Start()
	}
	t.Cleanup(s.Close)
	return s
}

func (s *server) script(do http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.do = do
}

func (s *server) last() *http.Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[len(s.seen)-1]
}

func (s *server) requests() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.seen)
}

// caFile holds the certificate that the server's own is checked against.
func (s *server) caFile(t *testing.T) string {
	t.Helper()
	return pemFile(t, "CERTIFICATE", s.Certificate().Raw)
}

func pemFile(t *testing.T, kind string, der []byte) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "file.pem")
	if err := os.WriteFile(name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func (s *server) source(t *testing.T) Source {
	t.Helper()
	return Source{
		URL: s.URL + "/{model}/{mac}.yaml", CAFile: s.caFile(t), User: "panel", Password: "fetch-secret",
		MAC: "02:00:5E:10:00:01", Serial: "S1", Model: "two button",
	}
}

// logged is a logger and what it wrote.
func logged() (*slog.Logger, *bytes.Buffer) {
	var b bytes.Buffer
	return slog.New(slog.NewTextHandler(&b, &slog.HandlerOptions{Level: slog.LevelDebug})), &b
}

func newFetcher(t *testing.T, src Source) (*Fetcher, *Store) {
	t.Helper()
	store := openAt(t, t.TempDir())
	f, err := NewFetcher(src, store, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return f, store
}

// fetch makes one round as Run does.
func fetch(t *testing.T, f *Fetcher) (string, error) {
	t.Helper()
	return f.once(t.Context())
}

func send(doc []byte, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i+1 < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		_, _ = w.Write(doc)
	}
}

func TestFetchOverTLS(t *testing.T) {
	srv := newServer(t, true)
	srv.script(send(revision("A")))
	f, store := newFetcher(t, srv.source(t))
	if result, err := fetch(t, f); err != nil || result != "revision A" {
		t.Fatal(result, err)
	}
	inForceIs(t, store, "A trial")
	if got := store.Current().From; got != "server" {
		t.Errorf("from %q", got)
	}
	req := srv.last()
	if user, password, _ := req.BasicAuth(); user != "panel" || password != "fetch-secret" {
		t.Errorf("the server saw user %q with password %q", user, password)
	}
	if got := req.URL.EscapedPath(); got != "/two%20button/02005e100001.yaml" {
		t.Errorf("asked for %s", got)
	}
}

func TestNotModified(t *testing.T) {
	srv := newServer(t, true)
	srv.script(send(revision("A"), "ETag", `"a1"`, "Last-Modified", "Sun, 01 Mar 2026 10:00:00 GMT"))
	f, store := newFetcher(t, srv.source(t))
	if _, err := fetch(t, f); err != nil {
		t.Fatal(err)
	}
	if h := srv.last().Header; h.Get("If-None-Match") != "" || h.Get("If-Modified-Since") != "" {
		t.Errorf("the first request was conditional: %v", h)
	}
	confirm(store)
	srv.script(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusNotModified) })
	if result, err := fetch(t, f); err != nil || result != "unchanged" {
		t.Error(result, err)
	}
	if h := srv.last().Header; h.Get("If-None-Match") != `"a1"` || h.Get("If-Modified-Since") != "Sun, 01 Mar 2026 10:00:00 GMT" {
		t.Errorf("the second request has %v", h)
	}
	inForceIs(t, store, "A")
	// With another document in force the validators mean nothing.
	if _, err := store.Offer(revision("B"), "file"); err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, f); err == nil {
		t.Error("304 was taken though the request was not conditional")
	}
	if srv.last().Header.Get("If-None-Match") != "" {
		t.Error("a validator of another document was sent")
	}
}

func TestServerMisbehaves(t *testing.T) {
	good := revision("B")
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	_, _ = z.Write(good)
	_ = z.Close()
	var bomb bytes.Buffer
	z = gzip.NewWriter(&bomb)
	_, _ = io.Copy(z, io.LimitReader(zeros{}, 4<<20))
	_ = z.Close()
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	raw := func(text string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		}
	}
	for name, c := range map[string]struct {
		do   http.HandlerFunc
		says string
	}{
		"304 unasked":        {status(304), "the server answers 304"},
		"401":                {status(401), "user, password or certificate are missing or wrong"},
		"404":                {status(404), "there is no document for this panel"},
		"500":                {status(500), "the server answers 500"},
		"204":                {status(204), "the server answers 204"},
		"truncated":          {raw("HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n" + string(good)), "broke off after"},
		"truncated chunk":    {raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80\r\n" + string(good)), "broke off after"},
		"without length":     {raw("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + string(good)), "does not say how long"},
		"truncated gzip":     {send(zipped.Bytes()[:zipped.Len()-10], "Content-Encoding", "gzip"), "broke off after"},
		"gzip bomb":          {send(bomb.Bytes(), "Content-Encoding", "gzip"), "more than 262144 bytes"},
		"too long":           {send(bytes.Repeat([]byte("#"), MaxSize+1), "Content-Length", fmt.Sprint(MaxSize+1)), "at most 262144 are read"},
		"too long, chunked":  {send(bytes.Repeat([]byte("#"), MaxSize+1), "Transfer-Encoding", "chunked"), "more than 262144 bytes"},
		"header too long":    {send(good, "X", strings.Repeat("x", 2*maxHeader)), "exceeded"},
		"rubbish":            {send([]byte("\x00\x01rubbish")), "no YAML"},
		"empty":              {send(nil), "the document is empty"},
		"web page":           {send([]byte("<html>log in</html>"), "Content-Type", "text/html; charset=utf-8"), "is there a login page on the way"},
		"bad document":       {send([]byte("account: {user: a}")), "account.domain: is required"},
		"no HTTP":            {raw("SSH-2.0-OpenSSH\r\n"), "malformed HTTP"},
		"closed at once":     {raw(""), "EOF"},
		"redirect to http":   {redirect("http://" + "127.0.0.1/x"), "not https"},
		"redirect elsewhere": {redirect("https://elsewhere.example/x"), "another host, elsewhere.example"},
		"redirect port":      {redirect("https://127.0.0.1:1/x"), "another port, 1"},
		"redirect user":      {redirect("https://u:p@127.0.0.1/x"), "user in it"},
		"redirect loop":      {redirect("/again"), "more than 3 times"},
	} {
		t.Run(name, func(t *testing.T) {
			srv := newServer(t, true)
			srv.script(send(revision("A")))
			f, store := newFetcher(t, srv.source(t))
			if _, err := fetch(t, f); err != nil {
				t.Fatal(err)
			}
			confirm(store)
			f.known = validators{}
			srv.script(c.do)
			result, err := fetch(t, f)
			if err == nil || !strings.Contains(result, c.says) {
				t.Errorf("result is %q, want %q in it", result, c.says)
			}
			if strings.Contains(result, "fetch-secret") || strings.Contains(result, "/two") {
				t.Errorf("the result shows too much: %q", result)
			}
			inForceIs(t, store, "A")
			srv.script(send(good))
			if _, err := fetch(t, f); err != nil {
				t.Errorf("afterwards: %v", err)
			}
			inForceIs(t, store, "B trial")
		})
	}
}

// A document without end is not read to its end.
func TestEndlessDocument(t *testing.T) {
	srv := newServer(t, true)
	f, _ := newFetcher(t, srv.source(t))
	var sent int64
	const plenty = 256 << 20 // far more than the sockets hold
	srv.script(func(w http.ResponseWriter, _ *http.Request) { sent, _ = io.Copy(w, io.LimitReader(zeros{}, plenty)) })
	if result, err := fetch(t, f); err == nil || !strings.Contains(result, "more than 262144 bytes") {
		t.Errorf("result is %q", result)
	}
	srv.Close() // waits for the handler
	if sent == plenty {
		t.Errorf("all of %d bytes were read", sent)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }

func redirect(to string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", to)
		w.WriteHeader(http.StatusFound)
	}
}

func TestGzipAndRedirectWithinTheHost(t *testing.T) {
	srv := newServer(t, true)
	f, store := newFetcher(t, srv.source(t))
	srv.script(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/moved" {
			redirect(srv.URL+"/moved")(w, r)
			return
		}
		w.Header().Set("Content-Encoding", "gzip")
		z := gzip.NewWriter(w)
		_, _ = z.Write(revision("A"))
		_ = z.Close()
	})
	if _, err := fetch(t, f); err != nil {
		t.Fatal(err)
	}
	inForceIs(t, store, "A trial")
	if user, _, _ := srv.last().BasicAuth(); user != "panel" {
		t.Error("the same host was asked without the user")
	}
}

func TestServerGoneAndSlow(t *testing.T) {
	srv := newServer(t, true)
	f, store := newFetcher(t, srv.source(t))
	hold := make(chan struct{})
	srv.script(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
		panic(http.ErrAbortHandler) // never an answer, not even to the one who hangs up
	})
	f.client.Timeout = 50 * time.Millisecond
	if result, err := fetch(t, f); err == nil || !strings.Contains(result, "no answer in time") {
		t.Errorf("slow server: %q", result)
	}
	close(hold)
	srv.Close()
	f.client.Timeout = fetchTimeout
	if result, err := fetch(t, f); err == nil || !strings.Contains(result, "refused") {
		t.Errorf("server gone: %q", result)
	}
	inForceIs(t, store, "")
}

func TestUnknownAuthority(t *testing.T) {
	srv := newServer(t, true)
	src := srv.source(t)
	src.CAFile = ""
	f, _ := newFetcher(t, src)
	if result, err := fetch(t, f); err == nil || !strings.Contains(result, "certificate") {
		t.Errorf("result is %q", result)
	}
	if srv.requests() != 0 {
		t.Error("a server that nobody vouches for got the request")
	}
}

// clientCert makes a certificate that vouches for itself.
func clientCert(t *testing.T, from, to time.Time) (certFile, keyFile string, cert *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	tmpl := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "panel"}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, tmpl, tmpl, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	if cert, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pemFile(t, "CERTIFICATE", der), pemFile(t, "PRIVATE KEY", keyDER), cert
}

func TestClientCertificate(t *testing.T) {
	certFile, keyFile, cert := clientCert(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	pool := x509.NewCertPool()
	pool.AddCert(cert)
	srv := &server{}
	srv.Server = httptest.NewUnstartedServer(send(revision("A")))
	srv.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	src := srv.source(t)
	f, _ := newFetcher(t, src)
	if result, err := fetch(t, f); err == nil {
		t.Errorf("without a certificate: %q", result)
	}
	src.CertFile, src.KeyFile = certFile, keyFile
	f, store := newFetcher(t, src)
	if result, err := fetch(t, f); err != nil {
		t.Errorf("with a certificate: %q", result)
	}
	inForceIs(t, store, "A trial")
}

// A panel whose clock is wrong says so, because that is what a person can mend.
func TestWrongClock(t *testing.T) {
	certFile, keyFile, _ := clientCert(t, time.Now().Add(time.Hour), time.Now().Add(2*time.Hour))
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewUnstartedServer(send(revision("A")))
	srv.TLS = &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	srv.Config.ErrorLog = slog.NewLogLogger(slog.DiscardHandler, slog.LevelError)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	f, _ := newFetcher(t, Source{URL: srv.URL, CAFile: certFile})
	if result, err := fetch(t, f); err == nil || !strings.Contains(result, "the panel's clock says 20") {
		t.Errorf("result is %q", result)
	}

	// The panel may know better than its system.
	f, _ = newFetcher(t, Source{URL: srv.URL, CAFile: certFile, Now: func() time.Time { return time.Now().Add(90 * time.Minute) }})
	if result, err := fetch(t, f); err != nil {
		t.Errorf("with a clock of its own that is right: %q", result)
	}
	f, _ = newFetcher(t, Source{URL: srv.URL, CAFile: certFile, Now: func() time.Time { return time.Unix(0, 0) }})
	if result, err := fetch(t, f); err == nil || !strings.Contains(result, "the panel's clock says 1970") {
		t.Errorf("with a clock of its own that is wrong: %q", result)
	}
}

func TestPlainHTTP(t *testing.T) {
	srv := newServer(t, false)
	srv.script(send(revision("A")))
	src := Source{URL: srv.URL + "/x.yaml"}
	store := openAt(t, t.TempDir())
	if _, err := NewFetcher(src, store, slog.New(slog.DiscardHandler)); err == nil || !strings.Contains(err.Error(), "allow http expressly") {
		t.Errorf("plain http: %v", err)
	}
	src.AllowHTTP = true
	log, lines := logged()
	f, err := NewFetcher(src, store, log)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fetch(t, f); err != nil {
		t.Error(err)
	}
	if st := store.State(); len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0], "plain http") {
		t.Errorf("warnings are %q", st.Warnings)
	}
	if !strings.Contains(lines.String(), "plain http") {
		t.Error("the log has no warning")
	}
}

// The password stands in no log line, whatever happens.
func TestNoSecretInTheLog(t *testing.T) {
	srv := newServer(t, true)
	store := openAt(t, t.TempDir())
	log, lines := logged()
	src := srv.source(t)
	src.URL += "?token=query-secret"
	f, err := NewFetcher(src, store, log)
	if err != nil {
		t.Fatal(err)
	}
	f.client.Timeout = time.Second
	for _, do := range []http.HandlerFunc{send(revision("A")), send([]byte("rubbish")), redirect("https://x.example/"), redirect("https://a b/")} {
		srv.script(do)
		result, err := fetch(t, f)
		f.tell(result, err)
	}
	srv.Close()
	result, err := fetch(t, f)
	f.tell(result, err)
	for _, secret := range []string{"fetch-secret", "query-secret", "sip-secret", "4711"} {
		if strings.Contains(lines.String(), secret) {
			t.Errorf("%s is in the log:\n%s", secret, lines)
		}
	}
	if !strings.Contains(lines.String(), "configuration not fetched") {
		t.Errorf("the log is\n%s", lines)
	}
}

func TestSources(t *testing.T) {
	certFile, keyFile, _ := clientCert(t, time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	rubbish := filepath.Join(t.TempDir(), "rubbish.pem")
	if err := os.WriteFile(rubbish, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	me := Source{MAC: "02-00-5e-10-00-01", Serial: "S1", Model: "M"}
	for name, c := range map[string]struct {
		edit func(*Source)
		says string // empty: good
	}{
		"all":                    {func(s *Source) { s.URL = "https://h/{model}/{serial}-{mac}.yaml" }, ""},
		"none":                   {func(s *Source) { s.URL = "https://h:8443/x%2Fy?z=1" }, ""},
		"certificate":            {func(s *Source) { s.CertFile, s.KeyFile, s.CAFile = certFile, keyFile, certFile }, ""},
		"empty":                  {func(s *Source) { s.URL = "" }, "must begin with https://"},
		"ftp":                    {func(s *Source) { s.URL = "ftp://h/x" }, "must begin with https://"},
		"no host":                {func(s *Source) { s.URL = "https:///x" }, "has no host"},
		"unreadable":             {func(s *Source) { s.URL = "https://u:secret@h:port/x" }, "cannot be read"},
		"user in the URL":        {func(s *Source) { s.URL = "https://u:secret@h/x" }, "give them as user and password"},
		"user in an http URL":    {func(s *Source) { s.URL = "http://u:secret@h/x" }, "give them as user and password"},
		"fragment":               {func(s *Source) { s.URL = "https://h/x#y" }, "fragment"},
		"unknown placeholder":    {func(s *Source) { s.URL = "https://h/{imei}" }, "has {imei}, but only {mac}, {serial} and {model} are known"},
		"open brace":             {func(s *Source) { s.URL = "https://h/{mac" }, "belongs to no placeholder"},
		"placeholder in host":    {func(s *Source) { s.URL = "https://{serial}.example/x" }, "only in the path"},
		"placeholder in query":   {func(s *Source) { s.URL = "https://h/x?m={mac}" }, "only in the path"},
		"no MAC":                 {func(s *Source) { s.MAC, s.URL = "", "https://h/{mac}" }, "this panel has none"},
		"bad MAC":                {func(s *Source) { s.MAC, s.URL = "02:00", "https://h/{mac}" }, "has not six bytes"},
		"serial leads elsewhere": {func(s *Source) { s.Serial, s.URL = "../x", "https://h/{serial}" }, "does not fit into a URL"},
		"serial is dots":         {func(s *Source) { s.Serial, s.URL = "..", "https://h/{serial}" }, "does not fit into a URL"},
		"model is a placeholder": {func(s *Source) { s.Model, s.URL = "{mac}", "https://h/{model}" }, "does not fit into a URL"},
		"too often":              {func(s *Source) { s.Every = time.Millisecond }, "at least 1s"},
		"certificate alone":      {func(s *Source) { s.CertFile = certFile }, "both a certificate file and a key file"},
		"bad certificate":        {func(s *Source) { s.CertFile, s.KeyFile = rubbish, keyFile }, "the panel's certificate"},
		"bad CA":                 {func(s *Source) { s.CAFile = rubbish }, "holds no PEM certificate"},
		"missing CA":             {func(s *Source) { s.CAFile = rubbish + "x" }, "no such file"},
	} {
		src := me
		src.URL = "https://h/x.yaml"
		c.edit(&src)
		_, err := NewFetcher(src, openAt(t, t.TempDir()), slog.New(slog.DiscardHandler))
		switch {
		case c.says == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.says != "" && (err == nil || !strings.Contains(err.Error(), c.says)):
			t.Errorf("%s: %v, want %q", name, err, c.says)
		case err != nil && strings.Contains(err.Error(), "secret"):
			t.Errorf("%s: the message shows the password: %v", name, err)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, 3, 1, 10, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "rubbish": 0, "-5": 0, "120": 2 * time.Minute, "99999999": longestRetryAfter,
		"Sun, 01 Mar 2026 10:05:00 GMT": 5 * time.Minute, "Sun, 01 Mar 2026 09:00:00 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// Run stops when its context does, also within a request.
func TestRunStopsWithinARequest(t *testing.T) {
	srv := newServer(t, true)
	asked := make(chan struct{})
	srv.script(func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	f, _ := newFetcher(t, srv.source(t))
	ctx, stop := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	go func() {
		<-asked
		stop(why)
	}()
	if err := f.Run(ctx); !errors.Is(err, why) {
		t.Errorf("Run ended with %v", err)
	}
}
