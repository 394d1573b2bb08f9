package sipua

import (
	"testing"
	"testing/synctest"
	"time"
)

// An INVITE that was given up while nothing came back rings nobody later.
func TestNoGhostRings(t *testing.T) {
	t.Run("it is not sent again", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			w.ua.Invite(1, phoneTarget, []byte(testOffer))
			time.Sleep(700 * time.Millisecond)
			w.ua.Cancel(1)
			w.heard("sent INVITE", "refused 487")
			p := w.peer(phoneAddr) // the network is back
			time.Sleep(40 * time.Second)
			p.quiet()
			synctest.Wait()
			if n := len(w.ua.clients); n != 0 {
				t.Errorf("%d requests are remembered", n)
			}
		})
	})
	t.Run("the phone rings all the same: cancelled", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			w.ua.Cancel(1)
			time.Sleep(20 * time.Second)
			p.quiet()
			p.reply(inv, 180, "a", phoneContact())
			p.reply(p.request("CANCEL"), 200, "a")
			p.reply(inv, 487, "a")
			ack := p.request("ACK")
			if ack.Via().Value() != inv.Via().Value() || tagOf(ack.To().Params) != "a" || ack.CSeq().SeqNo != 1 {
				t.Errorf("ACK:\n%s", ack)
			}
			p.reply(inv, 487, "a") // again
			p.request("ACK")
			p.quiet()
		})
	})
	t.Run("it answers all the same: ended", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p, inv := ring(w)
			w.ua.Cancel(1)
			time.Sleep(5 * time.Second)
			p.reply(inv, 200, "a", phoneContact(), "sdp:answer")
			p.request("ACK")
			p.reply(p.request("BYE"), 200, "a")
			w.heard("sent INVITE", "refused 487")
		})
	})
}
