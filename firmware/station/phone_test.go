package station

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pion/rtp"

	"doorstation/media/dtmf"
)

// A scriptPhone is a phone on real sockets that answers every INVITE by a
// script. It knows just enough SIP (RFC 3261) for that, and none of it comes
// from the panel's own code.
type scriptPhone struct {
	t      *testing.T
	conn   *net.UDPConn
	media  *net.UDPConn
	script func(*scriptCall)

	mu    sync.Mutex
	calls map[string]*scriptCall // by Call-ID
	last  *scriptCall

	running atomic.Int32 // scripts
	options int          // the status that OPTIONS gets; 0: none
}

// A scriptCall is one INVITE and what became of it.
type scriptCall struct {
	phone  *scriptPhone
	invite string
	peer   netip.AddrPort
	tag    string
	cseq   int

	mu        sync.Mutex
	acked     chan struct{} // closed by the ACK of a 200
	answered  bool
	cancelled bool
	ended     bool
	talk      []string // what went over the wire, for a failure
}

// note keeps the first line of a message.
func (c *scriptCall) note(way, msg string) {
	line, _, _ := strings.Cut(msg, "\r\n")
	c.mu.Lock()
	defer c.mu.Unlock()
	c.talk = append(c.talk, fmt.Sprintf("%s %s %s (%s)", time.Now().Format("05.000000"), way, line, header(msg, "CSeq")))
}

func newScriptPhone(t *testing.T, script func(*scriptCall)) *scriptPhone {
	p := &scriptPhone{t: t, script: script, calls: make(map[string]*scriptCall)}
	p.conn = listenLoopback(t)
	p.media = listenLoopback(t)
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := p.conn.ReadFromUDPAddrPort(buf)
			if err != nil {
				return
			}
			p.take(string(buf[:n]), from)
		}
	}()
	t.Cleanup(func() {
		uri := p.uri()
		p.conn.Close()
		p.media.Close()
		<-done
		if t.Failed() && p.last != nil {
			p.last.mu.Lock()
			defer p.last.mu.Unlock()
			t.Logf("the last call of %s:\n%s", uri, strings.Join(p.last.talk, "\n"))
		}
	})
	return p
}

func listenLoopback(t *testing.T) *net.UDPConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func (p *scriptPhone) uri() string {
	return fmt.Sprintf("sip:flat@127.0.0.1:%d", p.conn.LocalAddr().(*net.UDPAddr).Port)
}

var headerLine = regexp.MustCompile(`(?mi)^([a-z-]+)\s*:\s*(.*?)\r$`)

// headers returns all values of a header, whole lines when name is "Via" or
// "Record-Route" alike.
func headers(msg, name string) []string {
	var all []string
	for _, m := range headerLine.FindAllStringSubmatch(msg, -1) {
		if strings.EqualFold(m[1], name) {
			all = append(all, m[2])
		}
	}
	return all
}

func header(msg, name string) string {
	if all := headers(msg, name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// latest is the call that came last.
func (p *scriptPhone) latest() *scriptCall {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.last
}

func (p *scriptPhone) take(msg string, from netip.AddrPort) {
	id := header(msg, "Call-ID")
	p.mu.Lock()
	c := p.calls[id]
	p.mu.Unlock()
	method, _, _ := strings.Cut(msg, " ")
	if c != nil {
		c.note("<-", msg)
	}
	switch {
	case method == "INVITE" && (c == nil || c.tried(msg)):
		c = &scriptCall{phone: p, invite: msg, peer: from, tag: fmt.Sprint(rand.Uint32()), cseq: 1, acked: make(chan struct{})}
		p.mu.Lock()
		p.calls[id], p.last = c, c
		p.mu.Unlock()
		p.running.Add(1)
		go func() {
			defer p.running.Add(-1)
			p.script(c)
		}()
	case method == "OPTIONS" && p.options != 0:
		once := &scriptCall{phone: p, peer: from, tag: "options"}
		once.respondTo(msg, p.options, "So", "")
	case c == nil:
	case method == "ACK":
		c.ack()
	case method == "CANCEL":
		c.respondTo(msg, 200, "OK", "")
		c.cancel()
	case method == "BYE":
		c.respondTo(msg, 200, "OK", "")
		c.mu.Lock()
		c.ended = true
		c.mu.Unlock()
	}
}

// tried reports whether an INVITE comes after one that was refused, for another
// try of the same call.
func (c *scriptCall) tried(invite string) bool {
	to := header(invite, "To")
	return !strings.Contains(to, ";tag=") && header(invite, "CSeq") != header(c.invite, "CSeq")
}

func (c *scriptCall) ack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.answered {
		return // of a refusal
	}
	select {
	case <-c.acked:
	default:
		close(c.acked)
	}
}

// cancel answers the INVITE with 487 unless it has been answered.
func (c *scriptCall) cancel() {
	c.mu.Lock()
	late := c.answered || c.cancelled
	c.cancelled = true
	c.mu.Unlock()
	if !late {
		c.respond(487, "Request Terminated", "")
	}
}

// over reports whether the panel has given the call up.
func (c *scriptCall) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.cancelled || c.ended
}

// respond answers the INVITE.
func (c *scriptCall) respond(status int, reason, body string) {
	c.respondTo(c.invite, status, reason, body)
}

func (c *scriptCall) respondTo(req string, status int, reason, body string) {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d %s\r\n", status, reason)
	for _, via := range headers(req, "Via") {
		fmt.Fprintf(&b, "Via: %s\r\n", via)
	}
	to := header(req, "To")
	if !strings.Contains(to, ";tag=") {
		to += ";tag=" + c.tag
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\nContact: <%s>\r\n",
		header(req, "From"), to, header(req, "Call-ID"), header(req, "CSeq"), c.phone.uri())
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	c.send(b.String())
}

func (c *scriptCall) send(msg string) {
	c.note("->", msg)
	if _, err := c.phone.conn.WriteToUDPAddrPort([]byte(msg), c.peer); err != nil {
		c.phone.t.Error(err)
	}
}

// answer sends the 200 and waits for its ACK. It reports whether the call
// stands.
func (c *scriptCall) answer() bool { return c.answerWith(c.sdp()) }

func (c *scriptCall) answerWith(sdp string) bool {
	c.mu.Lock()
	if c.cancelled {
		c.mu.Unlock()
		return false
	}
	c.answered = true
	c.mu.Unlock()
	for range 20 { // RFC 3261 section 13.3.1.4, faster
		c.respond(200, "OK", sdp)
		select {
		case <-c.acked:
			return !c.over()
		case <-time.After(200 * time.Millisecond):
		}
	}
	c.phone.t.Errorf("the 200 of %s was never acknowledged", c.phone.uri())
	return false
}

// sdp answers with audio and telephone-event, and no picture.
func (c *scriptCall) sdp() string {
	port := c.phone.media.LocalAddr().(*net.UDPAddr).Port
	body := fmt.Sprintf("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"+
		"m=audio %d RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n", port)
	for i := range strings.Count(c.invite, "\r\nm=") - 1 {
		_ = i
		body += "m=video 0 RTP/AVP 97\r\n"
	}
	return body
}

// request sends a request inside the dialog.
func (c *scriptCall) request(method, contentType, body string) {
	c.mu.Lock()
	c.cseq++
	cseq := c.cseq
	c.mu.Unlock()
	contact := strings.Trim(header(c.invite, "Contact"), "<>")
	contact, _, _ = strings.Cut(contact, ">")
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s SIP/2.0\r\nVia: SIP/2.0/UDP %v;branch=z9hG4bK%d\r\nMax-Forwards: 70\r\n",
		method, contact, c.phone.conn.LocalAddr(), rand.Uint64())
	fmt.Fprintf(&b, "From: %s;tag=%s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n",
		header(c.invite, "To"), c.tag, header(c.invite, "From"), header(c.invite, "Call-ID"), cseq, method)
	if body != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", contentType)
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	c.send(b.String())
}

func (c *scriptCall) bye() { c.request("BYE", "", "") }

// info types digits by INFO.
func (c *scriptCall) info(digits string) {
	for _, d := range digits {
		c.request("INFO", "application/dtmf-relay", fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", d))
	}
}

var audioPort = regexp.MustCompile(`m=audio (\d+) `)

// rtp types digits as telephone-events (RFC 4733), three packets each.
func (c *scriptCall) rtp(digits string) {
	var port uint16
	fmt.Sscan(audioPort.FindStringSubmatch(c.invite)[1], &port)
	to := netip.AddrPortFrom(c.peer.Addr(), port)
	ssrc, ts, seq := rand.Uint32(), rand.Uint32(), uint16(rand.Uint32())
	for _, d := range digits {
		ts += 1600
		for i := range 3 {
			ev := dtmf.Event{Code: uint8(strings.IndexRune("0123456789*#", d)), End: i == 2, Duration: uint16(160 * (i + 1))}
			pkt := rtp.Packet{Header: rtp.Header{Version: 2, PayloadType: 101, SSRC: ssrc, Timestamp: ts, SequenceNumber: seq, Marker: i == 0}, Payload: ev.Append(nil)}
			seq++
			raw, err := pkt.Marshal()
			if err == nil {
				_, err = c.phone.media.WriteToUDPAddrPort(raw, to)
			}
			if err != nil {
				c.phone.t.Error(err)
			}
		}
	}
}
