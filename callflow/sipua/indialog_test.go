package sipua

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestInfoDigits(t *testing.T) {
	relay := func(s string) string { return "body:application/dtmf-relay|Signal=" + s + "\r\nDuration=160" }
	t.Run("a burst, out of order, with one lost and sent again", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			for _, n := range []int{102, 101, 103, 104, 104, 106, 105} {
				k.askAs("INFO", n, relay(fmt.Sprint(n-100)))
			}
			for range 6 {
				p.response(200)
			}
			w.heard("digit 1", "digit 2", "digit 3", "digit 4", "digit 5", "digit 6")
		})
	})
	t.Run("a gap that stays does not stop the row", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			k.askAs("INFO", 101, relay("1"))
			p.response(200)
			k.askAs("INFO", 109, relay("9"))
			p.response(200)
			w.heard("digit 1", "digit 9")
			k.askAs("INFO", 105, relay("5"))
			p.response(500)
			w.heard()
		})
	})
	t.Run("later ones, out of order", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			for _, n := range []int{101, 103, 102} {
				k.askAs("INFO", n, relay(fmt.Sprint(n-100)))
				if n == 101 {
					p.response(200)
				}
			}
			w.heard("digit 1", "digit 2", "digit 3")
		})
	})
	t.Run("one that waits for its turn while the answer comes is none", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 180, "a", phoneContact())
			k := p.talk(inv, "a")
			k.ask("INFO", relay("5")) // held, for one before it may be on its way
			time.Sleep(gapWait / 2)
			p.reply(inv, 200, "a", phoneContact(), "sdp:answer")
			p.request("ACK")
			time.Sleep(gapWait)
			p.response(200)
			k.ask("INFO", relay("6"))
			p.response(200)
			w.heard("sent INVITE", "progress 180 a", "sent ACK", "answered a sdp:answer", "digit 6")
		})
	})
	t.Run("before the answer they are none", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 180, "a", phoneContact())
			p.talk(inv, "a").ask("INFO", relay("1"))
			p.response(200)
			w.heard("sent INVITE", "progress 180 a")
		})
	})
	t.Run("bodies", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			for _, c := range []struct {
				line   string
				status int
			}{
				{relay("#"), 200},
				{"body:application/dtmf|7", 200},
				{"body:application/dtmf-relay|rubbish", 400},
				{"body:text/plain|5", 415},
				{"body:application/media_control+xml|<media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>", 200},
				{"Subject: none", 200},
			} {
				k.ask("INFO", c.line)
				p.response(c.status)
			}
			w.heard("digit #", "digit 7", "picture wanted")
		})
	})
}

func TestForeignRequestsHaveNoEffect(t *testing.T) {
	digit := "body:application/dtmf-relay|Signal=5"
	for name, do := range map[string]func(w *world, p *peer, k *talk){
		"wrong tag of theirs": func(_ *world, p *peer, k *talk) {
			k.us = strings.Replace(k.us, "tag=a", "tag=x", 1)
			k.ask("BYE")
			p.response(481)
		},
		"wrong tag of ours": func(_ *world, p *peer, k *talk) { k.them += "x"; k.ask("INFO", digit); p.response(481) },
		"wrong Call-ID": func(_ *world, p *peer, k *talk) {
			k.id += "x"
			k.ask("INVITE", "sdp:x", phoneContact())
			p.response(481)
		},
		"number too low": func(_ *world, p *peer, k *talk) {
			k.askAs("OPTIONS", 50)
			p.response(200)
			k.askAs("BYE", 49)
			p.response(500)
		},
		"another host": func(w *world, _ *peer, k *talk) {
			k.p = w.peer("203.0.113.66:5060")
			k.ask("BYE")
			k.ask("INFO", digit)
			k.p.quiet()
		},
		"an admitted host that is not of the dialog": func(w *world, _ *peer, k *talk) {
			w.ua.Invite(2, "sip:other@192.0.2.77:5060", nil)
			k.p = w.peer("192.0.2.77:5060")
			synctest.Wait()
			w.heard("sent INVITE")
			k.ask("BYE")
			if got := k.p.next().String(); !strings.HasPrefix(got, "SIP/2.0 481") && !strings.HasPrefix(got, "INVITE") {
				w.t.Error(got)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, Config{}, func(w *world) {
				p, k, _ := answered(w)
				do(w, p, k)
				w.heard()
			})
		})
	}
}

func TestReInvite(t *testing.T) {
	t.Run("right after the 200, in one burst", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			k := p.talk(inv, "a")
			p.reply(inv, 200, "a", phoneContact(), "sdp:answer")
			k.ask("INVITE", "sdp:offer", phoneContact())
			p.request("ACK")
			w.heard("sent INVITE", "sent ACK", "answered a sdp:answer", "offered sdp:offer")
			w.lastOffer().Answer([]byte("ours"), 200)
			w.lastOffer().Answer(nil, 488) // the second word counts for nothing
			res := p.response(200)
			if string(res.Body()) != "ours" || res.Contact() == nil {
				t.Errorf("200:\n%s", res)
			}
			k.askAs("ACK", k.seq)
			time.Sleep(time.Minute)
			p.quiet()
		})
	})
	t.Run("before the 200: 491", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			p.reply(inv, 180, "a", phoneContact())
			p.talk(inv, "a").ask("INVITE", "sdp:offer", phoneContact())
			p.response(491)
		})
	})
	t.Run("two at once: 500 with Retry-After", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			k.ask("INVITE", "sdp:1", phoneContact())
			k.ask("INVITE", "sdp:2", phoneContact())
			if p.response(500).GetHeader("retry-after") == nil {
				t.Error("no Retry-After")
			}
			w.heard("offered sdp:1")
			w.lastOffer().Answer(nil, 488)
			p.response(488)
		})
	})
	t.Run("its 200 is repeated, and then the call ended", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			k.ask("INVITE", "sdp:1", phoneContact())
			w.lastOffer().Answer([]byte("ours"), 200)
			for range 11 { // at 0, 0.5, 1.5, 3.5, 7.5, 11.5 ... 31.5 s
				p.response(200)
			}
			p.reply(p.request("BYE"), 200, "a")
			w.heard("offered sdp:1", "sent BYE", "ended by us:true")
		})
	})
	t.Run("without SDP: our offer, their answer in the ACK", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			k.ask("INVITE", phoneContact())
			w.lastOffer().Answer([]byte("ours"), 200)
			p.response(200)
			k.askAs("ACK", k.seq, "sdp:theirs")
			w.heard("offered", "confirmed sdp:theirs")
		})
	})
	t.Run("BYE while it waits: 487", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k, _ := answered(w)
			k.ask("INVITE", "sdp:1", phoneContact())
			k.ask("BYE")
			p.response(200)
			p.response(487)
			w.heard("offered sdp:1", "ended by us:false")
			w.lastOffer().Answer([]byte("late"), 200)
			k.askAs("ACK", k.seq-1)
			p.w.heard()
		})
	})
}

func TestUpdate(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, k, _ := answered(w)
		k.ask("UPDATE", "sdp:1", phoneContact())
		w.lastOffer().Answer([]byte("ours"), 200)
		if res := p.response(200); string(res.Body()) != "ours" {
			t.Errorf("200:\n%s", res)
		}
		k.ask("UPDATE", "Contact: <sip:moved@"+phoneAddr+">")
		p.response(200)
		w.heard("offered sdp:1")
		p.quiet()
		w.ua.Bye(1)
		if bye := p.request("BYE"); bye.Recipient.User != "moved" {
			t.Errorf("BYE goes to %v", bye.Recipient)
		}
	})
}

func TestRouteSetAndTarget(t *testing.T) {
	const gruu = "Contact: <sip:phone@house.example;gr=urn:uuid:f81d4fae>"
	inWorld(t, Config{}, func(w *world) {
		proxy := w.peer(proxyAddr)
		p, inv := ring(w)
		p.reply(inv, 200, "a", "Record-Route: <sip:203.0.113.1;lr>", "Record-Route: <sip:192.0.2.2;lr;r2=on>", gruu, "sdp:x")
		ack := proxy.request("ACK")
		var routes []string
		for _, h := range ack.GetHeaders("route") {
			routes = append(routes, h.Value())
		}
		if got, want := strings.Join(routes, " "), "<sip:192.0.2.2;lr;r2=on> <sip:203.0.113.1;lr>"; got != want {
			t.Errorf("Route %s, want %s", got, want)
		}
		if got := ack.Recipient.String(); got != "sip:phone@house.example;gr=urn:uuid:f81d4fae" {
			t.Errorf("Request-URI %s", got)
		}
		k := proxy.talk(inv, "a") // their requests come by the proxy too
		k.ask("INVITE", "sdp:y", "Contact: <sip:phone@house.example;gr=2>")
		w.lastOffer().Answer([]byte("ours"), 200)
		proxy.response(200)
		k.askAs("ACK", k.seq)
		w.ua.Bye(1)
		if bye := proxy.request("BYE"); bye.Recipient.String() != "sip:phone@house.example;gr=2" || len(bye.GetHeaders("route")) != 2 {
			t.Errorf("BYE:\n%s", bye)
		}
	})
}

func TestStrictRouter(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		proxy := w.peer(proxyAddr)
		p, inv := ring(w)
		p.reply(inv, 200, "a", "Record-Route: <sip:192.0.2.2>", phoneContact(), "sdp:x")
		ack := proxy.request("ACK")
		if ack.Recipient.String() != "sip:192.0.2.2" || ack.Route().Value() != "<sip:phone@192.0.2.10:5060>" {
			t.Errorf("ACK:\n%s", ack)
		}
	})
}
