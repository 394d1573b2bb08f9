package station

import (
	"fmt"
	"net"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// hears reports whether sound of the panel arrives at the phone.
func (p *scriptPhone) hears(within time.Duration) bool {
	_ = p.media.SetReadDeadline(time.Now().Add(within))
	buf := make([]byte, 2048)
	for {
		n, err := p.media.Read(buf)
		if err != nil {
			return false
		}
		if n == 12+160 { // a frame of G.711; STUN and RTCP are shorter
			return true
		}
	}
}

// sound describes the phone's sound at an address, in a direction.
func (p *scriptPhone) sound(address, direction string) string {
	return fmt.Sprintf("v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 %s\r\nt=0 0\r\nm=audio %d RTP/AVP 0 101\r\n"+
		"a=rtpmap:101 telephone-event/8000\r\na=%s\r\nm=video 0 RTP/AVP 97\r\n", address, p.media.LocalAddr().(*net.UDPAddr).Port, direction)
}

// A phone that holds the call hears nothing, whichever way it holds, and the call
// goes on where it resumes.
func TestHold(t *testing.T) {
	phone := newScriptPhone(t, func(c *scriptCall) { c.answer() })
	p := startPanel(t, oneConfig(phone.uri()))
	p.press()
	p.await("the conversation", func() bool { return p.Status().Call.State == control.CallTalking })
	for _, hold := range [][2]string{{"127.0.0.1", "sendonly"}, {"127.0.0.1", "inactive"}, {"0.0.0.0", "sendrecv"}} {
		if !phone.hears(10 * time.Second) {
			t.Fatalf("before the hold by %v nothing is heard", hold)
		}
		phone.latest().request("INVITE", "application/sdp", phone.sound(hold[0], hold[1]))
		p.await("silence", func() bool { return !phone.hears(100 * time.Millisecond) })
		phone.latest().request("INVITE", "application/sdp", phone.sound("127.0.0.1", "sendrecv"))
	}
	if !phone.hears(10 * time.Second) {
		t.Error("after the last hold nothing is heard")
	}
	phone.latest().bye()
	if rec := p.idle(); rec.Result != "talked" {
		t.Errorf("the record is\n%s", text(rec))
	}
}
