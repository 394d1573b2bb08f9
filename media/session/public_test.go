package session

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/pion/stun/v2"
)

// serve answers Binding requests: everybody comes from 203.0.113.7 and a port
// 10000 below the real one.
func (s *socket) serve() {
	buf := make([]byte, 1500)
	for {
		n, from, err := s.conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		m := &stun.Message{Raw: buf[:n]}
		if m.Decode() != nil || m.Type != stun.BindingRequest {
			continue
		}
		reply, err := stun.Build(m, stun.BindingSuccess, &stun.XORMappedAddress{IP: []byte{203, 0, 113, 7}, Port: int(from.Port()) - 10000})
		if err == nil {
			s.conn.WriteToUDPAddrPort(reply.Raw, from)
		}
	}
}

func TestPublicAddressesAreOffered(t *testing.T) {
	server := listen(t, "127.0.0.1")
	go server.serve()
	s, _ := openLeg(t, func(p *Params) { p.STUN = server.place(); p.Keepalive = time.Hour })
	private := string(s.Offer())
	if err := s.Public(t.Context()); err != nil {
		t.Fatal(err)
	}
	offer := string(s.Offer())
	for _, st := range s.streams {
		want := netip.AddrPortFrom(netip.MustParseAddr("203.0.113.7"), st.local.Port()-10000)
		if got := st.public(); got != want {
			t.Errorf("%v: %v, want %v", st.kind, got, want)
		}
	}
	if !strings.Contains(offer, "203.0.113.7") || strings.Contains(offer, "127.0.0.1") || offer == private {
		t.Errorf("offered:\n%s", offer)
	}
	if err := s.Public(t.Context()); err != nil { // cached
		t.Error(err)
	}
}

func TestPublicGivesUp(t *testing.T) {
	deaf := listen(t, "127.0.0.1")
	s, _ := openLeg(t, func(p *Params) { p.STUN = deaf.place() })
	err := s.Public(t.Context())
	if err == nil || !strings.Contains(err.Error(), deaf.place().String()) {
		t.Errorf("%v", err)
	}
	if !strings.Contains(string(s.Offer()), "127.0.0.1") {
		t.Error("the local address is not offered in its place")
	}
}

// The way to the far end is opened at once, and kept open while no media goes
// that way, by what is neither RTP nor asks for an answer.
func TestKeepalive(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, func(p *Params) { p.Keepalive = time.Hour })
	raw, from := p.audio.read()
	m := &stun.Message{Raw: raw}
	if err := m.Decode(); err != nil || m.Type != stun.NewType(stun.MethodBinding, stun.ClassIndication) {
		t.Fatalf("%v, % x", err, raw)
	}
	if from != p.leg.Audio.RTP {
		t.Errorf("from %v, want the RTP port", from)
	}
	st := &stream{kind: Audio, rtp: s.audio.rtp, log: s.params.Log}
	st.peer.Store(s.audio.peer.Load())
	st.out.packets, st.out.stampAt = 1, time.Minute
	if due := st.keepalive(time.Minute+4*time.Second, 5*time.Second); due != time.Minute+5*time.Second {
		t.Errorf("media has just left, and the next keepalive is due at %v", due)
	}
	if due := st.keepalive(time.Minute+5*time.Second, 5*time.Second); due != time.Minute+10*time.Second {
		t.Errorf("the one after it is due at %v", due)
	}
	p.audio.read()
}
