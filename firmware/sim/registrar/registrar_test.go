package registrar

import (
	"fmt"
	"testing"
	"time"

	"github.com/icholy/digest"
)

const uri = "sip:127.0.0.1:5070"

// answer proves password on the challenge, as a phone does.
func answer(t *testing.T, challenge, user, password string, count int) string {
	t.Helper()
	chal, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatalf("challenge %q: %v", challenge, err)
	}
	cred, err := digest.Digest(chal, digest.Options{
		Method: "REGISTER", URI: uri, Username: user, Password: password, Count: count, Cnonce: "c0ffee",
	})
	if err != nil {
		t.Fatal(err)
	}
	return cred.String()
}

func TestRegister(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for name, tc := range map[string]struct {
		user, password string
		count          int
		asked          time.Duration
		later          time.Duration // between the challenge and its answer
		to             string
		status         int
		granted        time.Duration
	}{
		"right password":     {"panel", "secret", 1, 5 * time.Minute, 0, "panel", 200, 5 * time.Minute},
		"wrong password":     {"panel", "guess", 1, 5 * time.Minute, 0, "panel", 403, 0},
		"unknown user":       {"stranger", "secret", 1, 5 * time.Minute, 0, "stranger", 403, 0},
		"another's address":  {"panel", "secret", 1, 5 * time.Minute, 0, "flat1", 403, 0},
		"a very long time":   {"panel", "secret", 1, 48 * time.Hour, 0, "panel", 200, LongestTime},
		"a very short time":  {"panel", "secret", 1, time.Second, 0, "panel", 423, 0},
		"nonce too old":      {"panel", "secret", 1, 5 * time.Minute, nonceLife + 1, "panel", 401, 0},
		"un-register":        {"panel", "secret", 1, 0, 0, "panel", 200, 0},
		"count not started":  {"panel", "secret", 0, 5 * time.Minute, 0, "panel", 401, 0},
		"count jumps onward": {"panel", "secret", 7, 5 * time.Minute, 0, "panel", 200, 5 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			r := New("building", map[string]string{"panel": "secret"})
			req := Request{User: tc.to, URI: uri, Contact: "sip:panel@127.0.0.1:5060", Expires: tc.asked}
			first := r.Register(start, req)
			if first.Status != 401 || first.Challenge == "" {
				t.Fatalf("without credentials: %+v", first)
			}
			req.Authorization = answer(t, first.Challenge, tc.user, tc.password, tc.count)
			if tc.count == 0 {
				req.Authorization = zeroCount(t, first.Challenge)
			}
			got := r.Register(start.Add(tc.later), req)
			if got.Status != tc.status {
				t.Fatalf("status %d, want %d", got.Status, tc.status)
			}
			var granted time.Duration
			for _, b := range got.Bindings {
				granted = b.Until.Sub(start)
			}
			if granted != tc.granted {
				t.Errorf("granted %v, want %v", granted, tc.granted)
			}
		})
	}
}

// zeroCount proves the right password with an nc of zero.
func zeroCount(t *testing.T, challenge string) string {
	t.Helper()
	chal, err := digest.ParseChallenge(challenge)
	if err != nil {
		t.Fatal(err)
	}
	c := &digest.Credentials{Username: "panel", Realm: "building", Nonce: chal.Nonce, URI: uri, Cnonce: "x", QOP: "auth"}
	c.Response = response(c, "REGISTER", "secret")
	return fmt.Sprintf(`Digest username="panel", realm="building", nonce="%s", uri="%s", cnonce="x", qop=auth, nc=00000000, response="%s"`,
		chal.Nonce, uri, c.Response)
}

func TestReplayIsRefused(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := New("building", map[string]string{"panel": "secret"})
	req := Request{User: "panel", URI: uri, Contact: "sip:panel@127.0.0.1:5060", Expires: time.Minute}
	req.Authorization = answer(t, r.Register(now, req).Challenge, "panel", "secret", 1)
	if got := r.Register(now, req); got.Status != 200 {
		t.Fatalf("first use: %d", got.Status)
	}
	again := r.Register(now, req)
	if again.Status != 401 {
		t.Errorf("the same credentials again: %d, want 401", again.Status)
	}
	chal, err := digest.ParseChallenge(again.Challenge)
	if err != nil || !chal.Stale {
		t.Errorf("challenge %q is not marked stale", again.Challenge)
	}
}

func TestCredentialsAreForOneURI(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := New("building", map[string]string{"panel": "secret"})
	req := Request{User: "panel", URI: uri, Contact: "sip:panel@127.0.0.1:5060", Expires: time.Minute}
	req.Authorization = answer(t, r.Register(now, req).Challenge, "panel", "secret", 1)
	req.URI = "sip:elsewhere"
	if got := r.Register(now, req); got.Status != 403 {
		t.Errorf("credentials made for another URI: %d, want 403", got.Status)
	}
}

func TestBindingsEnd(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := New("building", map[string]string{"panel": "secret"})
	req := Request{User: "panel", URI: uri, Contact: "sip:panel@127.0.0.1:5060", Expires: time.Minute}
	req.Authorization = answer(t, r.Register(now, req).Challenge, "panel", "secret", 1)
	r.Register(now, req)
	if got := len(r.Bindings(now.Add(59 * time.Second))); got != 1 {
		t.Errorf("after 59 s: %d bindings, want 1", got)
	}
	if got := len(r.Bindings(now.Add(60 * time.Second))); got != 0 {
		t.Errorf("after 60 s: %d bindings, want 0", got)
	}
}

func TestChallengesAreBounded(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	r := New("building", nil)
	for i := range 3 * maxNonces {
		r.Register(now.Add(time.Duration(i)*time.Millisecond), Request{User: "panel", URI: uri})
	}
	if got := len(r.nonces); got > maxNonces {
		t.Errorf("%d challenges remembered, limit %d", got, maxNonces)
	}
}
