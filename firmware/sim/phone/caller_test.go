package phone

import (
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"
)

// patience bounds what a test waits for; it is no measure of speed.
const patience = 10 * time.Second

// A caller plays the panel: SIP by hand, so that the phone meets messages that
// no library of ours has written.
type caller struct {
	t    *testing.T
	sip  *net.UDPConn
	rtp  *net.UDPConn // sound
	pic  *net.UDPConn
	to   netip.AddrPort
	tag  string // of the phone
	last string // message
}

func newCaller(t *testing.T, to netip.AddrPort) *caller {
	t.Helper()
	c := &caller{t: t, to: to}
	for _, socket := range []**net.UDPConn{&c.sip, &c.rtp, &c.pic} {
		conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { conn.Close() })
		*socket = conn
	}
	return c
}

func (c *caller) send(text string) {
	c.t.Helper()
	if _, err := c.sip.WriteToUDPAddrPort([]byte(strings.ReplaceAll(text, "\n", "\r\n")), c.to); err != nil {
		c.t.Fatal(err)
	}
}

// request sends a request of the call. INVITE has no To-tag before the answer.
func (c *caller) request(method string, cseq int, branch, body string, more ...string) {
	c.t.Helper()
	to := "<sip:flat1@127.0.0.1>"
	if c.tag != "" {
		to += ";tag=" + c.tag
	}
	kind := ""
	if body != "" {
		kind = "Content-Type: application/sdp\n"
	}
	at := c.sip.LocalAddr()
	c.send(fmt.Sprintf("%s sip:flat1@%s SIP/2.0\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%s\nMax-Forwards: 70\n"+
		"From: \"Linden House\" <sip:panel@127.0.0.1>;tag=abc\nTo: %s\nCall-ID: call-1@test\nCSeq: %d %s\n"+
		"Contact: <sip:panel@%s>\n%s%sContent-Length: %d\n\n%s",
		method, c.to, at, branch, to, cseq, method, at, kind, strings.Join(more, ""), len(body)+strings.Count(body, "\n"), body))
}

// offer is the panel's offer.
func (c *caller) offer() string {
	return fmt.Sprintf("v=0\no=- 1 1 IN IP4 127.0.0.1\ns=-\nc=IN IP4 127.0.0.1\nt=0 0\n"+
		"m=audio %d RTP/AVP 0 8 101\na=rtpmap:101 telephone-event/8000\na=sendrecv\n"+
		"m=video %d RTP/AVP 99 98\na=rtpmap:99 H264/90000\na=fmtp:99 profile-level-id=42c016\n"+
		"a=rtpmap:98 H264/90000\na=fmtp:98 profile-level-id=42c016;packetization-mode=1\na=rtcp-fb:* nack pli\na=sendonly\n",
		c.rtp.LocalAddr().(*net.UDPAddr).Port, c.pic.LocalAddr().(*net.UDPAddr).Port)
}

// await reads messages until one begins with start.
func (c *caller) await(start string) string {
	c.t.Helper()
	buf := make([]byte, 4096)
	for {
		if err := c.sip.SetReadDeadline(time.Now().Add(patience)); err != nil {
			c.t.Fatal(err)
		}
		n, _, err := c.sip.ReadFromUDPAddrPort(buf)
		if err != nil {
			c.t.Fatalf("waiting for %q, last was\n%s\n%v", start, c.last, err)
		}
		c.last = strings.ReplaceAll(string(buf[:n]), "\r\n", "\n")
		if m := regexp.MustCompile(`(?m)^To:.*;tag=([^;\n]+)`).FindStringSubmatch(c.last); m != nil && strings.HasPrefix(c.last, "SIP/2.0") {
			c.tag = m[1]
		}
		if strings.HasPrefix(c.last, start) {
			return c.last
		}
	}
}

// reply answers a request of the phone.
func (c *caller) reply(request, status, body string) {
	c.t.Helper()
	var head strings.Builder
	for line := range strings.SplitSeq(request, "\n") {
		for _, name := range []string{"Via:", "From:", "To:", "Call-ID:", "CSeq:"} {
			if strings.HasPrefix(line, name) {
				head.WriteString(line + "\n")
			}
		}
	}
	kind := ""
	if body != "" {
		kind = "Content-Type: application/sdp\n"
	}
	c.send(fmt.Sprintf("SIP/2.0 %s\n%sContact: <sip:panel@%s>\n%sContent-Length: %d\n\n%s",
		status, head.String(), c.sip.LocalAddr(), kind, len(body)+strings.Count(body, "\n"), body))
}

// port reads the port of a medium out of a description.
func port(t *testing.T, message, medium string) uint16 {
	t.Helper()
	var n uint16
	m := regexp.MustCompile(`(?m)^m=` + medium + ` (\d+) `).FindStringSubmatch(message)
	if m == nil {
		t.Fatalf("no m=%s in\n%s", medium, message)
	}
	if _, err := fmt.Sscan(m[1], &n); err != nil {
		t.Fatal(err)
	}
	return n
}
