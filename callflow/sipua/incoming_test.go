package sipua

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow"
)

// A caller is a peer who calls the panel.
type caller struct {
	*peer
	from, id string
	branch   int
}

func (w *world) caller(addr, from string) *caller {
	return &caller{peer: w.peer(addr), from: from, id: "call-of-" + addr}
}

func (c *caller) ask(method string, seq int, to string, lines ...string) {
	c.send(c.text(method, seq, to, lines...))
}

// text builds a request with a branch of its own, but for CANCEL.
func (c *caller) text(method string, seq int, to string, lines ...string) string {
	if method != "CANCEL" {
		c.branch++
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s sip:panel@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bKc%d;rport\r\n", method, panelAddr, c.addr, c.branch)
	fmt.Fprintf(&b, "From: <%s>;tag=them\r\nTo: <sip:panel@%s>%s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:caller@%s>\r\n",
		c.from, panelAddr, to, c.id, seq, method, c.addr)
	writeRest(&b, lines)
	return b.String()
}

const guard = "sip:guard@192.0.2.10"

func TestIncoming(t *testing.T) {
	cfg := Config{Allow: []string{guard}}
	t.Run("answered, a digit, hung up by us", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer", "Record-Route: <sip:192.0.2.10;lr>")
			c.response(180)
			w.heard("incoming " + guard + " sdp:offer")
			w.ua.Accept(101, []byte("answer"))
			ok := c.response(200)
			if string(ok.Body()) != "answer" || ok.Contact() == nil || ok.GetHeader("record-route") == nil {
				t.Errorf("200:\n%s", ok)
			}
			to := ";tag=" + tagOf(ok.To().Params)
			c.ask("ACK", 1, to)
			c.ask("INFO", 2, to, "body:application/dtmf-relay|Signal=5")
			c.response(200)
			w.heard("confirmed", "digit 5")
			w.ua.Bye(101)
			bye := c.request("BYE")
			if bye.Recipient.String() != "sip:caller@"+phoneAddr || len(bye.GetHeaders("route")) != 1 || tagOf(bye.To().Params) != "them" {
				t.Errorf("BYE:\n%s", bye)
			}
			c.reply(bye, 200, "")
			w.heard("sent BYE", "ended by us:true")
		})
	})
	t.Run("no offer: the answer is in the ACK", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "")
			c.response(180)
			w.ua.Accept(101, []byte("offer"))
			ok := c.response(200)
			c.ask("ACK", 1, ";tag="+tagOf(ok.To().Params), "sdp:answer")
			w.heard("incoming "+guard, "confirmed sdp:answer")
		})
	})
	t.Run("never acknowledged: 200 repeated, then BYE", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer")
			c.response(180)
			w.ua.Accept(101, []byte("answer"))
			for range 11 {
				c.response(200)
			}
			c.reply(c.request("BYE"), 200, "")
			w.heard("incoming "+guard+" sdp:offer", "sent BYE", "ended by us:true")
		})
	})
	t.Run("our BYE waits for the ACK", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer")
			c.response(180)
			w.ua.Accept(101, []byte("answer"))
			to := ";tag=" + tagOf(c.response(200).To().Params)
			w.ua.Bye(101)
			c.quiet()
			c.ask("ACK", 1, to)
			c.reply(c.request("BYE"), 200, "")
			w.heard("incoming "+guard+" sdp:offer", "sent BYE", "ended by us:true")
		})
	})
	t.Run("the caller gives up", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer")
			c.response(180)
			c.ask("CANCEL", 1, "")
			c.response(200)
			c.response(487)
			c.branch--
			c.ask("ACK", 1, "")
			w.heard("incoming "+guard+" sdp:offer", "ended by us:false")
			w.ua.Accept(101, []byte("late"))
			time.Sleep(40 * time.Second)
			c.quiet()
		})
	})
	t.Run("a CANCEL of somebody else", func(t *testing.T) {
		inWorld(t, Config{Allow: []string{guard, "sip:other@192.0.2.20"}}, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer")
			c.response(180)
			other := w.peer("192.0.2.20:5060")
			other.send(c.text("CANCEL", 1, ""))
			other.response(481)
			w.heard("incoming " + guard + " sdp:offer")
		})
	})
	t.Run("rejected", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer")
			c.response(180)
			w.ua.Reject(101, 486)
			c.response(486)
			w.heard("incoming " + guard + " sdp:offer")
		})
	})
}

func TestWhoIsLetIn(t *testing.T) {
	cfg := Config{
		Account: Account{User: "panel", Domain: "house.example", Registrar: "192.0.2.2"},
		Allow:   []string{guard, "sip:concierge@house.example"},
	}
	for name, c := range map[string]struct {
		addr, from string
		method     string
		want       int // 0: silence
	}{
		"allowed, from his own host":       {phoneAddr, guard, "INVITE", 180},
		"allowed, by the registrar":        {proxyAddr, "sip:concierge@house.example", "INVITE", 180},
		"another user of the same host":    {phoneAddr, "sip:visitor@192.0.2.10", "INVITE", 403},
		"an allowed name from elsewhere":   {"203.0.113.9:5060", guard, "INVITE", 0},
		"a name of the domain, not by it":  {phoneAddr, "sip:concierge@house.example", "INVITE", 403},
		"a stranger by the registrar":      {proxyAddr, "sip:stranger@house.example", "INVITE", 403},
		"a stranger":                       {"203.0.113.9:5060", "sip:x@203.0.113.9", "INVITE", 0},
		"OPTIONS of the registrar":         {proxyAddr, "sip:proxy@house.example", "OPTIONS", 200},
		"OPTIONS of a stranger":            {"203.0.113.9:5060", "sip:x@203.0.113.9", "OPTIONS", 0},
		"a method that we do not have":     {proxyAddr, "sip:concierge@house.example", "MESSAGE", 405},
		"a BYE that belongs to no dialog":  {proxyAddr, "sip:concierge@house.example", "BYE", 481},
		"a PUBLISH that we do not know of": {phoneAddr, guard, "PUBLISH", 405},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, cfg, func(w *world) {
				var p *peer
				who := w.caller(c.addr, c.from)
				p = who.peer
				if c.addr == proxyAddr { // the REGISTER is at the registrar, again
					p.grant(p.request("REGISTER"), 600)
					w.heard("registered 10m0s")
				}
				who.ask(c.method, 1, "", "sdp:offer")
				if c.want == 0 {
					p.quiet()
					return
				}
				p.response(c.want)
			})
		})
	}
}

// A caller cannot choose the name under which his wrong codes are counted.
func TestCallerHasOneName(t *testing.T) {
	for _, from := range []string{guard + ";x=1", guard + ":5070", "sips:guard@192.0.2.10", guard + ";user=phone"} {
		inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
			c := w.caller(phoneAddr, from)
			c.ask("INVITE", 1, "", "sdp:offer")
			c.response(180)
			w.heard("incoming " + guard + " sdp:offer")
		})
	}
}

func TestManyCallersAreBusy(t *testing.T) {
	inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
		c := w.caller(phoneAddr, guard)
		for i := range maxIncoming + 1 {
			c.id = fmt.Sprint("call", i)
			c.ask("INVITE", 1, "", "sdp:offer")
			if i < maxIncoming {
				c.response(180)
			}
		}
		c.response(486)
	})
}

// A flood of one kind of request keeps no other out, and is forgotten.
func TestFloodInsideTheRules(t *testing.T) {
	inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
		p, k, _ := answered(w)
		c := w.caller("192.0.2.10:6000", guard)
		for range 20 {
			for range 50 {
				c.ask("OPTIONS", 1, "")
				c.ask("MESSAGE", 1, "")
			}
			time.Sleep(time.Second)
		}
		if n := len(w.ua.servers); n > maxIncoming {
			t.Errorf("%d requests are remembered", n)
		}
		k.ask("BYE")
		p.response(200)
		w.heard("ended by us:false")
		for range 2 * maxServers { // INVITE and CANCEL, without end
			c.id += "x"
			c.ask("INVITE", 1, "", "sdp:offer")
			c.ask("CANCEL", 1, "")
			time.Sleep(20 * time.Millisecond)
		}
		synctest.Wait()
		if n := len(w.ua.servers); n > maxServers {
			t.Errorf("%d requests are remembered", n)
		}
	})
}

func TestMalformed(t *testing.T) {
	inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
		c := w.caller(phoneAddr, guard)
		good := c.text("INVITE", 1, "", "sdp:offer")
		for name, edit := range map[string][2]string{
			"CSeq of another method": {"1 INVITE\r\nContact", "1 BYE\r\nContact"},
			"no tag but a semicolon": {";tag=them", ";"},
			"two From":               {"Call-ID:", "From: <sip:x@y>;tag=2\r\nCall-ID:"},
		} {
			bad := strings.Replace(good, edit[0], edit[1], 1)
			if bad == good {
				t.Fatalf("%s changed nothing", name)
			}
			c.send(bad)
			c.response(400)
		}
		w.heard()
	})
}

func TestPanicCostsOneMessage(t *testing.T) {
	panics := true
	inWorld(t, Config{Allow: []string{guard}, NewLeg: func() callflow.LegID {
		if panics {
			panics = false
			panic("in the middle of it")
		}
		return 7
	}}, func(w *world) {
		c := w.caller(phoneAddr, guard)
		c.ask("INVITE", 1, "", "sdp:offer")
		synctest.Wait()
		c.id = "another"
		c.ask("INVITE", 1, "", "sdp:offer")
		c.response(180)
		w.heard("incoming " + guard + " sdp:offer")
	})
}
