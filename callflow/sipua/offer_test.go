package sipua

import (
	"strings"
	"testing"
	"time"
)

// An UPDATE of an early dialog may offer once a reliable response has answered
// our own offer (RFC 3311 section 5.1).
func TestEarlyUpdate(t *testing.T) {
	reliable := []string{"Require: 100rel", "RSeq: 1", phoneContact(), "sdp:early"}
	t.Run("after a reliable answer", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 183, "a", reliable...)
			p.reply(p.request("PRACK"), 200, "a")
			k := p.talk(inv, "a")
			k.ask("UPDATE", "sdp:more", phoneContact())
			w.lastOffer().Answer([]byte("ours"), 200)
			if res := p.response(200); string(res.Body()) != "ours" {
				t.Errorf("200:\n%s", res)
			}
			if o := w.lastOffer(); o.Fork != "a" {
				t.Errorf("offered by fork %q", o.Fork)
			}
			p.reply(inv, 200, "a", phoneContact())
			p.request("ACK")
			w.heard("sent INVITE", "progress 183 a sdp:early", "offered sdp:more", "sent ACK", "answered a")
		})
	})
	t.Run("before any answer: 491", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 183, "a", phoneContact(), "sdp:early") // unreliable, and so no answer
			p.talk(inv, "a").ask("UPDATE", "sdp:more", phoneContact())
			p.response(491)
			w.heard("sent INVITE", "progress 183 a sdp:early")
		})
	})
	t.Run("a re-INVITE has to wait for the answer of the call: 481", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 183, "a", reliable...)
			p.reply(p.request("PRACK"), 200, "a")
			p.talk(inv, "a").ask("INVITE", "sdp:more", phoneContact())
			p.response(481)
			w.heard("sent INVITE", "progress 183 a sdp:early")
		})
	})
	t.Run("of a caller, before our answer: 500 with Retry-After", func(t *testing.T) {
		inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "sdp:offer")
			to := ";tag=" + tagOf(c.response(180).To().Params)
			for i, method := range []string{"UPDATE", "INVITE"} {
				c.ask(method, 2+i, to, "sdp:another")
				if c.response(500).GetHeader("retry-after") == nil {
					t.Error("no Retry-After")
				}
			}
			w.heard("incoming " + guard + " sdp:offer")
		})
	})
}

// Hold, resume, another address: every offer reaches whoever answers, in order,
// and the next request goes to the latest Contact.
func TestHoldAndResume(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, k, _ := answered(w)
		for _, sdp := range []string{"hold", "resume", "moved"} {
			k.ask("INVITE", "sdp:"+sdp, "Contact: <sip:"+sdp+"@"+phoneAddr+">")
			w.heard("offered sdp:" + sdp)
			w.lastOffer().Answer([]byte("to "+sdp), 200)
			if res := p.response(200); string(res.Body()) != "to "+sdp {
				t.Errorf("200:\n%s", res)
			}
			k.askAs("ACK", k.seq)
		}
		w.ua.Bye(1)
		if bye := p.request("BYE"); bye.Recipient.User != "moved" {
			t.Errorf("BYE goes to %v", bye.Recipient)
		}
	})
}

// A refused offer leaves the session as it was (RFC 3261 section 14.1).
func TestRefusedOfferChangesNothing(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, k := answeredWith(w, weRefresh)
		k.ask("INVITE", "sdp:strange", "Contact: <sip:elsewhere@"+phoneAddr+">")
		w.lastOffer().Answer(nil, 488)
		p.response(488)
		p.send(strings.Replace(k.text("ACK", k.seq), "ACK;rport", "INVITE;rport", 1)) // of its own transaction
		time.Sleep(15 * time.Minute)
		re := p.request("INVITE")
		if string(re.Body()) != testOffer || re.Recipient.User != "phone" {
			t.Errorf("the session is now\n%s", re)
		}
	})
}

func TestReplacesIsRefused(t *testing.T) {
	for name, c := range map[string]struct {
		lines []string
		want  int
	}{
		"demanded": {[]string{"Require: replaces", "Replaces: x;to-tag=a;from-tag=b"}, 420},
		"asked":    {[]string{"Replaces: x;to-tag=a;from-tag=b"}, 481},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
				_, k, _ := answered(w)
				c2 := &caller{peer: k.p, from: guard, id: "replacing"}
				c2.ask("INVITE", 1, "", append(c.lines, "sdp:offer")...)
				c2.response(c.want)
				w.heard()
			})
		})
	}
}

func TestOptions(t *testing.T) {
	inWorld(t, Config{Allow: []string{guard}}, func(w *world) {
		c := w.caller(phoneAddr, guard)
		c.ask("OPTIONS", 1, "", "Accept: application/sdp")
		res := c.response(200)
		for field, word := range map[string]string{"allow": "UPDATE", "accept": "application/sdp", "supported": "timer"} {
			if !lists(res, field, word) {
				t.Errorf("%s of our 200 does not list %s:\n%s", field, word, res)
			}
		}
	})
}
