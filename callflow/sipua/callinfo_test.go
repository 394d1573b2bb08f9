package sipua

import (
	"testing"
)

// Where a picture lies is told in the INVITE, and in each that takes its place.
func TestCallInfo(t *testing.T) {
	const info = "<http://192.0.2.1:8080/still/abc.jpg>;purpose=icon"
	inWorld(t, Config{}, func(w *world) {
		p := w.peer(phoneAddr)
		w.ua.Ring(1, Invitation{Target: phoneTarget, Offers: [][]byte{[]byte("both"), []byte("sound")}, CallInfo: info})
		inv := p.request("INVITE")
		if h := inv.GetHeaders("Call-Info"); len(h) != 1 || h[0].Value() != info {
			t.Errorf("the INVITE has %v", h)
		}
		p.reply(inv, 488, "a")
		p.request("ACK")
		again := p.request("INVITE")
		if h := again.GetHeaders("Call-Info"); len(h) != 1 || h[0].Value() != info {
			t.Errorf("the next INVITE has %v", h)
		}
		p.reply(again, 486, "b")
		p.request("ACK")
		w.heard("sent INVITE", "retried 488 with offer 1", "sent INVITE", "refused 486")
	})
	inWorld(t, Config{}, func(w *world) {
		p := w.peer(phoneAddr)
		w.ua.Ring(1, Invitation{Target: phoneTarget, Offers: [][]byte{[]byte(testOffer)}})
		inv := p.request("INVITE")
		if h := inv.GetHeader("Call-Info"); h != nil {
			t.Errorf("without one to tell the INVITE has %v", h)
		}
		p.reply(inv, 486, "a")
		p.request("ACK")
		w.heard("sent INVITE", "refused 486")
	})
}

// A value that would end the header line rings nobody.
func TestCallInfoWithControlCharacters(t *testing.T) {
	for _, info := range []string{"<http://x>\r\nRoute: <sip:evil>", "<http://x>\n", "<http://\x00>", "\x7f"} {
		inWorld(t, Config{}, func(w *world) {
			w.ua.Ring(1, Invitation{Target: phoneTarget, Offers: [][]byte{[]byte(testOffer)}, CallInfo: info})
			w.heard("refused 503")
		})
	}
}
