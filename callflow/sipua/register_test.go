package sipua

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"
)

func lineAccount() Account {
	return Account{User: "panel", Password: "secret", Domain: "house.example", Registrar: "192.0.2.2"}
}

// inRegistered runs story with a panel that is about to register: its first
// REGISTER waits at the registrar.
func inRegistered(t *testing.T, cfg Config, story func(w *world, reg *peer)) {
	t.Helper()
	if cfg.Account.User == "" {
		cfg.Account = lineAccount()
	}
	inWorld(t, cfg, func(w *world) {
		// The first REGISTER came before the registrar was there; it comes again.
		story(w, w.peer(proxyAddr))
	})
}

const challenge = `Digest realm="house.example", nonce="n1", qop="auth", algorithm=MD5`

// checkDigest recomputes the response of a request's credentials.
func checkDigest(t *testing.T, req *sip.Request, field, password string) *digest.Credentials {
	t.Helper()
	h := req.GetHeader(field)
	if h == nil {
		t.Fatalf("no %s in\n%s", field, req)
	}
	got, err := digest.ParseCredentials(h.Value())
	if err != nil {
		t.Fatal(err)
	}
	chal := &digest.Challenge{Realm: got.Realm, Nonce: got.Nonce, Algorithm: got.Algorithm}
	if got.QOP != "" {
		chal.QOP = []string{got.QOP}
	}
	want, err := digest.Digest(chal, digest.Options{Method: string(req.Method), URI: got.URI,
		Username: got.Username, Password: password, Count: got.Nc, Cnonce: got.Cnonce})
	if err != nil {
		t.Fatal(err)
	}
	if got.Response != want.Response || got.URI != req.Recipient.String() {
		t.Errorf("credentials are wrong: %v", got)
	}
	return got
}

// grant gives a registration, the time in our Contact as Kamailio does.
func (p *peer) grant(req *sip.Request, seconds int) {
	own := req.GetHeaders("contact")[0].(*sip.ContactHeader)
	p.reply(req, 200, "reg", fmt.Sprintf("Contact: <%s>;q=1;expires=%d", own.Address.String(), seconds))
}

func TestRegisterWithDigest(t *testing.T) {
	for _, c := range []struct{ name, challenge string }{
		{"MD5", challenge},
		{"SHA-256", `Digest realm="house.example", nonce="n1", qop="auth,auth-int", algorithm=SHA-256`},
		{"without qop", `Digest realm="house.example", nonce="n1"`},
		{"the first that we know", `Digest realm="house.example", nonce="n0", algorithm=SHA-512, qop="auth"` +
			"\r\nWWW-Authenticate: " + challenge},
	} {
		t.Run(c.name, func(t *testing.T) {
			inRegistered(t, Config{}, func(w *world, reg *peer) {
				first := reg.request("REGISTER")
				if first.Recipient.String() != "sip:house.example" || first.GetHeader("authorization") != nil {
					t.Errorf("first REGISTER:\n%s", first)
				}
				reg.reply(first, 401, "reg", "WWW-Authenticate: "+c.challenge)
				second := reg.request("REGISTER")
				if second.CSeq().SeqNo != first.CSeq().SeqNo+1 || second.CallID().Value() != first.CallID().Value() {
					t.Error("number or Call-ID of the second REGISTER is wrong")
				}
				checkDigest(t, second, "Authorization", "secret")
				reg.grant(second, 60)
				w.heard("registered 1m0s")

				third := reg.request("REGISTER") // the refresh, in one round trip
				if cred := checkDigest(t, third, "Authorization", "secret"); cred.QOP != "" && cred.Nc != 2 {
					t.Errorf("nc is %d, want 2", cred.Nc)
				}
				reg.grant(third, 600)
				w.heard("registered 10m0s")
			})
		})
	}
}

func TestRefreshComesBeforeTheEnd(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		reg.grant(reg.request("REGISTER"), 50)
		began := time.Now()
		reg.grant(reg.request("REGISTER"), 50)
		if after := time.Since(began); after < 37*time.Second || after > 45*time.Second {
			t.Errorf("refreshed after %v of 50s", after)
		}
	})
}

func TestGrantedTime(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"our Contact before Expires": {[]string{"Contact: <sip:panel@192.0.2.99:5060>;expires=30, <sip:panel@192.0.2.1:5060>;expires=120", "Expires: 60"}, "registered 2m0s"},
		"Expires":                    {[]string{"Contact: <sip:panel@192.0.2.1:5060>", "Expires: 60"}, "registered 1m0s"},
		"what we asked for":          {nil, "registered 1h0m0s"},
		"nothing":                    {[]string{"Expires: 0"}, "unregistered 200"},
	} {
		t.Run(name, func(t *testing.T) {
			inRegistered(t, Config{}, func(w *world, reg *peer) {
				reg.reply(reg.request("REGISTER"), 200, "reg", c.lines...)
				w.heard(c.want)
			})
		})
	}
}

func TestWrongPasswordDoesNotHammer(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		for i := range 2 {
			reg.reply(reg.request("REGISTER"), 401, "reg", fmt.Sprintf(`WWW-Authenticate: Digest realm="house.example", nonce="n%d", qop="auth"`, i))
		}
		w.heard("unregistered 401")
		un := w.raw[0].(Unregistered)
		if !strings.Contains(un.Reason, "password") || strings.Contains(un.Reason, "secret") || un.Again < 4*time.Minute {
			t.Errorf("told %+v", un)
		}
		time.Sleep(3 * time.Minute)
		reg.quiet()
	})
}

func TestStaleNonce(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		reg.reply(reg.request("REGISTER"), 401, "reg", "WWW-Authenticate: "+challenge)
		reg.reply(reg.request("REGISTER"), 401, "reg", `WWW-Authenticate: Digest realm="house.example", nonce="n2", qop="auth", stale=true`)
		req := reg.request("REGISTER")
		if cred := checkDigest(t, req, "Authorization", "secret"); cred.Nonce != "n2" || cred.Nc != 1 {
			t.Errorf("nonce %q, nc %d", cred.Nonce, cred.Nc)
		}
		reg.grant(req, 60)
		w.heard("registered 1m0s")

		// A refresh meets a nonce too old, and no word says so (Kamailio).
		reg.reply(reg.request("REGISTER"), 401, "reg", `WWW-Authenticate: Digest realm="house.example", nonce="n3", qop="auth"`)
		req = reg.request("REGISTER")
		if cred := checkDigest(t, req, "Authorization", "secret"); cred.Nonce != "n3" || cred.Nc != 1 {
			t.Errorf("nonce %q, nc %d", cred.Nonce, cred.Nc)
		}
		reg.grant(req, 600)
		w.heard("registered 10m0s")
	})
}

func TestRegistrarInTrouble(t *testing.T) {
	t.Run("423", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			reg.reply(reg.request("REGISTER"), 423, "reg", "Min-Expires: 7200")
			req := reg.request("REGISTER")
			if got := req.GetHeader("expires").Value(); got != "7200" {
				t.Errorf("asked for %s", got)
			}
			reg.grant(req, 7200)
			w.heard("registered 2h0m0s")
		})
	})
	t.Run("503 with Retry-After", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			reg.reply(reg.request("REGISTER"), 503, "reg", "Retry-After: 45 (soon)")
			w.heard("unregistered 503")
			time.Sleep(44 * time.Second)
			reg.quiet()
			reg.grant(reg.request("REGISTER"), 60)
			w.heard("registered 1m0s")
		})
	})
	t.Run("unreachable, then there", func(t *testing.T) {
		inWorld(t, Config{Account: lineAccount()}, func(w *world) {
			time.Sleep(33 * time.Second)
			w.heard("unregistered 0")
			reg := w.peer(proxyAddr)
			reg.grant(reg.request("REGISTER"), 60)
			w.heard("registered 1m0s")
		})
	})
	t.Run("a foreign answer is none", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			req := reg.request("REGISTER")
			other := w.peer("203.0.113.5:5060")
			other.reply(req, 200, "x", "Expires: 60")
			w.heard()
		})
	})
}

// A stop leaves no leg without its last event, whatever the other side does.
func TestStopEndsEveryLeg(t *testing.T) {
	inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
		_, _, _ = answered(w)
		w.heard()
		c := w.caller("192.0.2.10:6000", guard)
		c.ask("INVITE", 1, "", "sdp:offer")
		c.response(180)
		w.ua.Accept(101, []byte("answer"))
		c.response(200) // never acknowledged
		w.heard("incoming " + guard + " sdp:offer")
		w.end() // nobody answers the BYE
		for leg := range w.ua.legs {
			t.Errorf("leg %d is left", leg)
		}
		w.heard("sent BYE", "ended by us:true", "ended by us:true")
	})
}

func TestNoCallFromAStoppingLine(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		w.ua.box.post(func() { w.ua.stop = true })
		w.ua.Invite(1, "sip:x@192.0.2.10", nil)
		synctest.Wait()
		w.heard("refused 503")
	})
}

func TestStopRemovesOurContactOnly(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		reg.grant(reg.request("REGISTER"), 600)
		w.heard("registered 10m0s")
		go w.end()
		req := reg.request("REGISTER")
		if e, c := req.GetHeader("expires").Value(), req.Contact().Value(); e != "0" || c != "<sip:panel@192.0.2.1:5060>" {
			t.Errorf("Expires %s, Contact %s", e, c)
		}
		reg.reply(req, 200, "reg")
		synctest.Wait()
	})
}

func TestPublicAddressMovesContact(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		reg.grant(reg.request("REGISTER"), 600)
		w.heard("registered 10m0s")
		w.ua.SetPublic(netip.MustParseAddrPort("198.51.100.7:40000"))
		req := reg.request("REGISTER")
		var got []string
		for _, h := range req.GetHeaders("contact") {
			got = append(got, h.Value())
		}
		if want := "<sip:panel@198.51.100.7:40000> <sip:panel@192.0.2.1:5060>;expires=0"; strings.Join(got, " ") != want {
			t.Errorf("contacts %v, want %s", got, want)
		}
		reg.reply(req, 200, "reg", "Contact: <sip:panel@198.51.100.7:40000>;expires=90")
		w.heard("registered 1m30s")
		w.ua.SetPublic(netip.MustParseAddrPort("198.51.100.7:40000"))
		reg.quiet()
	})
}

// The address is learnt while the first REGISTER waits for its answer, which
// grants the contact of before: that one is taken back.
func TestPublicAddressWhileRegistering(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		first := reg.request("REGISTER")
		w.ua.SetPublic(netip.MustParseAddrPort("198.51.100.7:40000"))
		synctest.Wait()
		reg.grant(first, 600)
		w.heard("registered 10m0s")
		var got []string
		for _, h := range reg.request("REGISTER").GetHeaders("contact") {
			got = append(got, h.Value())
		}
		if want := "<sip:panel@198.51.100.7:40000> <sip:panel@192.0.2.1:5060>;expires=0"; strings.Join(got, " ") != want {
			t.Errorf("contacts %v, want %s", got, want)
		}
	})
}

func TestChallengedInvite(t *testing.T) {
	registered := func(w *world, reg *peer) {
		reg.reply(reg.request("REGISTER"), 401, "reg", "WWW-Authenticate: "+challenge)
		reg.grant(reg.request("REGISTER"), 600)
		w.heard("registered 10m0s")
	}
	proxyAsks := func(realm string) string {
		return fmt.Sprintf(`Proxy-Authenticate: Digest realm=%q, nonce="p1", qop="auth"`, realm)
	}
	t.Run("by our server, in our realm", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			registered(w, reg)
			w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
			inv := reg.request("INVITE")
			reg.reply(inv, 407, "x", proxyAsks("house.example"))
			reg.request("ACK")
			if inv.GetHeader("authorization") != nil {
				t.Error("the registrar's nonce was answered towards the phone")
			}
			again := reg.request("INVITE")
			checkDigest(t, again, "Proxy-Authorization", "secret")
			if again.CSeq().SeqNo != 2 || again.Via().Value() == inv.Via().Value() {
				t.Errorf("the second INVITE:\n%s", again)
			}
			reg.reply(again, 200, "a", "Record-Route: <sip:192.0.2.2;lr>", phoneContact(), "sdp:answer")
			if ack := reg.request("ACK"); ack.CSeq().SeqNo != 2 || ack.Recipient.String() != "sip:phone@192.0.2.10:5060" {
				t.Errorf("ACK:\n%s", ack)
			}
			w.heard("sent INVITE", "sent INVITE", "sent ACK", "answered a sdp:answer")

			w.ua.Bye(1)
			bye := reg.request("BYE")
			if bye.GetHeader("proxy-authorization") != nil {
				t.Error("the BYE carries credentials that nobody asked for")
			}
			reg.reply(bye, 200, "a")
			w.heard("sent BYE", "ended by us:true")

			w.ua.Invite(2, "sip:flat@house.example", []byte(testOffer)) // at once with what we know
			cred := checkDigest(t, reg.request("INVITE"), "Proxy-Authorization", "secret")
			if cred.Nc != 2 {
				t.Errorf("nc is %d, want 2", cred.Nc)
			}
			w.heard("sent INVITE")
		})
	})
	t.Run("credentials refused", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			registered(w, reg)
			w.ua.Invite(1, "sip:flat@house.example", nil)
			for range 2 {
				reg.reply(reg.request("INVITE"), 407, "x", proxyAsks("house.example"))
				reg.request("ACK")
			}
			w.heard("sent INVITE", "sent INVITE", "refused 407")
		})
	})
	t.Run("by our server, for another realm", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			registered(w, reg)
			w.ua.Invite(1, "sip:flat@house.example", nil)
			reg.reply(reg.request("INVITE"), 407, "x", proxyAsks("elsewhere"))
			reg.request("ACK")
			w.heard("sent INVITE", "refused 407")
		})
	})
	t.Run("by a phone, in our realm", func(t *testing.T) {
		inRegistered(t, Config{}, func(w *world, reg *peer) {
			registered(w, reg)
			p, inv := ring(w)
			if inv.GetHeader("authorization") != nil {
				t.Error("credentials went to a phone")
			}
			p.reply(inv, 401, "x", "WWW-Authenticate: "+challenge)
			p.request("ACK")
			w.heard("sent INVITE", "refused 401")
			p.quiet()
		})
	})
}
