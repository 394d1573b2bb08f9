package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// A scripted phone is played by the test itself, for meetings of messages that
// SIPp cannot time: it will not send twice while an answer is on its way.
type scripted struct {
	t      testing.TB
	host   *host
	conn   *net.UDPConn
	invite string
	from   netip.AddrPort
}

func newScripted(h *host) *scripted {
	h.t.Helper()
	return &scripted{t: h.t, host: h, conn: h.udp(5060)}
}

func (s *scripted) uri() string { return "sip:phone@" + s.host.at(5060).String() }

// request waits for a request of the method. Repetitions of the INVITE, and
// what else comes, are passed over.
func (s *scripted) request(method string) string {
	s.t.Helper()
	_ = s.conn.SetReadDeadline(time.Now().Add(patience))
	b := make([]byte, 65536)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			s.t.Fatalf("the phone waits for %s: %v", method, err)
		}
		message := string(b[:n])
		if !strings.HasPrefix(message, method+" ") {
			continue
		}
		s.from = from
		if method == "INVITE" {
			s.invite = message
		}
		return message
	}
}

// respond sends each response, one after the other without a pause.
func (s *scripted) respond(messages ...string) {
	s.t.Helper()
	for _, m := range messages {
		if _, err := s.conn.WriteToUDPAddrPort([]byte(m), s.from); err != nil {
			s.t.Fatal(err)
		}
	}
}

// response builds one (RFC 3261 section 8.2.6). The To of a request inside the
// dialog has its tag already.
func (s *scripted) response(request, status, tag, body string, extra ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %s\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		value := headerOf([]byte(request), name)
		if name == "To" && !strings.Contains(value, ";tag=") {
			value += ";tag=" + tag
		}
		fmt.Fprintf(&b, "%s: %s\r\n", name, value)
	}
	fmt.Fprintf(&b, "Contact: <%s>\r\n", s.uri())
	for _, line := range extra {
		b.WriteString(line + "\r\n")
	}
	if body != "" {
		b.WriteString("Content-Type: application/sdp\r\n")
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(body), body)
	return b.String()
}

// answer is the SDP to the INVITE's offer, with the ports of a handpiece.
func (s *scripted) answer() string {
	video := ""
	for line := range strings.SplitSeq(s.invite, "\r\n") {
		if rest, found := strings.CutPrefix(line, "a=rtpmap:"); found && strings.Contains(rest, " H264/") {
			video, _, _ = strings.Cut(rest, " ")
			break
		}
	}
	lines := []string{
		"v=0", "o=phone 1 1 IN IP4 " + s.host.addr.String(), "s=-", "c=IN IP4 " + s.host.addr.String(), "t=0 0",
		"m=audio 6000 RTP/AVP 0 101", "a=rtpmap:101 telephone-event/8000", "a=fmtp:101 0-15",
	}
	if video != "" {
		lines = append(lines,
			"m=video 6002 RTP/AVP "+video, "a=rtpmap:"+video+" H264/90000",
			"a=fmtp:"+video+" packetization-mode=1;profile-level-id=42c01f", "a=recvonly")
	}
	return strings.Join(lines, "\r\n") + "\r\n"
}

// bye ends the call from the phone's side.
func (s *scripted) bye(tag string) {
	s.t.Helper()
	in := []byte(s.invite)
	contact := headerOf(in, "Contact")
	contact = contact[strings.Index(contact, "<")+1 : strings.Index(contact, ">")]
	s.respond(strings.Join([]string{
		"BYE " + contact + " SIP/2.0",
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=z9hG4bKbye%d", s.host.at(5060), time.Now().UnixNano()),
		"From: " + headerOf(in, "To") + ";tag=" + tag, "To: " + headerOf(in, "From"),
		"Call-ID: " + headerOf(in, "Call-ID"), "CSeq: 1 BYE", "Max-Forwards: 70", "Content-Length: 0", "", "",
	}, "\r\n"))
}
