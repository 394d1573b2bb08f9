package sipua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ringWith rings the phone with two offers, as leg 1.
func ringWith(w *world, offers ...string) (*peer, *sip.Request) {
	p := w.peer(phoneAddr)
	inv := Invitation{Target: phoneTarget, Expires: 29500 * time.Millisecond}
	for _, o := range offers {
		inv.Offers = append(inv.Offers, []byte(o))
	}
	w.ua.Ring(1, inv)
	return p, p.request("INVITE")
}

func TestFewerStreams(t *testing.T) {
	for name, c := range map[string]struct {
		early  string // an 18x before
		status int
		retry  bool
	}{
		"488":                        {"", 488, true},
		"606":                        {"", 606, true},
		"415":                        {"", 415, true},
		"488 while it rings":         {"180", 488, true},
		"500":                        {"", 500, true},
		"503":                        {"", 503, true},
		"500 of one that rang":       {"180", 500, false},
		"486":                        {"", 486, false},
		"480":                        {"", 480, false},
		"603":                        {"", 603, false},
		"404: there is no such user": {"", 404, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(w *world) {
				p, inv := ringWith(w, "both", "sound")
				told := []string{"sent INVITE"}
				if c.early != "" {
					p.reply(inv, 180, "a", phoneContact())
					told = append(told, "progress 180 a")
				}
				p.reply(inv, c.status, "a")
				p.request("ACK")
				if !c.retry {
					w.heard(append(told, "refused "+fmt.Sprint(c.status))...)
					return
				}
				again := p.request("INVITE")
				if string(again.Body()) != "sound" || again.CSeq().SeqNo != 2 || again.CallID().Value() != inv.CallID().Value() {
					t.Errorf("the next INVITE:\n%s", again)
				}
				w.heard(append(told, "retried "+fmt.Sprint(c.status)+" with offer 1", "sent INVITE")...)
				p.reply(again, c.status, "b") // and no third time
				p.request("ACK")
				w.heard("refused " + fmt.Sprint(c.status))
				p.quiet()
			})
		})
	}
}

func TestRedirects(t *testing.T) {
	const second, third, fourth = "sip:second@192.0.2.10:5070", "sip:third@192.0.2.10:5071", "sip:fourth@192.0.2.10:5072"
	to := func(contacts ...string) string { return "Contact: " + strings.Join(contacts, ", ") }
	angle := func(uri, params string) string { return "<" + uri + ">" + params }
	follow := func(w *world, p *peer, inv *sip.Request, at string, contacts string) (*peer, *sip.Request) {
		w.t.Helper()
		next := w.peer(at)
		p.reply(inv, 302, "a", contacts)
		p.request("ACK")
		return next, next.request("INVITE")
	}
	t.Run("followed, the better one first, then the next", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			better := w.peer("192.0.2.10:5071")
			worse, again := follow(w, p, inv, "192.0.2.10:5070", to(angle(third, ";q=0.2"), angle(second, ";q=0.9")))
			if again.Recipient.String() != second || again.CallID().Value() != inv.CallID().Value() || again.CSeq().SeqNo != 2 ||
				again.To().Address.String() != inv.To().Address.String() {
				t.Errorf("redirected INVITE:\n%s", again)
			}
			worse.reply(again, 486, "b")
			worse.request("ACK")
			last := better.request("INVITE")
			better.reply(last, 200, "c", "Contact: <"+third+">", "sdp:answer")
			better.request("ACK")
			w.heard("sent INVITE", "redirected "+second, "sent INVITE", "redirected "+third, "sent INVITE", "sent ACK", "answered c sdp:answer")
		})
	})
	t.Run("two deep and no deeper", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p, inv = follow(w, p, inv, "192.0.2.10:5070", to(angle(second, "")))
			p, inv = follow(w, p, inv, "192.0.2.10:5071", to(angle(third, "")))
			p.reply(inv, 302, "a", to(angle(fourth, "")))
			p.request("ACK")
			w.heard("sent INVITE", "redirected "+second, "sent INVITE", "redirected "+third, "sent INVITE", "refused 302")
		})
	})
	for name, contact := range map[string]string{
		"elsewhere":       "<sip:x@198.51.100.1>",
		"another name":    "<sip:x@evil.example>",
		"a telephone":     "<tel:+4912345>",
		"no Contact":      "",
		"everything":      "*",
		"the same again":  "<" + phoneTarget + ">",
		"a mail":          "<mailto:x@y>",
		"of a sips phone": "<sip:x@192.0.2.10>",
	} {
		t.Run("not followed: "+name, func(t *testing.T) {
			inWorld(t, Config{}, func(w *world) {
				var lines []string
				if contact != "" {
					lines = append(lines, to(contact))
				}
				p, inv := ring(w)
				if name == "of a sips phone" {
					w.ua.box.post(func() { w.ua.legs[1].out.req.Recipient.Scheme = "sips" })
				}
				if name == "the same again" { // it is followed once, for its host may
					p.reply(inv, 302, "a", lines...)
					p.request("ACK")
					inv = p.request("INVITE")
					w.heard("sent INVITE", "redirected "+phoneTarget, "sent INVITE")
				} else {
					w.heard("sent INVITE")
				}
				p.reply(inv, 302, "a", lines...)
				p.request("ACK")
				w.heard("refused 302")
				p.quiet()
			})
		})
	}
	t.Run("the domain's own names go to the registrar, and only once each", func(t *testing.T) {
		inWorld(t, Config{Account: Account{User: "panel", Domain: "house.example", Registrar: "192.0.2.2"}}, func(w *world) {
			proxy := w.peer(proxyAddr)
			p := w.peer(phoneAddr)
			w.ua.Invite(1, phoneTarget, []byte(testOffer))
			p.reply(p.request("INVITE"), 301, "a", "Contact: <sip:flat@house.example>")
			p.request("ACK")
			for {
				req := proxy.next().(*sip.Request)
				if req.Method == sip.INVITE {
					if req.Recipient.String() != "sip:flat@house.example" {
						t.Errorf("INVITE to %v", req.Recipient.String())
					}
					return
				}
			}
		})
	})
}

// What the INVITE tells of how long the phone may ring, in whole seconds.
func TestInviteExpires(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		_, inv := ringWith(w, testOffer)
		if h := inv.GetHeader("expires"); h == nil || h.Value() != "30" {
			t.Errorf("Expires: %v", h)
		}
	})
}
