package sipua

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ownGRUU is what the registrar of these tests calls the panel.
const ownGRUU = "sip:panel@house.example;gr=" + instance

func withGRUU() Config {
	cfg := withInstance()
	cfg.Account.GRUU = true
	cfg.Allow = []string{"sip:guard@house.example"}
	return cfg
}

// name grants a registration, and a name with it.
func (p *peer) name(req *sip.Request, seconds int, name string) {
	own := req.GetHeaders("contact")[0].(*sip.ContactHeader)
	p.reply(req, 200, "reg", fmt.Sprintf("Contact: <%s>;pub-gruu=%q;expires=%d", own.Address.String(), name, seconds))
}

// inNamed runs story with a panel that has a name.
func inNamed(t *testing.T, cfg Config, story func(w *world, reg *peer)) {
	t.Helper()
	inRegistered(t, cfg, func(w *world, reg *peer) {
		reg.name(reg.request("REGISTER"), 3600, ownGRUU)
		w.heard("registered 1h0m0s")
		story(w, reg)
	})
}

func wantContact(t *testing.T, m sip.Message, want string) {
	t.Helper()
	var all []string
	for _, h := range m.GetHeaders("contact") {
		all = append(all, h.Value())
	}
	if got := strings.Join(all, ", "); got != "<"+want+">" {
		t.Errorf("Contact: %s, want <%s> in\n%s", got, want, m)
	}
}

const (
	atAddress = "sip:panel@" + panelAddr
	recorded  = "Record-Route: <sip:" + proxyAddr + ";lr>"
)

// A call by the server has our name in it; what is sent to the name is ours.
func TestGRUUInACallOfOurs(t *testing.T) {
	inNamed(t, withGRUU(), func(w *world, reg *peer) {
		w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
		inv := reg.request("INVITE")
		wantContact(t, inv, ownGRUU)
		reg.reply(inv, 200, "a", recorded, phoneContact(), weRefresh, "Allow: INVITE, UPDATE", "sdp:answer")
		reg.request("ACK")
		w.heard("sent INVITE", "sent ACK", "answered a sdp:answer")

		k := reg.talk(inv, "a")
		if k.uri != ownGRUU {
			t.Fatalf("the phone calls us %s", k.uri)
		}
		time.Sleep(15 * time.Minute)
		update := reg.request("UPDATE")
		wantContact(t, update, ownGRUU)
		reg.reply(update, 200, "a", phoneContact(), weRefresh)
		k.ask("INVITE", "sdp:theirs", phoneContact())
		w.lastOffer().Answer([]byte("ours"), 200)
		wantContact(t, reg.response(200), ownGRUU)
		k.askAs("ACK", k.seq)
		k.ask("INFO", "body:application/dtmf-relay|Signal=5")
		reg.response(200)

		k.ask("BYE")
		reg.response(200)
		w.heard("offered sdp:theirs", "digit 5", "ended by us:false")
	})
}

func TestGRUUInACallOfOthers(t *testing.T) {
	inNamed(t, withGRUU(), func(w *world, reg *peer) {
		c := &caller{peer: reg, from: "sip:guard@house.example", id: "one"}
		ask := func(method string, seq int, to string, lines ...string) {
			text := c.text(method, seq, to, lines...)
			c.send(strings.Replace(text, atAddress, ownGRUU, 1))
		}
		ask("INVITE", 1, "", "sdp:offer", recorded)
		wantContact(t, c.response(180), ownGRUU)
		w.ua.Accept(101, []byte("answer"))
		ok := c.response(200)
		wantContact(t, ok, ownGRUU)
		to := ";tag=" + tagOf(ok.To().Params)
		ask("ACK", 1, to)
		ask("BYE", 2, to)
		c.response(200)
		w.heard("incoming sip:guard@house.example sdp:offer", "confirmed", "ended by us:false")
	})
}

// What is registered stays the address, or the name would lead to itself.
func TestGRUUIsNotRegistered(t *testing.T) {
	inRegistered(t, withGRUU(), func(w *world, reg *peer) {
		for range 3 {
			req := reg.request("REGISTER")
			if got := req.GetHeader("supported").Value(); got != "path, gruu, outbound" {
				t.Errorf("Supported: %s", got)
			}
			if got, want := contactsOf(req), `<`+atAddress+`;ob>;+sip.instance="<`+instance+`>";reg-id=1`; got != want {
				t.Errorf("contact %s, want %s", got, want)
			}
			reg.name(req, 60, ownGRUU)
		}
	})
}

// Our address stands in a call that the name does not lead to.
func TestOwnAddressInsteadOfTheGRUU(t *testing.T) {
	byServer := Invitation{Target: "sip:flat@house.example"}
	for name, c := range map[string]struct {
		off   bool
		given string
		lost  bool
		ring  Invitation
		at    string
	}{
		"not wanted":           {off: true, given: ownGRUU, ring: byServer, at: proxyAddr},
		"not given":            {ring: byServer, at: proxyAddr},
		"registration lost":    {given: ownGRUU, lost: true, ring: byServer, at: proxyAddr},
		"straight to a phone":  {given: ownGRUU, ring: Invitation{Target: phoneTarget}, at: phoneAddr},
		"a phone's last hope":  {given: ownGRUU, ring: Invitation{Target: phoneTarget, Direct: true}, at: phoneAddr},
		"a name of all panels": {given: "sip:panel@house.example", ring: byServer, at: proxyAddr},
		"a SIPS name":          {given: "sips" + strings.TrimPrefix(ownGRUU, "sip"), ring: byServer, at: proxyAddr},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := withGRUU()
			cfg.Account.GRUU = !c.off
			inRegistered(t, cfg, func(w *world, reg *peer) {
				reg.name(reg.request("REGISTER"), 60, c.given)
				w.heard("registered 1m0s")
				if c.lost {
					reg.reply(reg.request("REGISTER"), 403, "reg")
					w.heard("unregistered 403")
				}
				far := reg
				if c.at != proxyAddr {
					far = w.peer(c.at)
				}
				w.ua.Ring(1, c.ring)
				wantContact(t, far.request("INVITE"), atAddress)
			})
		})
	}
}

// The name is lost in the middle of a call: the next refresh tells our address.
func TestGRUULostInACall(t *testing.T) {
	inRegistered(t, withGRUU(), func(w *world, reg *peer) {
		reg.name(reg.request("REGISTER"), 60, ownGRUU)
		w.heard("registered 1m0s")
		w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
		inv := reg.request("INVITE")
		wantContact(t, inv, ownGRUU)
		reg.reply(inv, 200, "a", recorded, phoneContact(), "Session-Expires: 120;refresher=uac", "Allow: UPDATE", "sdp:answer")
		reg.request("ACK")
		reg.reply(reg.request("REGISTER"), 403, "reg")
		wantContact(t, reg.request("UPDATE"), atAddress)
	})
}

// Another server of the account gets the call before it has registered us.
func TestGRUUOfAnotherServer(t *testing.T) {
	cfg := withGRUU()
	cfg.Account.Servers = []string{"192.0.2.3"}
	inWorld(t, cfg, func(w *world) {
		first, second := w.peer(proxyAddr), w.peer(secondAddr)
		first.name(first.request("REGISTER"), 3600, ownGRUU)
		w.heard("registered 1h0m0s")
		w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
		wantContact(t, first.request("INVITE"), ownGRUU)
		inv := second.request("INVITE")
		wantContact(t, inv, atAddress)
	})
}

// A request to the name may come by any server that knows it; one to our address
// comes the way that it went.
func TestGRUULeadsByAnyServer(t *testing.T) {
	for wanted, status := range map[bool]int{true: 200, false: 481} {
		t.Run(fmt.Sprintf("%t", wanted), func(t *testing.T) {
			cfg := withGRUU()
			cfg.Account.Servers, cfg.Account.GRUU = []string{"192.0.2.3"}, wanted
			inNamed(t, cfg, func(w *world, reg *peer) {
				w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
				inv := reg.request("INVITE")
				reg.reply(inv, 200, "a", recorded, phoneContact(), "sdp:answer")
				reg.request("ACK")
				second := w.peer(secondAddr)
				second.talk(inv, "a").ask("BYE")
				second.response(status)
			})
		})
	}
}

func TestReadName(t *testing.T) {
	for name, want := range map[string]bool{
		ownGRUU:                              true,
		"sips:panel@house.example:5061;gr=a": true,
		"sip:panel@house.example;transport=tcp;gr=urn:uuid:0": true,
		"":                                  false,
		"sip:panel@house.example":           false,
		"sip:panel@house.example;gr":        false,
		"sip:panel@;gr=a":                   false,
		"tel:+49301;gr=a":                   false,
		"sip:panel@house.example;gr=a?to=b": false,
		"sip:panel@house.example;gr=a>,<sip:x@y;gr=b": false,
		"sip:panel@house.example;gr=a\r\nX: y":        false,
		`sip:panel@house.example;gr=\"`:               false,
	} {
		uri, ok := readName(name)
		if ok != want || ok && uri.String() != name {
			t.Errorf("%q: %t, %s", name, ok, uri.String())
		}
	}
}
