package web

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

const (
	user     = "janitor"
	password = "correct horse"
)

type fakePanel struct {
	mu     sync.Mutex
	asked  []string
	err    error
	change chan struct{}
}

func (p *fakePanel) Status() control.Status {
	return control.Status{Name: "Main entrance", Doors: []control.Door{{Name: "front"}}}
}

func (p *fakePanel) Calls() []timeline.Record {
	all := make([]timeline.Record, 2*shownCalls)
	all[0] = timeline.Record{ID: "7f3a", Result: "talked", Marks: []timeline.Mark{{Name: timeline.RelayOn, At: 5e6}}}
	return all
}

func (p *fakePanel) Open(door, who string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, door+" for "+who)
	return p.err
}

func (p *fakePanel) Watch(context.Context) <-chan struct{} { return p.change }

func (p *fakePanel) did() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

// site is a running page and the browser of one person.
type site struct {
	t      *testing.T
	panel  *fakePanel
	server *httptest.Server
	cookie *http.Cookie
}

func open(t *testing.T, opt Options) *site {
	p := &fakePanel{change: make(chan struct{})}
	server := httptest.NewServer(New(p, opt))
	t.Cleanup(server.Close)
	return &site{t: t, panel: p, server: server}
}

func standard(t *testing.T) *site { return open(t, Options{User: user, Password: password}) }

// ask sends what a browser would; change makes it something else.
func (s *site) ask(method, path, body string, change func(*http.Request)) (*http.Response, string) {
	s.t.Helper()
	req, err := http.NewRequest(method, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Origin", s.server.URL)
	}
	if s.cookie != nil {
		req.AddCookie(s.cookie)
	}
	if change != nil {
		change(req)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp, string(raw)
}

func loginBody(user, password string) string {
	raw, _ := json.Marshal(credentials{user, password})
	return string(raw)
}

func (s *site) login() {
	s.t.Helper()
	resp, body := s.ask("POST", "/login", loginBody(user, password), nil)
	if resp.StatusCode != http.StatusNoContent || len(resp.Cookies()) != 1 {
		s.t.Fatalf("login: %d %s", resp.StatusCode, body)
	}
	s.cookie = resp.Cookies()[0]
}

const openFront = `{"door":"front","confirm":"front"}`

func TestWithoutALoginThereIsTheFormAndNothingElse(t *testing.T) {
	s := standard(t)
	_, form := s.ask("GET", "/", "", nil)
	if !strings.Contains(form, `id="login"`) || strings.Contains(form, "calls") || strings.Contains(form, "Main entrance") {
		t.Errorf("the front page is %s", form)
	}
	for _, path := range []string{"/panel.js", "/picture.js", "/panel.html", "/login.html", "/calls", "/status", "/open", "/page/", "/../page/panel.html", "/favicon.ico"} {
		if resp, body := s.ask("GET", path, "", nil); resp.StatusCode != http.StatusUnauthorized && resp.StatusCode != http.StatusTemporaryRedirect {
			t.Errorf("GET %s: %d %s, want 401", path, resp.StatusCode, body)
		}
	}
	for _, path := range []string{"/open", "/logout", "/calls"} {
		if resp, _ := s.ask("POST", path, openFront, nil); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("POST %s: %d, want 401", path, resp.StatusCode)
		}
	}
	s.cookie = &http.Cookie{Name: cookieName, Value: strings.Repeat("A", 43)}
	if resp, _ := s.ask("POST", "/open", openFront, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("with a made-up session: %d, want 401", resp.StatusCode)
	}
	if len(s.panel.did()) != 0 {
		t.Errorf("the panel did %q, want nothing", s.panel.did())
	}
}

func TestAfterTheLogin(t *testing.T) {
	s := standard(t)
	s.login()
	if c := s.cookie; !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || len(c.Value) < 43 {
		t.Errorf("the cookie is %v", c)
	}
	if _, page := s.ask("GET", "/", "", nil); !strings.Contains(page, `id="calls"`) {
		t.Errorf("the front page is %s", page)
	}
	for path, kind := range map[string]string{"/panel.js": "text/javascript", "/picture.js": "text/javascript", "/style.css": "text/css"} {
		if resp, _ := s.ask("GET", path, "", nil); resp.StatusCode != http.StatusOK || !strings.HasPrefix(resp.Header.Get("Content-Type"), kind) {
			t.Errorf("%s: %d %s", path, resp.StatusCode, resp.Header.Get("Content-Type"))
		}
	}
	var calls []call
	_, body := s.ask("GET", "/calls", "", nil)
	if err := json.Unmarshal([]byte(body), &calls); err != nil || len(calls) != shownCalls || calls[0].ID != "7f3a" || calls[0].Why != "the door opened 5.0 ms after the press" {
		t.Errorf("calls: %v, %.200s", err, body)
	}
	if resp, body := s.ask("POST", "/open", openFront, nil); resp.StatusCode != http.StatusNoContent {
		t.Errorf("open: %d %s", resp.StatusCode, body)
	}
	if want := []string{"front for janitor on the page, from 127.0.0.1"}; !reflect.DeepEqual(s.panel.did(), want) {
		t.Errorf("the panel did %q, want %q", s.panel.did(), want)
	}
	if resp, _ := s.ask("POST", "/logout", "", nil); resp.StatusCode != http.StatusNoContent || resp.Cookies()[0].MaxAge >= 0 {
		t.Errorf("logout: %d %v", resp.StatusCode, resp.Cookies())
	}
	if resp, _ := s.ask("POST", "/open", openFront, nil); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("after the logout: %d, want 401", resp.StatusCode)
	}
}

// Each line alone keeps a logged-in person's browser from opening the door.
func TestRefusalsWithALogin(t *testing.T) {
	set := func(key, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(key, value) }
	}
	host := func(name string) func(*http.Request) {
		return func(r *http.Request) {
			_, port, _ := net.SplitHostPort(r.URL.Host)
			r.Host = strings.ReplaceAll(name, "PORT", port)
			r.Header.Set("Origin", "http://"+r.Host)
		}
	}
	tests := []struct {
		name         string
		method, body string
		change       func(*http.Request)
		want         int
	}{
		{"GET", "GET", "", nil, 404},
		{"GET with a body", "GET", openFront, nil, 404},
		{"HEAD", "HEAD", "", nil, 404},
		{"PUT", "PUT", openFront, nil, 403},
		{"PUT from the page", "PUT", openFront, func(r *http.Request) { r.Header.Set("Origin", "http://"+r.URL.Host) }, 405},
		{"no origin", "POST", openFront, func(r *http.Request) { r.Header.Del("Origin") }, 403},
		{"null origin", "POST", openFront, set("Origin", "null"), 403},
		{"foreign origin", "POST", openFront, set("Origin", "http://evil.example"), 403},
		{"foreign port", "POST", openFront, set("Origin", "http://127.0.0.1:1"), 403},
		{"https origin", "POST", openFront, func(r *http.Request) { r.Header.Set("Origin", "https://"+r.URL.Host) }, 403},
		{"two origins", "POST", openFront, func(r *http.Request) { r.Header.Add("Origin", "http://evil.example") }, 403},
		{"cross-site by the browser's word", "POST", openFront, set("Sec-Fetch-Site", "cross-site"), 403},
		{"same-site is not same-origin", "POST", openFront, set("Sec-Fetch-Site", "same-site"), 403},
		{"rebound name", "POST", openFront, host("evil.example:PORT"), 421},
		{"another address", "POST", openFront, host("192.0.2.1:PORT"), 421},
		{"another port", "POST", openFront, host("127.0.0.1:1"), 421},
		{"no port", "POST", openFront, host("127.0.0.1"), 421},
		{"form type", "POST", openFront, set("Content-Type", "application/x-www-form-urlencoded"), 415},
		{"text type", "POST", openFront, set("Content-Type", "text/plain"), 415},
		{"no type", "POST", openFront, func(r *http.Request) { r.Header.Del("Content-Type") }, 415},
		{"not confirmed", "POST", `{"door":"front"}`, nil, 400},
		{"another one confirmed", "POST", `{"door":"front","confirm":"back"}`, nil, 400},
		{"no door", "POST", `{}`, nil, 400},
		{"unknown key", "POST", `{"door":"front","confirm":"front","for":"1h"}`, nil, 400},
		{"no JSON", "POST", `door=front`, nil, 400},
		{"too long", "POST", `{"door":"` + strings.Repeat("x", maxBody) + `"}`, nil, 400},
	}
	s := standard(t)
	s.login()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp, body := s.ask(tt.method, "/open", tt.body, tt.change)
			if resp.StatusCode != tt.want {
				t.Errorf("%d %s, want %d", resp.StatusCode, body, tt.want)
			}
			if len(s.panel.did()) != 0 {
				t.Fatalf("the panel did %q", s.panel.did())
			}
		})
	}
	if resp, _ := s.ask("GET", "/calls", "", set("Origin", "http://evil.example")); resp.StatusCode != http.StatusForbidden {
		t.Errorf("a foreign page read the calls: %d", resp.StatusCode)
	}
}

func TestNamesOfThePanel(t *testing.T) {
	s := open(t, Options{User: user, Password: password, Hosts: []string{"panel.example"}})
	_, port, _ := net.SplitHostPort(strings.TrimPrefix(s.server.URL, "http://"))
	for host, want := range map[string]int{
		"panel.example:" + port: 200, "PANEL.example:" + port: 200, "localhost:" + port: 200,
		"127.0.0.1:" + port: 200, "[::ffff:127.0.0.1]:" + port: 200,
		"panel.example": 421, "other.example:" + port: 421, "[::1]:" + port: 421,
		"panel.example:http": 421, "panel.example:99999": 421, "panel.example:": 421, "": 421,
		"panel.example.:" + port: 421, "xpanel.example:" + port: 421,
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest("GET", "/", nil)
		r.Host = host
		addr, _ := net.ResolveTCPAddr("tcp", "127.0.0.1:"+port)
		r = r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, net.Addr(addr)))
		s.server.Config.Handler.ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("Host %q: %d, want %d", host, w.Code, want)
		}
	}
}

func TestEachAnswerHasThePolicy(t *testing.T) {
	s := standard(t)
	for _, path := range []string{"/", "/login.js", "/calls", "/nothing"} {
		resp, _ := s.ask("GET", path, "", nil)
		for key, want := range map[string]string{
			"Content-Security-Policy": "default-src 'none'", "X-Content-Type-Options": "nosniff",
			"X-Frame-Options": "DENY", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer",
		} {
			if got := resp.Header.Get(key); !strings.HasPrefix(got, want) {
				t.Errorf("%s: %s is %q, want %q", path, key, got, want)
			}
		}
	}
}

// What the policy forbids, the page does not have: inline script, style and
// handlers, and files of others.
func TestThePageObeysItsPolicy(t *testing.T) {
	for _, name := range []string{"login.html", "panel.html"} {
		raw, err := pageFiles.ReadFile("page/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, bad := range []string{"<style", " style=", " on", "http://", "https://", "<script>"} {
			if bytes.Contains(bytes.ReplaceAll(raw, []byte(" one"), nil), []byte(bad)) {
				t.Errorf("%s has %q", name, bad)
			}
		}
	}
}

func TestWrongLogins(t *testing.T) {
	for _, tt := range []struct{ name, user, password, body string }{
		{"password", user, password, loginBody(user, "wrong")},
		{"user", user, password, loginBody("root", password)},
		{"both", user, password, loginBody("", "")},
		{"prefix", user, password, loginBody(user, password[:5])},
		{"longer", user, password, loginBody(user, password+"x")},
		{"no password configured", user, "", loginBody(user, "")},
		{"nothing configured", "", "", loginBody("", "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t, Options{User: tt.user, Password: tt.password})
			resp, body := s.ask("POST", "/login", tt.body, nil)
			if resp.StatusCode != http.StatusUnauthorized || len(resp.Cookies()) != 0 {
				t.Errorf("%d %s %v, want 401 and no cookie", resp.StatusCode, body, resp.Cookies())
			}
		})
	}
}

func TestGuessingIsSlowedDown(t *testing.T) {
	var out bytes.Buffer
	s := open(t, Options{User: user, Password: password, Log: slog.New(slog.NewTextHandler(&out, nil))})
	for range freeTries {
		if resp, _ := s.ask("POST", "/login", loginBody(user, "guess"), nil); resp.StatusCode != http.StatusUnauthorized {
			t.Fatalf("%d, want 401", resp.StatusCode)
		}
	}
	resp, body := s.ask("POST", "/login", loginBody(user, password), nil)
	if resp.StatusCode != http.StatusTooManyRequests || resp.Header.Get("Retry-After") == "" || !strings.Contains(body, "try again in") {
		t.Errorf("after %d wrong ones the right one gave %d %s, want 429", freeTries, resp.StatusCode, body)
	}
	s.server.Close()
	if strings.Contains(out.String(), "guess") || strings.Contains(out.String(), password) || !strings.Contains(out.String(), "127.0.0.1") {
		t.Errorf("the log names a password, or not the source:\n%s", out.String())
	}
}

func TestARefusalOfThePanelReachesThePage(t *testing.T) {
	s := standard(t)
	s.login()
	s.panel.err = control.Refuse(control.Unavailable, "the guard is not there")
	if resp, body := s.ask("POST", "/open", openFront, nil); resp.StatusCode != 503 || !strings.Contains(body, "the guard is not there") {
		t.Errorf("%d %s", resp.StatusCode, body)
	}
}

// The stream ends with the session, not with the browser's patience.
func TestTheStatusStreamEndsWithTheSession(t *testing.T) {
	s := standard(t)
	s.login()
	req, _ := http.NewRequest("GET", s.server.URL+"/status", nil)
	req.AddCookie(s.cookie)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for range 2 {
		line, err := lines.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, `data: {"name":"Main entrance"`) {
			t.Fatalf("the stream gave %q, %v", line, err)
		}
		lines.ReadString('\n')
		s.panel.change <- struct{}{}
	}
	s.ask("POST", "/logout", "", nil)
	if _, err := io.ReadAll(lines); err != nil {
		t.Errorf("the stream ended with %v", err)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	s := standard(t)
	s.login()
	for range maxStreams {
		req, _ := http.NewRequest("GET", s.server.URL+"/status", nil)
		req.AddCookie(s.cookie)
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v %v", resp, err)
		}
		defer resp.Body.Close()
	}
	if resp, body := s.ask("GET", "/status", "", nil); resp.StatusCode != http.StatusServiceUnavailable {
		t.Errorf("one stream more: %d %s, want 503", resp.StatusCode, body)
	}
}

func TestServe(t *testing.T) {
	for _, opt := range []Options{{}, {User: user}, {Password: password}} {
		if err := Serve(t.Context(), "127.0.0.1:0", &fakePanel{}, opt); !errors.Is(err, ErrNoLogin) {
			t.Errorf("%+v: %v, want ErrNoLogin", opt, err)
		}
	}
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	at := taken.Addr().String()
	if err := Serve(t.Context(), at, &fakePanel{}, Options{User: user, Password: password}); err == nil || !strings.Contains(err.Error(), at) {
		t.Errorf("a port in use: %v, want an error with the address", err)
	}
	over := errors.New("over")
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, taken, New(&fakePanel{}, Options{User: user, Password: password})) }()
	resp, err := http.Get("http://" + at + "/")
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%v %v", resp, err)
	}
	resp.Body.Close()
	cancel(over)
	if err := <-ended; !errors.Is(err, over) {
		t.Errorf("ended with %v, want the cause", err)
	}
}

func TestConnectionsAreBounded(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	b := newBounded(l, 1)
	defer b.Close()
	accepted := make(chan net.Conn)
	go func() {
		for {
			conn, err := b.Accept()
			if err != nil {
				close(accepted)
				return
			}
			accepted <- conn
		}
	}()
	dial := func() net.Conn {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		return conn
	}
	dial()
	first := <-accepted
	if _, err := dial().Read(make([]byte, 1)); err == nil {
		t.Error("a connection beyond the bound was not closed")
	}
	first.Close()
	first.Close()
	dial()
	(<-accepted).Close()
}

func TestSessionsEnd(t *testing.T) {
	s := newSessions()
	now := time.Unix(1e9, 0)
	a := s.begin(now)
	for range 30 { // kept alive by what a person does
		now = now.Add(sessionIdle - time.Second)
		if now.Sub(time.Unix(1e9, 0)) >= sessionLife {
			break
		}
		if s.find(a, now, true) == nil {
			t.Fatalf("ended after %v", now.Sub(time.Unix(1e9, 0)))
		}
	}
	if s.find(a, time.Unix(1e9, 0).Add(sessionLife), true) != nil {
		t.Errorf("a session outlived %v", sessionLife)
	}
	b := s.begin(now)
	s.find(b, now.Add(sessionIdle-1), false)
	if s.find(b, now.Add(sessionIdle), false) != nil {
		t.Errorf("a session outlived %v without a person", sessionIdle)
	}
	first := s.begin(now)
	for i := range maxSessions {
		s.begin(now.Add(time.Duration(i + 1)))
	}
	if s.find(first, now, true) != nil || len(s.open) != maxSessions {
		t.Errorf("%d sessions, want %d without the oldest", len(s.open), maxSessions)
	}
}

func TestLimiter(t *testing.T) {
	l := newLimiter()
	now := time.Unix(1e9, 0)
	for i := range freeTries {
		if wait := l.try("a", now); wait != 0 {
			t.Fatalf("try %d must wait %v", i, wait)
		}
	}
	for _, want := range []time.Duration{firstWait, 2 * firstWait, 4 * firstWait} {
		if wait := l.try("a", now); wait != want {
			t.Errorf("waits %v, want %v", wait, want)
		}
		if wait := l.try("b", now); wait != 0 {
			t.Errorf("another address waits %v", wait)
		}
		l.succeeded("b")
		if now = now.Add(want); l.try("a", now) != 0 {
			t.Errorf("waits on after %v", want)
		}
	}
	for range 60 {
		now = now.Add(longestWait)
		if wait := l.try("a", now); wait != 0 {
			t.Fatalf("waits %v after the longest wait", wait)
		}
	}
	l.succeeded("a")
	if wait := l.try("a", now); wait != 0 {
		t.Errorf("after a success waits %v", wait)
	}
}

func TestManyAddressesTogetherAreSlowedDown(t *testing.T) {
	l := newLimiter()
	now := time.Unix(1e9, 0)
	passed := 0
	for i := range 10 * maxSources {
		if l.try(network(net.IPv4(10, 0, byte(i>>8), byte(i)).String()), now) == 0 {
			passed++
		}
	}
	if passed != triesOfAll {
		t.Errorf("%d tries in a moment, want %d", passed, triesOfAll)
	}
	for i := range 10 * maxSources {
		now = now.Add(2 * time.Second)
		l.try(network(net.IPv4(10, 1, byte(i>>8), byte(i)).String()), now)
	}
	if len(l.sources) > maxSources+1 {
		t.Errorf("%d addresses are remembered, want at most %d", len(l.sources), maxSources+1)
	}
}

func TestOneHostHasOneCount(t *testing.T) {
	for from, want := range map[string]string{
		"192.0.2.7": "192.0.2.7", "::ffff:192.0.2.7": "192.0.2.7",
		"2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64", "2001:db8:1:2::9": "2001:db8:1:2::/64",
		"fe80::1%eth0": "fe80::/64", "@": "@",
	} {
		if got := network(from); got != want {
			t.Errorf("%s counts as %s, want %s", from, got, want)
		}
	}
}
