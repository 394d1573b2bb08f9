package sipua

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

// answerTo401 gives the Authorization line that answers the first challenge of
// this algorithm; edit may spoil it.
func answerTo401(t *testing.T, res *sip.Response, method, user, password, algorithm string, nc int) string {
	t.Helper()
	for _, h := range res.GetHeaders("www-authenticate") {
		chal, err := digest.ParseChallenge(h.Value())
		if err != nil {
			t.Fatal(err)
		}
		if chal.Algorithm != algorithm {
			continue
		}
		cred, err := digest.Digest(chal, digest.Options{Method: method, URI: "sip:panel@" + panelAddr,
			Username: user, Password: password, Count: nc, Cnonce: "c"})
		if err != nil {
			t.Fatal(err)
		}
		return "Authorization: " + cred.String()
	}
	t.Fatalf("no challenge of %s:\n%s", algorithm, res)
	return ""
}

func TestCallerWithPassword(t *testing.T) {
	cfg := Config{Allow: []string{guard}, Grants: map[string]Grant{guard: {Password: "let me in"}}}
	for name, c := range map[string]struct {
		user, password, algorithm string
		nc                        int
		wait                      time.Duration
		want                      int
	}{
		"right, SHA-256":  {"guard", "let me in", "SHA-256", 1, 0, 180},
		"right, MD5":      {"guard", "let me in", "MD5", 1, 0, 180},
		"wrong password":  {"guard", "let me out", "SHA-256", 1, 0, 401},
		"another user":    {"panel", "let me in", "SHA-256", 1, 0, 401},
		"a nonce too old": {"guard", "let me in", "SHA-256", 1, 2 * nonceFor, 401},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, cfg, func(w *world) {
				p := w.caller(phoneAddr, guard)
				p.ask("INVITE", 1, "", "sdp:offer")
				res := p.response(401)
				time.Sleep(c.wait)
				line := answerTo401(t, res, "INVITE", c.user, c.password, c.algorithm, c.nc)
				p.ask("INVITE", 2, "", line, "sdp:offer")
				again := p.response(c.want)
				if stale := strings.Contains(again.String(), "stale=true"); stale != (c.wait > 0) {
					t.Errorf("stale: %v\n%s", stale, again)
				}
				if c.want == 401 {
					return
				}
				p.id = "replayed" // what was seen on the wire opens nothing
				p.ask("INVITE", 3, "", line, "sdp:offer")
				p.response(401)
				w.heard("incoming " + guard + " sdp:offer")
			})
		})
	}
	t.Run("no weaker than the account", func(t *testing.T) {
		strict := cfg
		strict.Account.Digest = "sha-256"
		inWorld(t, strict, func(w *world) {
			p := w.caller(phoneAddr, guard)
			p.ask("INVITE", 1, "", "sdp:offer")
			if n := len(p.response(401).GetHeaders("www-authenticate")); n != 1 {
				t.Errorf("%d challenges, want SHA-256 alone", n)
			}
		})
	})
}

func TestVerifierTakesNoForgedNonce(t *testing.T) {
	v, other, now := newVerifier(), newVerifier(), time.Now()
	for _, nonce := range []string{"", "x", other.nonce(now), v.nonce(now)[1:], strings.Repeat("A", 40)} {
		if _, ok := v.age(nonce, now); ok {
			t.Errorf("%q passes", nonce)
		}
	}
	if _, ok := v.age(v.nonce(now), now); !ok {
		t.Error("our own does not")
	}
}

// FuzzAuthorization gives any Authorization field to the verifier: only the right
// password passes.
func FuzzAuthorization(f *testing.F) {
	for _, s := range []string{"", "Digest", `Digest username="u", realm="r", nonce="n", uri="sip:x", response="r", qop=auth, nc=00000001, cnonce="c"`,
		`Digest username="u",nc=zz`, `Digest username="u", realm="r", nonce="NONCE", uri="", response="", algorithm=SHA-256, qop=auth, nc=1, cnonce=`, "Basic dTpw"} {
		f.Add(s)
	}
	v, now := newVerifier(), time.Now()
	nonce := v.nonce(now)
	f.Fuzz(func(t *testing.T, s string) {
		if ok, stale := v.right(strings.ReplaceAll(s, "NONCE", nonce), "INVITE", secret{"r", "u", "a password that nobody guesses"}, 1, now); ok || stale {
			t.Errorf("%q passes", s)
		}
	})
}

func TestMessages(t *testing.T) {
	cfg := Config{Allow: []string{guard, "sip:other@192.0.2.10"}, Grants: map[string]Grant{guard: {Message: true}}}
	for name, c := range map[string]struct {
		from, line string
		want       int
		told       string
	}{
		"a text":            {guard, "body:text/plain|Lift is\r\nbroken\x1b[31m\x00", 200, `message ` + guard + ` "Lift is\nbroken[31m"`},
		"with a charset":    {guard, "body:text/plain;charset=utf-8|Tür 2", 200, `message ` + guard + ` "Tür 2"`},
		"long":              {guard, "body:text/plain|" + strings.Repeat("a", 5000), 200, `message ` + guard + ` "` + strings.Repeat("a", messageMost) + `"`},
		"HTML":              {guard, "body:text/html|<b>x</b>", 415, ""},
		"no text":           {guard, "body:text/plain|\xff\xfe", 415, ""},
		"nothing":           {guard, "Subject: x", 415, ""},
		"one who may not":   {"sip:other@192.0.2.10", "body:text/plain|x", 403, ""},
		"one we do not let": {"sip:x@192.0.2.10", "body:text/plain|x", 403, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, cfg, func(w *world) {
				p := w.caller(phoneAddr, c.from)
				p.ask("MESSAGE", 1, "", c.line)
				p.response(c.want)
				if c.told == "" {
					w.heard()
					return
				}
				w.heard(c.told)
			})
		})
	}
}

func TestCheckSync(t *testing.T) {
	account := Account{User: "panel", Password: "secret", Domain: "house.example", Registrar: "192.0.2.2"}
	// sync asks for it from the registrar, rightly if the password is.
	sync := func(w *world, p *caller, seq int, password string, want int) *sip.Response {
		p.ask("NOTIFY", seq, "", "Event: check-sync;reboot=true")
		line := answerTo401(w.t, p.response(401), "NOTIFY", "panel", password, "SHA-256", 1)
		p.ask("NOTIFY", seq+1, "", "Event: check-sync;reboot=true", line)
		return p.response(want)
	}
	registered := func(w *world) *caller {
		p := w.caller(proxyAddr, "sip:server@house.example")
		p.grant(p.request("REGISTER"), 3600)
		w.heard("registered 1h0m0s")
		return p
	}
	t.Run("once a minute, with the password", func(t *testing.T) {
		inWorld(t, Config{Account: account, CheckSync: true}, func(w *world) {
			p := registered(w)
			sync(w, p, 1, "wrong", 401)
			w.heard()
			sync(w, p, 3, "secret", 200)
			w.heard("check-sync")
			if h := sync(w, p, 5, "secret", 503).GetHeader("retry-after"); h == nil || h.Value() != "60" {
				t.Errorf("Retry-After: %v", h)
			}
			time.Sleep(checkSyncEvery)
			sync(w, p, 7, "secret", 200)
			w.heard("check-sync")
		})
	})
	t.Run("another event", func(t *testing.T) {
		inWorld(t, Config{Account: account, CheckSync: true}, func(w *world) {
			p := registered(w)
			p.ask("NOTIFY", 1, "", "Event: resync")
			p.response(489)
		})
	})
	t.Run("off unless configured", func(t *testing.T) {
		inWorld(t, Config{Account: account}, func(w *world) {
			p := registered(w)
			p.ask("NOTIFY", 1, "", "Event: check-sync")
			p.response(481)
		})
	})
	t.Run("not for callers", func(t *testing.T) {
		inWorld(t, Config{Account: account, CheckSync: true, Allow: []string{guard}}, func(w *world) {
			p := w.caller(phoneAddr, guard)
			p.ask("NOTIFY", 1, "", "Event: check-sync")
			p.response(481)
		})
	})
}

func TestTransfer(t *testing.T) {
	const concierge = "sip:concierge@192.0.2.30"
	cfg := Config{TransferTo: []string{concierge}}
	t.Run("to the one that may be", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			p, k, _ := answered(w)
			k.ask("REFER", "Refer-To: <"+concierge+";x=1>", phoneContact())
			p.response(202)
			n := p.request("NOTIFY")
			if got := string(n.Body()); !strings.HasPrefix(got, "SIP/2.0 100") || !strings.HasPrefix(n.GetHeader("subscription-state").Value(), "terminated") {
				t.Errorf("NOTIFY:\n%s", n)
			}
			wantContact(t, n, "sip:doorstation@"+panelAddr)
			p.reply(n, 200, "a")
			w.heard("referred " + concierge)
		})
	})
	t.Run("without a subscription", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			p, k, _ := answered(w)
			k.ask("REFER", "Refer-To: <"+concierge+">", "Refer-Sub: false")
			p.response(200)
			p.quiet()
			w.heard("referred " + concierge)
		})
	})
	for name, c := range map[string]struct {
		cfg  Config
		to   string
		want int
	}{
		"by default":         {Config{}, "Refer-To: <" + concierge + ">", 405},
		"to somebody else":   {cfg, "Refer-To: <sip:x@192.0.2.30>", 603},
		"to another host":    {cfg, "Refer-To: <sip:concierge@192.0.2.31>", 603},
		"to nobody":          {cfg, "Subject: x", 603},
		"to take a call":     {cfg, "Refer-To: <" + concierge + "?Replaces=x%3Bto-tag%3Da>", 603},
		"to two at once":     {cfg, "Refer-To: <" + concierge + ">\r\nRefer-To: <" + concierge + ">", 603},
		"with another field": {cfg, "Refer-To: <" + concierge + "?Subject=x>", 603},
	} {
		t.Run("refused "+name, func(t *testing.T) {
			inWorld(t, c.cfg, func(w *world) {
				p, k, _ := answered(w)
				k.ask("REFER", c.to)
				p.response(c.want)
				w.heard()
			})
		})
	}
}

func TestProbe(t *testing.T) {
	for status, want := range map[int]bool{200: true, 405: true, 486: true, 401: true, 501: true, 404: false, 480: false, 503: false, 403: false, 604: false} {
		inWorld(t, Config{}, func(w *world) {
			p := w.peer(phoneAddr)
			w.ua.Probe(phoneTarget)
			req := p.request("OPTIONS")
			p.reply(req, status, "x")
			w.heard(fmt.Sprintf("probed %s %v %d", phoneTarget, want, status))
		})
	}
	inWorld(t, Config{}, func(w *world) {
		w.ua.Probe(phoneTarget)
		w.ua.Probe("nonsense")
		w.heard("probed nonsense false 0")
		time.Sleep(33 * time.Second)
		w.heard("probed " + phoneTarget + " false 0")
		time.Sleep(linger)
		synctest.Wait()
		if n := len(w.ua.sources.held); n != 0 {
			t.Errorf("%d sources stay admitted", n)
		}
	})
}
