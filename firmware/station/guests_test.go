package station

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// guestConfig lets some callers in, each with other rights.
const guestConfig = `
network: {address: 127.0.0.1, sip_port: 0, rtp_min: 44000, rtp_max: 45999}
account: {user: panel, domain: 127.0.0.1, registrar: "127.0.0.1:9"}
flats:
  - {name: Smith, button: button1, stages: [{targets: ["%s"]}]}
doors:
  - {name: front, relay: door1, pulse: 100ms, codes: [{name: home, digits: "1234"}]}
inbound:
  allow:
    - "sip:friend@127.0.0.1"
    - {uri: "sip:ear@127.0.0.1", may: [listen]}
    - {uri: "sip:eye@127.0.0.1", may: [see]}
    - {uri: "sip:concierge@127.0.0.1", second: true}
`

// A scriptCaller is a phone that calls the panel.
type scriptCaller struct {
	t           *testing.T
	conn, media *net.UDPConn
	panel       netip.AddrPort
	from, to    string // with their tags
	id          string
	seq         int
	last        []byte // request, to be sent again
}

func (p *testPanel) caller(user string) *scriptCaller {
	return &scriptCaller{
		t: p.t, conn: listenLoopback(p.t), media: listenLoopback(p.t), panel: p.line.agent().LocalAddr(),
		from: fmt.Sprintf("<sip:%s@127.0.0.1>;tag=%d", user, rand.Uint32()), to: "<sip:panel@127.0.0.1>", id: fmt.Sprint(rand.Uint64()),
	}
}

func (c *scriptCaller) send(method, contentType, body string) {
	c.t.Helper()
	if method != "ACK" {
		c.seq++
	}
	at := c.conn.LocalAddr()
	msg := fmt.Sprintf("%s sip:panel@%v SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\nFrom: %s\r\nTo: %s\r\n"+
		"Call-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:x@%v>\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		method, c.panel, at, rand.Uint64(), c.from, c.to, c.id, c.seq, method, at, contentType, len(body), body)
	c.last = []byte(msg)
	c.again()
}

func (c *scriptCaller) again() {
	c.t.Helper()
	if _, err := c.conn.WriteToUDPAddrPort(c.last, c.panel); err != nil {
		c.t.Fatal(err)
	}
}

// response is the next final response to a method, within 20 s. The request goes
// out again every 500 ms, as requests do over UDP.
func (c *scriptCaller) response(method string) (status int, msg string) {
	c.t.Helper()
	buf := make([]byte, 8192)
	for tries := 0; ; {
		_ = c.conn.SetReadDeadline(time.Now().Add(500 * time.Millisecond))
		n, err := c.conn.Read(buf)
		if tries++; err != nil && tries > 40 {
			c.t.Fatalf("no final response to %s: %v", method, err)
		}
		if err != nil {
			c.again()
			continue
		}
		msg = string(buf[:n])
		if !strings.HasPrefix(msg, "SIP/2.0 ") || !strings.HasSuffix(header(msg, "CSeq"), method) {
			continue
		}
		if status, _ = strconv.Atoi(msg[8:11]); status >= 200 {
			return status, msg
		}
	}
}

// call calls the panel with sound and picture and gives the answer's SDP.
func (c *scriptCaller) call() (int, string) {
	c.t.Helper()
	port := c.media.LocalAddr().(*net.UDPAddr).Port
	c.send("INVITE", "application/sdp", fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\nm=video %d RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n", port, port+1))
	status, msg := c.response("INVITE")
	if status == 200 {
		c.to = header(msg, "To")
		c.send("ACK", "text/plain", "")
	}
	_, sdp, _ := strings.Cut(msg, "\r\n\r\n")
	return status, sdp
}

func (c *scriptCaller) bye() {
	c.t.Helper()
	c.send("BYE", "text/plain", "")
	c.response("BYE")
}

// hears reports whether sound of the panel arrives.
func (c *scriptCaller) hears(within time.Duration) bool {
	_ = c.media.SetReadDeadline(time.Now().Add(within))
	buf := make([]byte, 2048)
	for {
		n, err := c.media.Read(buf)
		if err != nil {
			return false
		}
		if n == 12+160 { // a frame of G.711; STUN and RTCP are shorter
			return true
		}
	}
}

func TestCallersDoWhatTheyMay(t *testing.T) {
	p := startPanel(t, fmt.Sprintf(guestConfig, "sip:nobody@127.0.0.1:9"))
	for user, may := range map[string]struct{ hear, see bool }{
		"friend": {true, true}, "ear": {true, false}, "eye": {false, true},
	} {
		c := p.caller(user)
		status, sdp := c.call()
		if status != 200 {
			t.Fatalf("%s gets %d", user, status)
		}
		p.await("the conversation", func() bool { return p.Status().Call.State == control.CallTalking })
		if see := !strings.Contains(sdp, "m=video 0 "); see != may.see {
			t.Errorf("%s sees: %v, want %v\n%s", user, see, may.see, sdp)
		}
		within := 10 * time.Second
		if !may.hear {
			within = 300 * time.Millisecond
		}
		if hears := c.hears(within); hears != may.hear {
			t.Errorf("%s hears: %v, want %v", user, hears, may.hear)
		}
		c.bye()
		p.idle()
	}
	if status, _ := p.caller("stranger").call(); status != 403 {
		t.Errorf("a stranger gets %d", status)
	}
}

// While the flat talks, the concierge is let in for his code; nobody else is.
func TestCallerBesideAConversation(t *testing.T) {
	phone := newScriptPhone(t, func(c *scriptCall) {
		c.respond(180, "Ringing", "")
		c.answer()
	})
	p := startPanel(t, fmt.Sprintf(guestConfig, phone.uri()))
	p.press()
	p.await("the conversation", func() bool { return p.Status().Call.State == control.CallTalking })
	if status, _ := p.caller("friend").call(); status != 486 {
		t.Errorf("the friend gets %d, want 486", status)
	}
	c := p.caller("concierge")
	if status, sdp := c.call(); status != 200 || !strings.Contains(sdp, "m=video 0 ") {
		t.Fatalf("the concierge gets %d\n%s", status, sdp)
	}
	for _, key := range "1234" {
		c.send("INFO", "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=160", key))
		c.response("INFO")
	}
	p.marked(timeline.RelayOn)
	if c.hears(300 * time.Millisecond) {
		t.Error("the concierge hears the conversation")
	}
	if state := p.Status().Call.State; state != control.CallTalking {
		t.Errorf("the conversation is %s", state)
	}
	c.bye()
	phone.latest().bye()
	if rec := p.idle(); rec.Result != "talked" {
		t.Errorf("the record is\n%s", text(rec))
	}
}
