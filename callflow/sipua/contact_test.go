package sipua

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// seenAt makes a reply tell the panel where its request came from.
func seenAt(req *sip.Request, params string) *sip.Request {
	again := req.Clone()
	via := again.Via()
	via.Params = via.Params.Clone()
	via.Params.Remove("rport")
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(p, "=")
		via.Params.Add(k, v)
	}
	return again
}

func contactsOf(req *sip.Request) string {
	var all []string
	for _, h := range req.GetHeaders("contact") {
		all = append(all, h.Value())
	}
	return strings.Join(all, " ")
}

// The registrar says at what address it sees the panel; the panel registers that
// one, and the next one when the translation changes.
func TestContactFollowsWhatTheRegistrarSees(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		req := reg.request("REGISTER")
		reg.grant(seenAt(req, "received=198.51.100.7;rport=40000"), 60)
		req = reg.request("REGISTER")
		if got, want := contactsOf(req), "<sip:panel@198.51.100.7:40000> <sip:panel@192.0.2.1:5060>;expires=0"; got != want {
			t.Errorf("contacts %s, want %s", got, want)
		}
		reg.grant(seenAt(req, "received=198.51.100.7;rport=40000"), 60)
		w.heard("registered 1m0s", "registered 1m0s")
		reg.quiet()

		req = reg.request("REGISTER") // the refresh comes from another port
		reg.grant(seenAt(req, "received=198.51.100.7;rport=40001"), 60)
		req = reg.request("REGISTER")
		if got, want := contactsOf(req), "<sip:panel@198.51.100.7:40001> <sip:panel@198.51.100.7:40000>;expires=0"; got != want {
			t.Errorf("contacts %s, want %s", got, want)
		}
		reg.grant(seenAt(req, "received=198.51.100.7;rport=40001"), 600)
		w.heard("registered 1m0s", "registered 10m0s")

		w.ua.Invite(1, "sip:flat@house.example", nil)
		if got := contactsOf(reg.request("INVITE")); got != "<sip:panel@198.51.100.7:40001>" {
			t.Errorf("a call's contact is %s", got)
		}
	})
}

// A translation that changes with every request costs no storm.
func TestRestlessTranslation(t *testing.T) {
	inRegistered(t, Config{}, func(w *world, reg *peer) {
		began, asked := time.Now(), 0
		for port := '0'; time.Since(began) < time.Minute; port++ {
			asked++
			reg.grant(seenAt(reg.request("REGISTER"), "received=198.51.100.7;rport=4000"+string('0'+port%10)), 600)
		}
		if asked > 15 {
			t.Errorf("%d requests in a minute", asked)
		}
	})
}

func TestSeenIn(t *testing.T) {
	own := netip.MustParseAddrPort("192.0.2.1:5060")
	for via, want := range map[string]string{
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=4000;received=198.51.100.7":     "198.51.100.7:4000",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=4000":                           "192.0.2.1:4000",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=4000;received=[2001:db8::1]":    "[2001:db8::1]:4000",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=4000;received=::ffff:192.0.2.9": "192.0.2.9:4000",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport":                                "",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=0":                              "",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=70000":                          "",
		"SIP/2.0/UDP 192.0.2.1;branch=x;rport=5060;received=phones.example":   "",
		"SIP/2.0/UDP 192.0.2.1;branch=x":                                      "",
	} {
		m, err := sip.NewParser().ParseSIP([]byte("SIP/2.0 200 OK\r\nVia: " + via + "\r\nContent-Length: 0\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		at, ok := seenIn(m.(*sip.Response), own)
		if got := at.String(); ok != (want != "") || ok && got != want {
			t.Errorf("%s: %v %v, want %s", via, at, ok, want)
		}
	}
}

const instance = "urn:uuid:00000000-0000-4000-8000-00a0b0c0d0e0"

func withInstance() Config {
	a := lineAccount()
	a.Instance = instance
	return Config{Account: a}
}

func TestInstanceAndFlow(t *testing.T) {
	inRegistered(t, withInstance(), func(w *world, reg *peer) {
		req := reg.request("REGISTER")
		if got, want := contactsOf(req), `<sip:panel@192.0.2.1:5060;ob>;+sip.instance="<`+instance+`>";reg-id=1`; got != want {
			t.Errorf("contact %s, want %s", got, want)
		}
		if got := req.GetHeader("supported").Value(); got != "path, gruu, outbound" {
			t.Errorf("Supported: %s", got)
		}
		reg.reply(req, 200, "a", "Require: outbound", "Expires: 600",
			`Contact: <sip:panel@192.0.2.1:5060;ob>;pub-gruu="sip:panel@house.example;gr=urn:x";temp-gruu="sip:t@house.example;gr";expires=600`)
		w.heard("registered 10m0s")
		if got := w.raw[0].(Registered).GRUU; got != "sip:panel@house.example;gr=urn:x" {
			t.Errorf("GRUU %q", got)
		}
		w.ua.SetPublic(netip.MustParseAddrPort("198.51.100.7:40000"))
		req = reg.request("REGISTER") // the registrar replaces the flow's contact by itself (RFC 5626 section 6)
		if n := len(req.GetHeaders("contact")); n != 1 {
			t.Errorf("%d contacts: %s", n, contactsOf(req))
		}
	})
}

func TestFirstHopLacksOutbound(t *testing.T) {
	inRegistered(t, withInstance(), func(w *world, reg *peer) {
		reg.reply(reg.request("REGISTER"), 439, "a")
		req := reg.request("REGISTER")
		if got, want := contactsOf(req), `<sip:panel@192.0.2.1:5060>;+sip.instance="<`+instance+`>"`; got != want {
			t.Errorf("contact %s, want %s", got, want)
		}
		reg.grant(req, 600)
		w.heard("registered 10m0s")
	})
}

func TestServiceRoute(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  string
	}{
		"kept, in order":   {[]string{"Service-Route: <sip:edge.house.example;lr>,<sip:home.house.example;lr>", "Service-Route: <sip:last.house.example;lr>"}, "sip:edge.house.example;lr sip:home.house.example;lr sip:last.house.example;lr"},
		"what is no route": {[]string{"Service-Route: sip:edge, <mailto:x>, <>, <sip:good.house.example;lr>"}, "sip:good.house.example;lr"},
		"none":             {nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			inRegistered(t, Config{}, func(w *world, reg *peer) {
				reg.reply(reg.request("REGISTER"), 200, "a", append(c.lines, "Expires: 600")...)
				w.heard("registered 10m0s")
				w.ua.Invite(1, "sip:flat@house.example", nil)
				var got []string
				for _, h := range reg.request("INVITE").GetHeaders("route") {
					got = append(got, h.(*sip.RouteHeader).Address.String())
				}
				if g := strings.Join(got, " "); g != c.want {
					t.Errorf("Route: %s, want %s", g, c.want)
				}
			})
		})
	}
}

// Where a SIPS URI is asked for, our Contact is one too.
func TestContactIsSecureWhereTheDialogIs(t *testing.T) {
	const header = "Via: SIP/2.0/TLS 192.0.2.9;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\nMax-Forwards: 70\r\n"
	for name, c := range map[string]struct {
		uri, fields  string
		asked, comes bool
	}{
		"sip":                       {"sip:a@b", "Contact: <sip:a@b>\r\n", false, false},
		"sips":                      {"sips:a@b", "Contact: <sip:a@b>\r\n", true, true},
		"route is sips":             {"sip:a@b", "Route: <sips:p;lr>\r\n", true, false},
		"second route is sips":      {"sip:a@b", "Route: <sip:p;lr>\r\nRoute: <sips:q;lr>\r\n", false, false},
		"recorded route is sips":    {"sip:a@b", "Record-Route: <sips:p;lr>\r\nContact: <sip:a@b>\r\n", false, true},
		"recorded route is sip":     {"sip:a@b", "Record-Route: <sip:p;lr>\r\nContact: <sips:a@b>\r\n", false, false},
		"contact is sips, no route": {"sip:a@b", "Contact: <sips:a@b>\r\n", false, true},
	} {
		m, err := sip.ParseMessage([]byte("INVITE " + c.uri + " SIP/2.0\r\n" + header + c.fields + "Content-Length: 0\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		req := m.(*sip.Request)
		if asked, comes := asksSecurely(req), cameSecurely(req); asked != c.asked || comes != c.comes {
			t.Errorf("%s: as our request %t, as theirs %t; want %t, %t", name, asked, comes, c.asked, c.comes)
		}
	}
}
