package sipua

import (
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

const options = "OPTIONS sip:x@y SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2\r\n\r\n"

func TestGatePasses(t *testing.T) {
	s := newSources()
	s.hold(netip.MustParseAddrPort("192.0.2.2:5060"))
	s.hold(netip.MustParseAddrPort("192.0.2.3:0"))
	side := func(b []byte, _ netip.AddrPort) bool { return b[1] == 1 }
	g := newGate(nil, s, side, quietLog)
	for name, c := range map[string]struct {
		b, from string
		want    bool
	}{
		"a request":              {options, "192.0.2.2:5060", true},
		"a response":             {"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP x;branch=z9hG4bK1\r\n\r\n", "192.0.2.2:5060", true},
		"from another port":      {options, "192.0.2.2:6000", true},
		"of an admitted host":    {options, "192.0.2.3:1", true},
		"of a stranger":          {options, "192.0.2.4:5060", false},
		"STUN, swallowed":        {"\x01\x01" + strings.Repeat("x", 40), "192.0.2.9:1", false},
		"STUN, not swallowed":    {"\x01\x02" + strings.Repeat("x", 40), "192.0.2.2:5060", false},
		"CRLF":                   {"\r\n\r\n", "192.0.2.2:5060", false},
		"nothing":                {"", "192.0.2.2:5060", false},
		"too long":               {options + strings.Repeat("x", maxDatagram), "192.0.2.2:5060", false},
		"no version in the line": {"OPTIONS sip:x@y HTTP/1.1\r\nVia: SIP/2.0/UDP x\r\n\r\n", "192.0.2.2:5060", false},
		"no line":                {strings.Repeat("A", 100), "192.0.2.2:5060", false},
		"no token, and no STUN":  {"(options) sip:x@y SIP/2.0\r\nVia: x\r\n\r\n", "192.0.2.2:5060", false},
	} {
		if got := g.passes([]byte(c.b), netip.MustParseAddrPort(c.from)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestRates(t *testing.T) {
	s := newSources()
	phone, other := netip.MustParseAddrPort("192.0.2.2:5060"), netip.MustParseAddrPort("192.0.2.2:9")
	s.hold(phone)
	now := time.Unix(1000, 0)
	count := func(from netip.AddrPort) int {
		n := 0
		for range 5000 {
			if s.admit(from, now) {
				n++
			}
		}
		return n
	}
	if n := count(other); n != sharedBurst {
		t.Errorf("another port: %d at once", n)
	}
	if n := count(phone); n != peerBurst {
		t.Errorf("the phone, while its neighbour floods: %d at once", n)
	}
	now = now.Add(100 * time.Millisecond)
	if n := count(phone); n != peerRate/10 {
		t.Errorf("the phone, 100 ms later: %d", n)
	}
	s.release(phone)
	if s.admit(phone, now.Add(time.Hour)) {
		t.Error("admitted after its release")
	}
}

// A failing socket reads with an error first.
type failing struct {
	net.PacketConn
	errs []error
}

func (f *failing) ReadFrom(b []byte) (int, net.Addr, error) {
	err := f.errs[0]
	f.errs = f.errs[1:]
	if err != nil {
		return 0, nil, err
	}
	return copy(b, options), &net.UDPAddr{IP: net.IPv4(192, 0, 2, 2), Port: 5060}, nil
}

func TestGateGivesNoErrorButClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newSources()
		s.hold(netip.MustParseAddrPort("192.0.2.2:5060"))
		g := newGate(&failing{errs: []error{errors.New("network down"), nil, net.ErrClosed}}, s, nil, quietLog)
		if n, _, err := g.ReadFrom(make([]byte, 1000)); err != nil || n != len(options) {
			t.Errorf("%d, %v", n, err)
		}
		if _, _, err := g.ReadFrom(make([]byte, 1000)); !errors.Is(err, net.ErrClosed) {
			t.Errorf("closed: %v", err)
		}
	})
}

func TestFloodOfStrangersIsForgotten(t *testing.T) {
	inWorld(t, Config{}, func(w *world) {
		p, inv := ring(w)
		before := w.ua.tpl.Pool("udp").Size()
		for i := range 1000 {
			n := w.node(netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, byte(i >> 8), byte(i)}), 5060).String())
			_, _ = n.WriteTo([]byte(options), net.UDPAddrFromAddrPort(w.panel))
			synctest.Wait()
		}
		if after := w.ua.tpl.Pool("udp").Size(); after != before {
			t.Errorf("the transport remembers %d addresses, before %d", after, before)
		}
		p.reply(inv, 486, "a")
		w.heard("sent INVITE", "refused 486")
	})
}
