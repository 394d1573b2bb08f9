package station

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// oneConfig is a flat with one phone.
func oneConfig(target string) string {
	return fmt.Sprintf(strings.Replace(randomConfig, `, "%s"`, "", 1), target)
}

// look is an answer that takes the picture, and no sound: audio is "inactive" or
// "sendrecv".
func (c *scriptCall) look(audio string) string {
	port := c.phone.media.LocalAddr().(*net.UDPAddr).Port
	return fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\na=%s\r\n"+
		"m=video %d RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\na=recvonly\r\n", port, audio, port+1)
}

// press waits until the call of the press has begun; it may have ended by then.
func (p *testPanel) press() {
	p.t.Helper()
	before := len(p.Calls())
	if err := p.Press("button1"); err != nil {
		p.t.Fatal(err)
	}
	p.await("the call", func() bool { return len(p.Calls()) > before })
}

// marked waits for a mark of the present record.
func (p *testPanel) marked(name timeline.Name) {
	p.t.Helper()
	p.await("the mark "+string(name), func() bool { return len(p.Calls()) > 0 && count(p.Calls()[0], name) > 0 })
}

func count(rec timeline.Record, name timeline.Name) int {
	n := 0
	for _, m := range rec.Marks {
		if m.Name == name {
			n++
		}
	}
	return n
}

// A 200 for the picture alone is no answer; the re-INVITE that adds sound is.
func TestPreviewIsNoAnswer(t *testing.T) {
	looked, join := make(chan bool), make(chan bool)
	phone := newScriptPhone(t, func(c *scriptCall) {
		c.respond(180, "Ringing", "")
		c.answerWith(c.look("inactive"))
		c.info("1234") // opens nothing: nobody has answered
		close(looked)
		<-join
		c.request("INVITE", "application/sdp", c.look("sendrecv"))
	})
	p := startPanel(t, oneConfig(phone.uri()))
	p.press()
	<-looked
	p.marked(timeline.Preview)
	if state := p.Status().Call.State; state != control.CallRinging {
		t.Errorf("while the phone looks, the call is %s", state)
	}
	close(join)
	p.await("the conversation", func() bool { return p.Status().Call.State == control.CallTalking })
	phone.latest().bye()
	rec := p.idle()
	if rec.Result != "talked" || count(rec, timeline.Answered) != 1 || count(rec, timeline.RelayOn) != 0 {
		t.Errorf("the record is\n%s", text(rec))
	}
}

// A phone that looks and hangs up has refused.
func TestPreviewThatEnds(t *testing.T) {
	phone := newScriptPhone(t, func(c *scriptCall) {
		c.respond(180, "Ringing", "")
		c.answerWith(c.look("inactive"))
		c.bye()
	})
	p := startPanel(t, oneConfig(phone.uri()))
	p.press()
	rec := p.idle()
	if rec.Result != "no-answer" || count(rec, timeline.Answered) != 0 || count(rec, timeline.Refused) != 1 {
		t.Errorf("the record is\n%s", text(rec))
	}
}

// A phone that fails over the picture is rung without it, and from then on at
// once, after a restart too.
func TestPictureNeverBreaksRinging(t *testing.T) {
	var invites, pictures atomic.Int32
	phone := newScriptPhone(t, func(c *scriptCall) {
		invites.Add(1)
		if strings.Contains(c.invite, "m=video") {
			pictures.Add(1)
			c.respond(488, "Not Acceptable Here", "")
			return
		}
		c.respond(180, "Ringing", "")
		if c.answer() {
			c.bye()
		}
	})
	p := startPanel(t, oneConfig(phone.uri()))
	for call := range int32(2) {
		p.press()
		rec := p.idle()
		if rec.Result != "talked" || invites.Load() != 2+call || pictures.Load() != 1 {
			t.Fatalf("after call %d: %d INVITEs, %d with a picture\n%s", call+1, invites.Load(), pictures.Load(), text(rec))
		}
	}
	again := openLadder(p.opt.Data, slog.New(slog.DiscardHandler))
	if !again.soundOnly(phone.uri(), time.Now()) || again.soundOnly(phone.uri(), time.Now().Add(ladderFor)) {
		t.Error("what was learnt is not kept, or for ever")
	}
}

// A phone that refuses either way has not refused for its picture.
func TestRefusalTeachesNothing(t *testing.T) {
	phone := newScriptPhone(t, func(c *scriptCall) { c.respond(488, "Not Acceptable Here", "") })
	p := startPanel(t, oneConfig(phone.uri()))
	p.press()
	if rec := p.idle(); rec.Result != "unreachable" || count(rec, timeline.Retried) != 1 {
		t.Errorf("the record is\n%s", text(rec))
	}
	if openLadder(p.opt.Data, slog.New(slog.DiscardHandler)).soundOnly(phone.uri(), time.Now()) {
		t.Error("the phone is taken for one that fails over a picture")
	}
}

// Nothing can be sent to a phone while the panel has no server: the visitor
// hears that it is the panel's trouble, not the flat's.
func TestNetworkLost(t *testing.T) {
	p := startPanel(t, oneConfig("sip:flat@no.such.host.invalid"))
	p.press()
	if rec := p.idle(); rec.Result != "network-lost" {
		t.Errorf("the record is\n%s", text(rec))
	}
}
