package sipua

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"doorstation/callflow"
)

// runListener runs a panel on loopback that lets guard in.
func runListener(t *testing.T, listen bool, local netip.AddrPort) (*UA, chan Event) {
	t.Helper()
	events := make(chan Event, 100)
	u, err := New(Config{ListenTCP: listen, Local: local, Allow: []string{"sip:guard@127.0.0.1"},
		NewLeg: func() callflow.LegID { return 9 }}, func(ev Event) { events <- ev })
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	turn(u)
	return u, events
}

// turn waits until the panel has begun and has done all that waited.
func turn(u *UA) {
	turned := make(chan struct{})
	u.Turn(func() { close(turned) })
	<-turned
}

var anyPort = netip.MustParseAddrPort("127.0.0.1:0")

func dialFrom(t *testing.T, host string, to netip.AddrPort) *net.TCPConn {
	t.Helper()
	conn, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.ParseIP(host)}, net.TCPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

func TestNoListenerUnlessAskedFor(t *testing.T) {
	u, _ := runListener(t, false, anyPort)
	if conn, err := net.Dial("tcp", u.LocalAddr().String()); !errors.Is(err, syscall.ECONNREFUSED) {
		t.Errorf("got %v, %v", conn, err)
	}
}

// A listed peer calls over TCP, in pieces, and the call is answered and ended on
// his connection, while strangers are sent away.
func TestCallOverListener(t *testing.T) {
	u, events := runListener(t, true, anyPort)
	conn := dialFrom(t, "127.0.0.1", u.LocalAddr())
	v := &visitor{addr: conn.LocalAddr().String()}
	text := v.request("INVITE", "c", 1, "", "sdp:offer")
	for _, piece := range []string{"\r\n\r\n", text[:30], text[30 : len(text)-3], text[len(text)-3:]} {
		if _, err := conn.Write([]byte(piece)); err != nil {
			t.Fatal(err)
		}
	}
	r := &heardOn{t: t, conn: conn}
	r.hears("\r\n")
	r.hears("SIP/2.0 180 Ringing\r\nVia: SIP/2.0/TCP " + v.addr + ";")
	if got := tell(<-events); got != "incoming sip:guard@127.0.0.1 sdp:offer" {
		t.Errorf("told %q", got)
	}

	for range 3 {
		if err := asStranger(u.LocalAddr()); !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("the stranger is not sent away: %v", err)
		}
	}

	u.Reject(9, 486)
	r.hears("SIP/2.0 486 Busy Here\r\n")
}

// asStranger connects from a host that nobody has listed, and tells what comes
// of it: the reset may come while the connection is made, or behind it.
func asStranger(to netip.AddrPort) error {
	conn, err := net.DialTCP("tcp", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 2)}, net.TCPAddrFromAddrPort(to))
	if err != nil {
		return err
	}
	defer conn.Close()
	_, err = conn.Read(make([]byte, 1))
	return err
}

// A heardOn reads what comes on a connection.
type heardOn struct {
	t    *testing.T
	conn net.Conn
	text string
}

// hears takes the next message, or CRLF, which has to begin so.
func (h *heardOn) hears(start string) {
	h.t.Helper()
	buf := make([]byte, 4096)
	for h.whole() == 0 {
		n, err := h.conn.Read(buf)
		if err != nil {
			h.t.Fatalf("want %q: %v", start, err)
		}
		h.text += string(buf[:n])
	}
	got := h.text[:h.whole()]
	if !strings.HasPrefix(got, start) {
		h.t.Fatalf("want %q, got %q", start, got)
	}
	h.text = h.text[len(got):]
}

// whole is the length of the first message without a body, or of the CRLF; 0
// while more has to come.
func (h *heardOn) whole() int {
	if strings.HasPrefix(h.text, "\r\n") {
		return 2
	}
	if i := strings.Index(h.text, "\r\n\r\n"); i > 0 {
		return i + 4
	}
	return 0
}

// While another process has the port, the panel goes on over UDP; it takes
// connections as soon as it can.
func TestListenerPortInUse(t *testing.T) {
	other, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	u, _ := runListener(t, true, addrPortOf(other.Addr()))
	phone, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(u.LocalAddr()))
	if err != nil {
		t.Fatal(err)
	}
	defer phone.Close()
	v := &visitor{addr: phone.LocalAddr().String()}
	if _, err := phone.Write([]byte(strings.Replace(v.request("OPTIONS", "c", 1, ""), "/TCP", "/UDP", 1))); err != nil {
		t.Fatal(err)
	}
	(&heardOn{t: t, conn: phone}).hears("SIP/2.0 200 OK\r\n")

	other.Close()
	u.box.post(u.listen) // as it does a minute later
	turn(u)
	conn := dialFrom(t, "127.0.0.1", u.LocalAddr())
	if _, err := conn.Write([]byte("\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	(&heardOn{t: t, conn: conn}).hears("\r\n")
}
