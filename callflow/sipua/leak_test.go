package sipua

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// credentialsSent counts the messages with credentials since the last time.
func (w *world) credentialsSent() int {
	synctest.Wait()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	for _, d := range w.sent {
		if bytes.Contains(bytes.ToLower(d.b), []byte("\nauthorization:")) || bytes.Contains(bytes.ToLower(d.b), []byte("\nproxy-authorization:")) {
			n++
		}
	}
	w.sent = nil
	return n
}

// Whoever gets an answer to his own challenge can try passwords at leisure. Here
// are all the ways to ask for one, and none of them gets any.
func TestNoCredentialLeaks(t *testing.T) {
	const good, weak = `Digest realm="house.example", nonce="evil", qop="auth", algorithm=SHA-256`, `Digest realm="house.example", nonce="evil"`
	ask := func(p *peer, req *sip.Request, status int, tag, challenge string) {
		field := "WWW-Authenticate: "
		if status == 407 {
			field = "Proxy-Authenticate: "
		}
		p.reply(req, status, tag, field+challenge)
	}
	called := func(w *world, reg *peer) *sip.Request {
		w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
		return reg.request("INVITE")
	}
	talking := func(w *world, reg *peer) *sip.Request {
		inv := called(w, reg)
		reg.reply(inv, 200, "a", "Record-Route: <sip:192.0.2.2;lr>", phoneContact(), "sdp:answer")
		reg.request("ACK")
		return inv
	}
	for name, attack := range map[string]func(w *world, reg *peer){
		"a phone that is called by its address": func(w *world, _ *peer) {
			p, inv := ring(w)
			ask(p, inv, 401, "a", good)
		},
		"the same, as a proxy": func(w *world, _ *peer) {
			p, inv := ring(w)
			ask(p, inv, 407, "a", weak)
		},
		"a phone, to the BYE": func(w *world, _ *peer) {
			p, _, _ := answered(w)
			w.ua.Bye(1)
			ask(p, p.request("BYE"), 401, "a", good)
		},
		"a phone behind our server, to the BYE": func(w *world, reg *peer) {
			talking(w, reg)
			w.ua.Bye(1)
			ask(reg, reg.request("BYE"), 407, "a", good)
		},
		"a phone behind our server, to the PRACK": func(w *world, reg *peer) {
			reg.reply(called(w, reg), 183, "a", "Require: 100rel", "RSeq: 1", "Record-Route: <sip:192.0.2.2;lr>", phoneContact())
			ask(reg, reg.request("PRACK"), 401, "a", good)
		},
		"a phone behind our server that rang first": func(w *world, reg *peer) {
			inv := called(w, reg)
			reg.reply(inv, 180, "a", phoneContact())
			ask(reg, inv, 407, "a", good)
		},
		"another realm, by our server": func(w *world, reg *peer) {
			ask(reg, called(w, reg), 407, "a", strings.Replace(good, "house.example", "elsewhere.example", 1))
		},
		"the answer of another host to what went to our server": func(w *world, reg *peer) {
			inv := called(w, reg)
			other := w.peer("192.0.2.66:5060")
			ask(other, inv, 407, "a", good)
		},
		"the answer of an admitted phone to what went to our server": func(w *world, reg *peer) {
			p, _, _ := answered(w)
			w.ua.Invite(2, "sip:flat@house.example", nil)
			ask(p, reg.request("INVITE"), 407, "a", good)
		},
		"an algorithm that nobody knows": func(w *world, reg *peer) {
			ask(reg, called(w, reg), 407, "a", strings.Replace(good, "SHA-256", "ROT13", 1))
		},
		"a protection that we do not have": func(w *world, reg *peer) {
			ask(reg, called(w, reg), 407, "a", strings.Replace(good, `"auth"`, `"auth-int"`, 1))
		},
		"Basic": func(w *world, reg *peer) { ask(reg, called(w, reg), 407, "a", `Basic realm="house.example"`) },
		"our server, to the CANCEL": func(w *world, reg *peer) {
			inv := called(w, reg)
			w.ua.Cancel(1)
			reg.reply(inv, 100, "")
			ask(reg, reg.request("CANCEL"), 401, "a", good)
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{Account: lineAccount()}, func(w *world) {
				reg := w.registeredAt(proxyAddr)
				attack(w, reg)
				time.Sleep(2 * time.Second)
				if n := w.credentialsSent(); n != 0 {
					t.Errorf("%d messages carry credentials", n)
				}
			})
		})
	}
}

// The same challenge is answered where it should be.
func TestCredentialsForOurServer(t *testing.T) {
	inWorld(t, Config{Account: lineAccount()}, func(w *world) {
		reg := w.registeredAt(proxyAddr)
		w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
		reg.reply(reg.request("INVITE"), 407, "a", `Proxy-Authenticate: Digest realm="house.example", nonce="n", qop="auth", algorithm=SHA-256`)
		if n := w.credentialsSent(); n != 1 {
			t.Errorf("%d messages carry credentials", n)
		}
	})
}

// Names that a person provisions cannot end a header line.
func TestNamesStayInTheirLines(t *testing.T) {
	const evil = "x\r\nA:stolen\r\n"
	for name, cfg := range map[string]Config{
		"user":         {Account: Account{User: evil, Registrar: "192.0.2.2"}},
		"auth user":    {Account: Account{User: "a", AuthUser: evil, Registrar: "192.0.2.2"}},
		"domain":       {Account: Account{User: "a", Domain: evil, Registrar: "192.0.2.2"}},
		"registrar":    {Account: Account{User: "a", Registrar: evil}},
		"proxy":        {Account: Account{User: "a", Registrar: "192.0.2.2", Proxy: evil}},
		"display name": {Account: Account{User: "a", Registrar: "192.0.2.2", DisplayName: evil}},
		"user agent":   {UserAgent: evil},
		"caller":       {Allow: []string{"sip:" + evil + "@192.0.2.2"}},
	} {
		cfg.Conn, cfg.Local = sink{}, netip.MustParseAddrPort(panelAddr)
		if _, err := New(cfg, func(Event) {}); err == nil {
			t.Errorf("%s: a line end was taken", name)
		}
	}
	inWorld(t, Config{}, func(w *world) {
		for i, target := range []string{"sip:a" + evil + "@192.0.2.10", "sip:a@192.0.2.10?X=y%0d%0aEvil:%201", "sip:a@192.0.2.10;x=%0d%0aEvil:%201", "tel:1" + evil} {
			w.ua.Invite(callflow.LegID(i+1), target, nil)
		}
		synctest.Wait()
		for _, d := range w.sent {
			if bytes.Contains(d.b, []byte("stolen")) || bytes.Contains(d.b, []byte("\nEvil")) || bytes.Contains(d.b, []byte("?X")) {
				t.Errorf("a line end reached the wire:\n%s", d.b)
			}
		}
	})
}
