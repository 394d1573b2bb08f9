package sipua

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestSessionExpiresOf(t *testing.T) {
	for text, want := range map[string]sessionExpires{
		"":                                      {},
		"Session-Expires: 1800\r\n":             {30 * time.Minute, ""},
		"Session-Expires: 90;refresher=uac\r\n": {90 * time.Second, "uac"},
		"session-expires: 120 ; x=y; Refresher = UAS ": {2 * time.Minute, "uas"},
		"x: 4000;refresher=uas\r\n":                    {4000 * time.Second, "uas"},
		"Session-Expires: 1800;refresher=me\r\n":       {30 * time.Minute, ""},
		"Session-Expires: never\r\n":                   {},
		"Session-Expires: 99999999999\r\n":             {},
		"Session-Expires: 999999999\r\n":               {longestGrant, ""},
	} {
		m, err := sip.NewParser().ParseSIP([]byte("OPTIONS sip:x@y SIP/2.0\r\n" + text + "\r\n\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := sessionExpiresOf(m); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

const (
	theyRefresh = "Session-Expires: 1800;refresher=uas"
	weRefresh   = "Session-Expires: 1800;refresher=uac"
)

// answeredWith makes an answered call whose 200 has these lines.
func answeredWith(w *world, lines ...string) (*peer, *talk) {
	p, inv := ring(w)
	p.reply(inv, 200, "a", append(lines, phoneContact(), "sdp:answer")...)
	p.request("ACK")
	w.heard("sent INVITE", "sent ACK", "answered a sdp:answer")
	return p, p.talk(inv, "a")
}

func TestSessionIsAskedFor(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		_, inv := ring(w)
		if e := sessionExpiresOf(inv); e != (sessionExpires{30 * time.Minute, ""}) || !supports(inv, "timer") {
			t.Errorf("the INVITE asks for %v", e)
		}
	})
}

func TestWeRefreshTheSession(t *testing.T) {
	t.Run("by UPDATE, as long as the call lasts", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, _ := answeredWith(w, weRefresh, "Allow: INVITE, UPDATE")
			for range 3 {
				time.Sleep(15 * time.Minute)
				up := p.request("UPDATE")
				if e := sessionExpiresOf(up); e != (sessionExpires{30 * time.Minute, "uac"}) || len(up.Body()) != 0 {
					t.Errorf("the refresh is\n%s", up)
				}
				p.reply(up, 200, "a", weRefresh, phoneContact())
			}
			w.heard()
		})
	})
	t.Run("by re-INVITE with what was offered, where UPDATE is not known", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, _ := answeredWith(w, weRefresh)
			time.Sleep(15 * time.Minute)
			inv := p.request("INVITE")
			if string(inv.Body()) != testOffer || tagOf(inv.To().Params) != "a" || inv.CSeq().SeqNo != 2 {
				t.Errorf("the refresh is\n%s", inv)
			}
			p.reply(inv, 200, "a", weRefresh, phoneContact(), "sdp:again")
			if ack := p.request("ACK"); ack.CSeq().SeqNo != 2 {
				t.Errorf("ACK has number %d, want 2", ack.CSeq().SeqNo)
			}
			p.reply(inv, 200, "a", weRefresh, phoneContact(), "sdp:again") // its ACK was lost
			p.request("ACK")
			w.heard("sent ACK", "reanswered sdp:again", "sent ACK")
		})
	})
	t.Run("405 to UPDATE: by re-INVITE", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, _ := answeredWith(w, weRefresh, "Allow: UPDATE")
			time.Sleep(15 * time.Minute)
			p.reply(p.request("UPDATE"), 405, "a")
			time.Sleep(refreshRetry)
			p.request("INVITE")
		})
	})
	t.Run("491: again after the back-off of the Call-ID's owner", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, _ := answeredWith(w, weRefresh)
			time.Sleep(15 * time.Minute)
			p.reply(p.request("INVITE"), 491, "a")
			p.request("ACK")
			at := time.Now()
			p.request("INVITE")
			if d := time.Since(at); d < glareOwnLeast || d > glareOwnMost {
				t.Errorf("again after %v, want %v to %v", d, glareOwnLeast, glareOwnMost)
			}
		})
	})
	t.Run("their offer meets ours: 491", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k := answeredWith(w, weRefresh)
			time.Sleep(15 * time.Minute)
			inv := p.request("INVITE")
			k.ask("INVITE", "sdp:theirs", phoneContact())
			p.response(491)
			p.reply(inv, 200, "a", phoneContact(), "sdp:again")
			p.request("ACK")
			w.heard("sent ACK", "reanswered sdp:again")
		})
	})
	t.Run("481: the call is over", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, _ := answeredWith(w, weRefresh, "Allow: UPDATE")
			time.Sleep(15 * time.Minute)
			p.reply(p.request("UPDATE"), 481, "a")
			p.reply(p.request("BYE"), 481, "a")
			w.heard("sent BYE", "ended by us:true")
		})
	})
	t.Run("nobody answers any more: the call is over", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			answeredWith(w, weRefresh, "Allow: UPDATE")
			time.Sleep(15*time.Minute + 70*time.Second)
			w.heard("sent BYE", "ended by us:true")
		})
	})
	t.Run("not after the end", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k := answeredWith(w, weRefresh)
			k.ask("BYE")
			p.response(200)
			time.Sleep(time.Hour)
			p.quiet()
		})
	})
}

func TestTheyRefreshTheSession(t *testing.T) {
	t.Run("they do", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k := answeredWith(w, theyRefresh)
			for range 3 {
				time.Sleep(25 * time.Minute)
				k.ask("UPDATE", phoneContact(), "Supported: timer", "Session-Expires: 1800;refresher=uac")
				res := p.response(200)
				if e := sessionExpiresOf(res); e != (sessionExpires{30 * time.Minute, "uac"}) || !lists(res, "require", "timer") {
					t.Errorf("our 200:\n%s", res)
				}
			}
			w.heard()
		})
	})
	t.Run("they do not: BYE before the end", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, _ := answeredWith(w, theyRefresh)
			time.Sleep(30*time.Minute - expiryMargin - time.Second)
			p.quiet()
			at := time.Now()
			p.reply(p.request("BYE"), 200, "a")
			if d := time.Since(at); d > 2*time.Second {
				t.Errorf("BYE %v too late", d-time.Second)
			}
			w.heard("sent BYE", "ended by us:true")
		})
	})
	t.Run("they give the timer up", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, k := answeredWith(w, theyRefresh)
			k.ask("UPDATE", phoneContact())
			if e := sessionExpiresOf(p.response(200)); e.interval != 0 {
				t.Errorf("our 200 speaks of %v", e)
			}
			time.Sleep(time.Hour)
			p.quiet()
		})
	})
}

func TestSessionOfACaller(t *testing.T) {
	cfg := Config{Allow: []string{guard}}
	for name, c := range map[string]struct {
		lines []string
		want  sessionExpires
		must  bool // Require: timer
	}{
		"able, no wish who refreshes": {[]string{"Supported: timer", "Session-Expires: 600"}, sessionExpires{10 * time.Minute, "uac"}, true},
		"he demands timers":           {[]string{"Supported: timer", "Require: timer", "Session-Expires: 600"}, sessionExpires{10 * time.Minute, "uac"}, true},
		"he wants us to":              {[]string{"Supported: timer", "Session-Expires: 600;refresher=uas"}, sessionExpires{10 * time.Minute, "uas"}, false},
		"his proxy asks, he cannot":   {[]string{"Session-Expires: 600"}, sessionExpires{10 * time.Minute, "uas"}, false},
		"too brief, he cannot know":   {[]string{"Session-Expires: 30"}, sessionExpires{leastSession, "uas"}, false},
		"no timer":                    {[]string{"Supported: timer"}, sessionExpires{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			inWorld(t, cfg, func(w *world) {
				c2 := w.caller(phoneAddr, guard)
				c2.ask("INVITE", 1, "", append(c.lines, "sdp:offer")...)
				c2.response(180)
				w.ua.Accept(101, []byte("answer"))
				ok := c2.response(200)
				if e := sessionExpiresOf(ok); e != c.want || lists(ok, "require", "timer") != c.must {
					t.Errorf("our 200 has %v, want %v, and demands timers: %v", e, c.want, c.must)
				}
				to := ";tag=" + tagOf(ok.To().Params)
				c2.ask("ACK", 1, to)
				if c.want.refresher != "uas" {
					return
				}
				time.Sleep(c.want.interval / 2)
				if re := c2.request("INVITE"); string(re.Body()) != "answer" {
					t.Errorf("the refresh is\n%s", re)
				}
			})
		})
	}
	t.Run("too brief: 422", func(t *testing.T) {
		inWorld(t, cfg, func(w *world) {
			c := w.caller(phoneAddr, guard)
			c.ask("INVITE", 1, "", "Supported: timer", "Session-Expires: 30", "sdp:offer")
			if h := c.response(422).GetHeader("min-se"); h == nil || h.Value() != "90" {
				t.Errorf("Min-SE: %v", h)
			}
			w.heard()
		})
	})
}

func TestLongerSessionFor422(t *testing.T) {
	inWorld(t, Config{SessionExpires: 2 * time.Minute}, func(w *world) {
		p, inv := ring(w)
		p.reply(inv, 422, "a", "Min-SE: 3600")
		p.request("ACK")
		again := p.request("INVITE")
		if e := sessionExpiresOf(again); e.interval != time.Hour || again.GetHeader("min-se") == nil || again.CSeq().SeqNo != 2 {
			t.Errorf("the next INVITE:\n%s", again)
		}
		p.reply(again, 422, "a", "Min-SE: 7200") // once is enough
		p.request("ACK")
		w.heard("sent INVITE", "sent INVITE", "refused 422")
	})
}
