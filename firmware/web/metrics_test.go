package web

import (
	"math"
	"net/http"
	"strings"
	"testing"
)

func TestExposition(t *testing.T) {
	one := func(v float64, labels ...Label) []Sample { return []Sample{{labels, v}} }
	for name, c := range map[string]struct {
		family Family
		want   string
	}{
		"a gauge":         {Family{"a_seconds", "Time.", Gauge, one(0.00125)}, "# HELP a_seconds Time.\n# TYPE a_seconds gauge\na_seconds 0.00125\n"},
		"a counter":       {Family{"b_total", "Presses.", Counter, one(3, Label{"button", "b1"})}, "# HELP b_total Presses.\n# TYPE b_total counter\nb_total{button=\"b1\"} 3\n"},
		"no samples":      {Family{"c", "Nothing.", Gauge, nil}, ""},
		"two labels":      {Family{"d", "x", Gauge, one(1, Label{"a", "1"}, Label{"b", "2"})}, "# HELP d x\n# TYPE d gauge\nd{a=\"1\",b=\"2\"} 1\n"},
		"quotes":          {Family{"e", "x", Gauge, one(1, Label{"flat", `The "Smiths" \ Co`})}, "# HELP e x\n# TYPE e gauge\ne{flat=\"The \\\"Smiths\\\" \\\\ Co\"} 1\n"},
		"a newline":       {Family{"f", "one\ntwo \\ \"", Gauge, one(1, Label{"flat", "a\nf{x=\"1\"} 9"})}, "# HELP f one\\ntwo \\\\ \"\n# TYPE f gauge\nf{flat=\"a\\nf{x=\\\"1\\\"} 9\"} 1\n"},
		"no UTF-8":        {Family{"g", "x", Gauge, one(1, Label{"flat", "M\xfcller"})}, "# HELP g x\n# TYPE g gauge\ng{flat=\"M\uFFFDller\"} 1\n"},
		"infinite":        {Family{"h", "x", Gauge, one(math.Inf(1))}, "# HELP h x\n# TYPE h gauge\nh +Inf\n"},
		"the same twice":  {Family{"i", "x", Gauge, append(one(1, Label{"flat", "Smith"}), one(0, Label{"flat", "Smith"})...)}, "# HELP i x\n# TYPE i gauge\ni{flat=\"Smith\"} 1\n"},
		"a large counter": {Family{"j", "x", Counter, one(1 << 40)}, "# HELP j x\n# TYPE j counter\nj 1.099511627776e+12\n"},
	} {
		if got := string(exposition([]Family{c.family})); got != c.want {
			t.Errorf("%s gives\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

type fakeMeter struct{}

func (fakeMeter) Metrics() []Family {
	return []Family{{"doorstation_up", "Always 1.", Gauge, []Sample{{nil, 1}}}}
}

func basic(user, password string) func(*http.Request) {
	return func(r *http.Request) { r.SetBasicAuth(user, password) }
}

// The figures are for who may see the page: by a login, or by the same user and
// password with each request.
func TestWhoMayScrape(t *testing.T) {
	s := open(t, Options{User: user, Password: password, Meter: fakeMeter{}})
	const want = "# HELP doorstation_up Always 1.\n# TYPE doorstation_up gauge\ndoorstation_up 1\n"
	try := func(what string, change func(*http.Request), status int) *http.Response {
		t.Helper()
		resp, body := s.ask("GET", "/metrics", "", change)
		if resp.StatusCode != status || (body == want) != (status == http.StatusOK) || strings.Contains(body, password) {
			t.Errorf("%s: %d %s, want %d", what, resp.StatusCode, body, status)
		}
		return resp
	}
	if resp := try("nobody", nil, http.StatusUnauthorized); !strings.HasPrefix(resp.Header.Get("WWW-Authenticate"), "Basic ") {
		t.Errorf("nobody is told how to ask: %v", resp.Header)
	}
	for n := range 2 * triesOfAll { // a right one is no guess
		resp := try("a program", basic(user, password), http.StatusOK)
		if got := resp.Header.Get("Content-Type"); got != expositionType || resp.Header.Get("Set-Cookie") != "" {
			t.Fatalf("scrape %d: content type %q, %v", n, got, resp.Header)
		}
	}
	try("another user", basic("nobody", password), http.StatusUnauthorized)
	try("no password", basic(user, ""), http.StatusUnauthorized)
	try("from a foreign page", func(r *http.Request) {
		basic(user, password)(r)
		r.Header.Set("Origin", "http://evil.example")
	}, http.StatusForbidden)
	s.login()
	try("a person", nil, http.StatusOK)
	for range freeTries {
		try("a guess", basic(user, "wrong"), http.StatusUnauthorized)
	}
	if resp := try("after the guesses", basic(user, password), http.StatusTooManyRequests); resp.Header.Get("Retry-After") == "" {
		t.Error("nobody is told when to ask again")
	}
}

// Basic authentication opens the figures alone.
func TestBasicAuthenticationOpensNothingElse(t *testing.T) {
	s := open(t, Options{User: user, Password: password, Meter: fakeMeter{}})
	for _, path := range []string{"/calls", "/status", "/panel.js"} {
		if resp, _ := s.ask("GET", path, "", basic(user, password)); resp.StatusCode != http.StatusUnauthorized {
			t.Errorf("GET %s: %d, want 401", path, resp.StatusCode)
		}
	}
	if resp, _ := s.ask("POST", "/open", openFront, basic(user, password)); resp.StatusCode != http.StatusUnauthorized {
		t.Errorf("POST /open: %d, want 401", resp.StatusCode)
	}
}

func TestWithoutAMeterThereAreNoFigures(t *testing.T) {
	s := standard(t)
	s.login()
	if resp, _ := s.ask("GET", "/metrics", "", nil); resp.StatusCode != http.StatusNotFound {
		t.Errorf("GET /metrics: %d, want 404", resp.StatusCode)
	}
}
