package sipua

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorstation/callflow"
)

// A socketPhone is a phone on a real UDP socket.
type socketPhone struct {
	t    *testing.T
	conn net.PacketConn
	ua   *UA
	told chan string
}

// onSockets runs a panel and a phone on the loopback.
func onSockets(t *testing.T, cfg Config) *socketPhone {
	t.Helper()
	conn, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &socketPhone{t: t, conn: conn, told: make(chan string, 1000)}
	cfg.Local = netip.MustParseAddrPort("127.0.0.1:0")
	if p.ua, err = New(cfg, func(ev Event) { p.told <- tell(ev) }); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.ua.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		conn.Close()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return p
}

func (p *socketPhone) uri() string { return "sip:phone@" + p.conn.LocalAddr().String() }

// next is the next datagram of the panel.
func (p *socketPhone) next() string {
	p.t.Helper()
	buf := make([]byte, 64<<10)
	n, _, err := p.conn.ReadFrom(buf)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(buf[:n])
}

func (p *socketPhone) send(text string) {
	_, _ = p.conn.WriteTo([]byte(text), net.UDPAddrFromAddrPort(p.ua.LocalAddr()))
}

func (p *socketPhone) tells(want ...string) {
	p.t.Helper()
	for _, w := range want {
		if got := <-p.told; got != w {
			p.t.Fatalf("told %q, want %q", got, w)
		}
	}
}

// field gives a header line of a message.
func field(text, name string) string {
	_, rest, _ := strings.Cut(text, "\r\n"+name+": ")
	value, _, _ := strings.Cut(rest, "\r\n")
	return value
}

// answer makes a response to a request's text.
func answer(req string, status int, tag, rest string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d x\r\n", status)
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		b.WriteString(name + ": " + field(req, name))
		if name == "To" && !strings.Contains(field(req, "To"), "tag=") {
			b.WriteString(";tag=" + tag)
		}
		b.WriteString("\r\n")
	}
	return b.String() + rest
}

// Bursts of 183 with SDP, 180 and 200, sent back to back: nothing is lost, and
// nothing changes places.
func TestFactResponsesKeepTheirOrder(t *testing.T) {
	p := onSockets(t, Config{})
	for i := range 80 { // within what one peer may send at once
		leg := callflow.LegID(i + 1)
		p.ua.Invite(leg, p.uri(), []byte(testOffer))
		inv := p.next()
		first, second := "183", "180"
		if i%2 == 1 {
			first, second = second, first
		}
		for _, status := range []string{first, second, "200"} {
			rest := "Contact: <" + p.uri() + ">\r\nContent-Length: 0\r\n\r\n"
			if status == "183" {
				rest = "Content-Type: application/sdp\r\nContent-Length: 1\r\n\r\ne"
			}
			n := 0
			_, _ = fmt.Sscan(status, &n)
			p.send(answer(inv, n, "a", rest))
		}
		sdp := map[bool]string{true: " sdp:e"}
		p.tells("sent INVITE", "progress "+first+" a"+sdp[i%2 == 0], "progress "+second+" a sdp:e", "sent ACK", "answered a")
		p.next() // ACK
		p.ua.Bye(leg)
		p.send(answer(p.next(), 200, "a", "Content-Length: 0\r\n\r\n"))
		p.tells("sent BYE", "ended by us:true")
	}
}

// Pairs of INFO, sent back to back: each digit once, in their order.
func TestFactDigitsKeepTheirOrder(t *testing.T) {
	p := onSockets(t, Config{})
	p.ua.Invite(1, p.uri(), []byte(testOffer))
	inv := p.next()
	p.send(answer(inv, 200, "a", "Contact: <"+p.uri()+">\r\nContent-Length: 0\r\n\r\n"))
	p.next() // ACK
	p.tells("sent INVITE", "sent ACK", "answered a")
	for i := range 150 {
		for _, n := range []int{2*i + 1, 2*i + 2} {
			body := fmt.Sprintf("Signal=%d\r\n", n%10)
			p.send(fmt.Sprintf("INFO sip:panel@x SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d;rport\r\nFrom: %s;tag=a\r\nTo: %s\r\nCall-ID: %s\r\n"+
				"CSeq: %d INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: %d\r\n\r\n%s",
				p.conn.LocalAddr(), n, field(inv, "To"), field(inv, "From"), field(inv, "Call-ID"), n, len(body), body))
		}
		p.next()
		p.next()
		p.tells(fmt.Sprintf("digit %d", (2*i+1)%10), fmt.Sprintf("digit %d", (2*i+2)%10))
	}
	p.ua.Bye(1)
	p.send(answer(p.next(), 200, "a", "Content-Length: 0\r\n\r\n"))
	p.tells("sent BYE", "ended by us:true")
}

// A phone may ring in thirty responses before it answers.
func TestFactManyResponses(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, inv := ring(w)
		want := []string{"sent INVITE"}
		for range 30 {
			p.reply(inv, 180, "a", phoneContact())
			want = append(want, "progress 180 a")
		}
		p.reply(inv, 200, "a", phoneContact(), "sdp:x")
		p.request("ACK")
		w.heard(append(want, "sent ACK", "answered a sdp:x")...)
	})
}

// CANCEL goes where the INVITE went: to the outbound proxy, though a foreign
// Record-Route came back.
func TestFactCancelGoesToTheProxy(t *testing.T) {
	inWorld(t, Config{Account: Account{Domain: "house.example", Proxy: "192.0.2.2"}}, func(w *world) {
		proxy := w.peer(proxyAddr)
		w.ua.Invite(1, "sip:flat@elsewhere.example", []byte(testOffer))
		inv := proxy.request("INVITE")
		if inv.Route() == nil || inv.Route().Value() != "<sip:192.0.2.2;lr>" {
			t.Errorf("INVITE:\n%s", inv)
		}
		proxy.reply(inv, 180, "a", "Record-Route: <sip:198.51.100.9;lr>", "Contact: <sip:flat@198.51.100.8>")
		w.heard("sent INVITE", "progress 180 a")
		w.ua.Cancel(1)
		can := proxy.request("CANCEL")
		for _, f := range []string{"via", "route"} {
			if a, b := can.GetHeader(f), inv.GetHeader(f); a == nil || a.Value() != b.Value() {
				t.Errorf("%s of the CANCEL is %v, of the INVITE %v", f, a, b)
			}
		}
		if can.Recipient.String() != inv.Recipient.String() || len(can.GetHeaders("via")) != 1 {
			t.Errorf("CANCEL:\n%s", can)
		}
	})
}

// The ACK has the INVITE's number, whatever was sent since.
func TestFactAckHasTheInvitesNumber(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, inv := ring(w)
		p.reply(inv, 183, "a", phoneContact(), "Require: 100rel", "RSeq: 1", "sdp:early")
		prack := p.request("PRACK")
		p.reply(prack, 200, "a")
		p.reply(inv, 200, "a", phoneContact())
		ack := p.request("ACK")
		if prack.CSeq().SeqNo != 2 || ack.CSeq().SeqNo != 1 {
			t.Errorf("numbers: PRACK %d, ACK %d", prack.CSeq().SeqNo, ack.CSeq().SeqNo)
		}
	})
}

// A panic while a datagram is read costs that datagram.
func TestFactReaderSurvivesPanics(t *testing.T) {
	side := func(b []byte, _ netip.AddrPort) bool { panic(fmt.Sprint("at ", len(b))) }
	inWorld(t, Config{OnPacket: side}, func(w *world) {
		p, inv := ring(w)
		for range 3 {
			p.send("\x01\x01\x00\x00" + strings.Repeat("x", 40))
		}
		p.reply(inv, 486, "a")
		p.request("ACK")
		w.heard("sent INVITE", "refused 486")
	})
}

// Each INVITE has a Contact of its own: what changes for the second does not
// change the first, which may be on the wire again at that moment.
func TestFactContactsAreTheirOwn(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p := w.peer("203.0.113.10:5060") // beyond the NAT
		w.ua.Invite(1, "sip:phone@203.0.113.10", []byte(testOffer))
		one := p.request("INVITE")
		w.ua.SetPublic(netip.MustParseAddrPort("198.51.100.7:40000"))
		w.ua.Invite(2, "sip:phone@203.0.113.10", []byte(testOffer))
		two := p.request("INVITE")
		first, second := one.Contact().Value(), two.Contact().Value()
		contacts := map[string]string{one.CallID().Value(): first, two.CallID().Value(): second}
		time.Sleep(600 * time.Millisecond)
		for range 2 { // both come again
			if again := p.request("INVITE"); again.Contact().Value() != contacts[again.CallID().Value()] {
				t.Errorf("Contact %s, before %v", again.Contact().Value(), contacts)
			}
		}
		if first == second {
			t.Errorf("both have %s", first)
		}
	})
}

// STUN goes out by the SIP socket and comes back by it, beside SIP.
func TestFactStunOnTheSIPSocket(t *testing.T) {
	replies := make(chan []byte, 1)
	p := onSockets(t, Config{OnPacket: func(b []byte, _ netip.AddrPort) bool {
		replies <- bytes.Clone(b)
		return true
	}})
	query := append([]byte{0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42}, make([]byte, 12)...)
	if err := p.ua.WriteTo(query, netip.MustParseAddrPort(p.conn.LocalAddr().String())); err != nil {
		t.Fatal(err)
	}
	if got := p.next(); got != string(query) {
		t.Errorf("the server got %x", got)
	}
	reply := append([]byte{1, 1}, query[2:]...)
	p.send(string(reply))
	if got := <-replies; !bytes.Equal(got, reply) {
		t.Errorf("the reply is %x", got)
	}
}

// What is no SIP ends a flow, and that is noticed: the panel registers by a new
// one. A message in pieces, and a ping, do not.
func TestFactStreamsAreFramedByUs(t *testing.T) {
	s := serveStream(t, nil)
	_, events := runStream(t, s, Account{Transport: "tcp"})
	s.accept()
	s.send(replyText(s.request("REGISTER"), 200, "r", "Expires: 600"))
	if ev, ok := (<-events).(Registered); !ok {
		t.Fatalf("got %+v", ev)
	}
	for _, b := range []byte("\r\n\r\n" + strings.Replace(options, "OPTIONS sip:x@y", "OPTIONS sip:x@127.0.0.1", 1)) {
		s.send(string(b)) // without a Content-Length: bad after all
	}
	if pong, err := s.r.ReadString('\n'); err != nil || pong != "\r\n" {
		t.Fatalf("%q, %v", pong, err)
	}
	if line, err := s.r.ReadString('\n'); err != nil || !strings.HasPrefix(line, "SIP/2.0 400 ") {
		t.Fatalf("%q, %v", line, err)
	}
	if ev, ok := (<-events).(Unregistered); !ok {
		t.Fatalf("got %+v", ev)
	}
	s.accept()
	s.request("REGISTER")
}
