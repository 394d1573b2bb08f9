package sipua

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

// ring makes a call to the phone, as leg 1.
func ring(w *world) (*peer, *sip.Request) {
	p := w.peer(phoneAddr)
	w.ua.Invite(1, phoneTarget, []byte(testOffer))
	return p, p.request("INVITE")
}

// answered makes an answered call.
func answered(w *world) (*peer, *talk, *sip.Request) {
	p, inv := ring(w)
	p.reply(inv, 200, "a", phoneContact(), "sdp:answer")
	p.request("ACK")
	w.heard("sent INVITE", "sent ACK", "answered a sdp:answer")
	return p, p.talk(inv, "a"), inv
}

func TestResponsesInOneBurst(t *testing.T) {
	reliably := func(n string) []string { return []string{"Require: 100rel", "RSeq: " + n, phoneContact()} }
	type reply struct {
		status int
		tag    string
		lines  []string
	}
	for name, c := range map[string]struct {
		burst []reply
		want  []string
	}{
		"183 with SDP, then 200 without": {
			[]reply{{183, "a", []string{"sdp:early"}}, {200, "a", nil}},
			[]string{"progress 183 a sdp:early", "sent ACK", "answered a"},
		},
		"180 and 200": {
			[]reply{{180, "a", nil}, {200, "a", []string{"sdp:answer"}}},
			[]string{"progress 180 a", "sent ACK", "answered a sdp:answer"},
		},
		"183 with SDP, 180 without: the SDP stays": {
			[]reply{{183, "a", []string{"sdp:early"}}, {180, "a", nil}},
			[]string{"progress 183 a sdp:early", "progress 180 a sdp:early"},
		},
		"180, then 183 with SDP": {
			[]reply{{100, "", nil}, {180, "a", nil}, {183, "a", []string{"sdp:early"}}},
			[]string{"progress 180 a", "progress 183 a sdp:early"},
		},
		"two forks ring, each with its own SDP": {
			[]reply{{183, "a", []string{"sdp:1"}}, {183, "b", []string{"sdp:2"}}, {180, "a", nil}},
			[]string{"progress 183 a sdp:1", "progress 183 b sdp:2", "progress 180 a sdp:1"},
		},
		"two reliable ones, and a 200 without SDP": {
			[]reply{{183, "a", append(reliably("5"), "sdp:early")}, {180, "a", reliably("6")}, {200, "a", nil}},
			[]string{"progress 183 a sdp:early", "progress 180 a sdp:early", "sent ACK", "answered a"},
		},
		"reliable ones out of order": {
			[]reply{{183, "a", reliably("1")}, {180, "a", reliably("3")}, {183, "a", append(reliably("2"), "sdp:early")}},
			[]string{"progress 183 a", "progress 183 a sdp:early", "progress 180 a sdp:early"},
		},
		"486": {[]reply{{486, "a", nil}}, []string{"refused 486"}},
		"480": {[]reply{{180, "a", nil}, {480, "a", nil}}, []string{"progress 180 a", "refused 480"}},
		"603": {[]reply{{603, "a", nil}}, []string{"refused 603"}},
		"404": {[]reply{{404, "a", nil}}, []string{"refused 404"}},
		"a challenge of a phone is a refusal": {
			[]reply{{401, "a", []string{`WWW-Authenticate: Digest realm="x", nonce="n"`}}}, []string{"refused 401"},
		},
		"twelve 180s, then 200": {
			[]reply{
				{180, "a", nil}, {180, "a", nil}, {180, "a", nil}, {180, "a", nil}, {180, "a", nil}, {180, "a", nil},
				{180, "a", nil}, {180, "a", nil}, {180, "a", nil}, {180, "a", nil}, {180, "a", nil}, {180, "a", nil},
				{200, "a", []string{"sdp:answer"}},
			},
			append(strings.Split(strings.Repeat("progress 180 a,", 12)[:12*15-1], ","), "sent ACK", "answered a sdp:answer"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(w *world) {
				p, inv := ring(w)
				for _, r := range c.burst {
					p.reply(inv, r.status, r.tag, append(r.lines, phoneContact())...)
				}
				w.heard(append([]string{"sent INVITE"}, c.want...)...)
			})
		})
	}
}

// A phone that answers without end, each time as another fork or with another
// reliable response, costs a bounded number of dialogs and requests of ours.
func TestEndlessForksAreBounded(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, inv := ring(w)
		for i := range 5 * maxForks {
			p.reply(inv, 180, fmt.Sprint("early", i), phoneContact())
			p.reply(inv, 183, "early1", phoneContact(), "Require: 100rel", fmt.Sprint("RSeq: ", i+1))
			time.Sleep(20 * time.Millisecond)
		}
		w.ua.box.post(func() {
			for _, c := range w.ua.calls {
				if n := len(c.dialogs); n != maxForks {
					t.Errorf("%d dialogs of one INVITE, want %d", n, maxForks)
				}
				if n := len(c.dialogs["early1"].rel.taken); n != maxReliable {
					t.Errorf("%d reliable responses taken, want %d", n, maxReliable)
				}
			}
		})
		synctest.Wait()
	})
}

func TestSilenceIs408(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		ring(w)
		w.heard("sent INVITE")
		time.Sleep(33 * time.Second)
		w.heard("refused 408")
	})
}

func TestPrackCarriesRAckInOrder(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, inv := ring(w)
		for _, h := range inv.GetHeaders("require") {
			t.Errorf("we demand %v", h)
		}
		if h := inv.GetHeader("supported"); h == nil || h.Value() != "100rel, timer" {
			t.Errorf("supported: %v", h)
		}
		p.reply(inv, 183, "a", phoneContact(), "Require: 100rel", "RSeq: 41", "sdp:early")
		p.reply(inv, 180, "a", phoneContact(), "Require: 100rel", "RSeq: 42")
		p.reply(inv, 183, "a", phoneContact(), "Require: 100rel", "RSeq: 41", "sdp:early")
		for i, want := range []string{"41 1 INVITE", "42 1 INVITE"} {
			pr := p.request("PRACK")
			if got := pr.GetHeader("rack").Value(); got != want || int(pr.CSeq().SeqNo) != 2+i {
				t.Errorf("RAck %q, CSeq %d; want %q, %d", got, pr.CSeq().SeqNo, want, 2+i)
			}
			p.reply(pr, 200, "a")
		}
		p.quiet()
		p.reply(inv, 200, "a", phoneContact())
		if ack := p.request("ACK"); ack.CSeq().SeqNo != 1 {
			t.Errorf("ACK has number %d, the INVITE 1", ack.CSeq().SeqNo)
		}
		w.ua.Bye(1)
		if bye := p.request("BYE"); bye.CSeq().SeqNo != 4 {
			t.Errorf("BYE has number %d, want 4", bye.CSeq().SeqNo)
		}
	})
}

func TestForkedAnswers(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, inv := ring(w)
		p.reply(inv, 200, "a", phoneContact(), "sdp:1")
		p.reply(inv, 200, "b", phoneContact(), "sdp:2")
		p.reply(inv, 200, "a", phoneContact(), "sdp:1") // again
		got := map[string]int{}
		for range 4 {
			req := p.next().(*sip.Request)
			got[string(req.Method)+" "+tagOf(req.To().Params)]++
			if req.Method == sip.BYE {
				p.reply(req, 481, "")
			}
		}
		if got["ACK a"] != 2 || got["ACK b"] != 1 || got["BYE b"] != 1 {
			t.Errorf("the panel sent %v", got)
		}
		w.heard("sent INVITE", "sent ACK", "answered a sdp:1", "sent ACK")
	})
}

func TestCancel(t *testing.T) {
	t.Run("follows the INVITE, after a provisional response", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 180, "a", "Record-Route: <sip:198.51.100.9;lr>", phoneContact())
			synctest.Wait()
			w.ua.Cancel(1)
			can := p.request("CANCEL")
			for _, f := range []string{"via", "from", "to", "call-id"} {
				if a, b := can.GetHeader(f).Value(), inv.GetHeader(f).Value(); a != b {
					t.Errorf("%s is %q, of the INVITE %q", f, a, b)
				}
			}
			if can.Recipient.String() != inv.Recipient.String() || can.CSeq().SeqNo != inv.CSeq().SeqNo {
				t.Errorf("CANCEL does not follow:\n%s", can)
			}
			p.reply(can, 200, "a")
			p.reply(inv, 487, "a")
			p.request("ACK")
			w.heard("sent INVITE", "progress 180 a", "sent CANCEL", "refused 487")
		})
	})
	t.Run("waits for a provisional response, the leg does not", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			w.ua.Cancel(1)
			w.heard("sent INVITE", "refused 487")
			p.quiet()
			p.reply(inv, 180, "a", phoneContact())
			p.reply(p.request("CANCEL"), 200, "a")
			p.reply(inv, 487, "a")
			p.request("ACK")
			w.heard()
		})
	})
	t.Run("crossed by a 200: ACK, BYE", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 180, "a", phoneContact())
			synctest.Wait()
			w.ua.Cancel(1)
			can := p.request("CANCEL")
			p.reply(inv, 200, "a", phoneContact(), "sdp:answer")
			p.reply(can, 481, "a")
			p.request("ACK")
			p.reply(p.request("BYE"), 200, "a")
			w.heard("sent INVITE", "progress 180 a", "sent CANCEL", "refused 487")
		})
	})
	t.Run("a late 200 to a leg that is over: ACK, BYE, no event", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			w.ua.Cancel(1)
			w.heard("sent INVITE", "refused 487")
			p.reply(inv, 200, "a", phoneContact(), "sdp:answer")
			p.request("ACK")
			p.reply(p.request("BYE"), 200, "a")
			w.heard()
		})
	})
	t.Run("never answered", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 180, "a", phoneContact())
			synctest.Wait()
			w.ua.Cancel(1)
			w.heard("sent INVITE", "progress 180 a", "sent CANCEL")
			time.Sleep(33 * time.Second)
			w.heard("refused 487")
		})
	})
}

func TestByeInAllItsEndings(t *testing.T) {
	for _, status := range []int{200, 401, 407, 408, 481, 500} {
		t.Run(reasonOf(status), func(t *testing.T) {
			inWorld(t, Config{}, func(w *world) {
				p, _, _ := answered(w)
				w.ua.Bye(1)
				p.reply(p.request("BYE"), status, "a")
				w.heard("sent BYE", "ended by us:true")
				p.quiet()
			})
		})
	}
	t.Run("no answer at all", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			answered(w)
			w.ua.Bye(1)
			w.ua.Bye(1)
			time.Sleep(33 * time.Second)
			w.heard("sent BYE", "ended by us:true")
		})
	})
	t.Run("theirs", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			n := k.ask("BYE")
			p.response(200)
			k.askAs("BYE", n) // again
			p.response(200)
			w.heard("ended by us:false")
			w.ua.Bye(1)
			p.quiet()
		})
	})
	t.Run("both at once", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			w.ua.Bye(1)
			bye := p.request("BYE")
			k.ask("BYE")
			p.response(200)
			p.reply(bye, 481, "a")
			w.heard("sent BYE", "ended by us:true")
		})
	})
}

func TestLongDescriptionsGoOverUDP(t *testing.T) {
	inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
		long := strings.Repeat("a=x\r\n", 1000)
		p := w.peer(phoneAddr)
		w.ua.Invite(1, phoneTarget, []byte(long))
		if inv := p.request("INVITE"); string(inv.Body()) != long {
			t.Errorf("%d bytes of %d arrived", len(inv.Body()), len(long))
		}
		c := &caller{peer: p, from: guard, id: "in"}
		c.ask("INVITE", 1, "", "sdp:offer")
		c.response(180)
		w.ua.Accept(101, []byte(long))
		if ok := c.response(200); string(ok.Body()) != long {
			t.Errorf("%d bytes of %d arrived", len(ok.Body()), len(long))
		}
	})
}
