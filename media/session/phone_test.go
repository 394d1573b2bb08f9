package session

import (
	"net"
	"net/netip"
	"testing"
	"time"

	"doorstation/media/h264"
	"doorstation/media/sdp"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

var loopback = netip.MustParseAddr("127.0.0.1")

// patienceOfTests bounds a wait that a working leg ends long before.
const patienceOfTests = 10 * time.Second

// A socket is one end of the test's own.
type socket struct {
	t    *testing.T
	conn *net.UDPConn
}

func listen(t *testing.T, address string) *socket {
	t.Helper()
	conn, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(address), 0)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return &socket{t: t, conn: conn}
}

func (s *socket) place() netip.AddrPort { return s.conn.LocalAddr().(*net.UDPAddr).AddrPort() }

func (s *socket) write(raw []byte, to netip.AddrPort) {
	s.t.Helper()
	if _, err := s.conn.WriteToUDPAddrPort(raw, to); err != nil {
		s.t.Fatal(err)
	}
}

// read gives the next datagram.
func (s *socket) read() ([]byte, netip.AddrPort) {
	s.t.Helper()
	buf := make([]byte, 2048)
	s.conn.SetReadDeadline(time.Now().Add(patienceOfTests))
	n, from, err := s.conn.ReadFromUDPAddrPort(buf)
	if err != nil {
		s.t.Fatal(err)
	}
	return buf[:n], from
}

// readRTP gives the next RTP packet.
func (s *socket) readRTP() *rtp.Packet {
	s.t.Helper()
	for {
		raw, _ := s.read()
		if raw[0]>>6 == 2 && (raw[1] < 192 || raw[1] > 223) {
			var p rtp.Packet
			if err := p.Unmarshal(raw); err != nil {
				s.t.Fatal(err)
			}
			return &p
		}
	}
}

// readRTCP gives the packets of the next RTCP compound.
func (s *socket) readRTCP() []rtcp.Packet {
	s.t.Helper()
	for {
		raw, _ := s.read()
		if raw[0]>>6 == 2 && raw[1] >= 192 && raw[1] <= 223 {
			packets, err := rtcp.Unmarshal(raw)
			if err != nil {
				s.t.Fatal(err)
			}
			return packets
		}
	}
}

// A phone is the far end of a leg.
type phone struct {
	t            *testing.T
	audio, video *socket
	local        sdp.Local
	leg          sdp.Remote // as the leg described itself
	units        h264.Depacketizer
	seq          uint16
	ts           uint32
	ssrc         uint32
}

func newPhone(t *testing.T, codecs ...sdp.Codec) *phone {
	t.Helper()
	if len(codecs) == 0 {
		codecs = []sdp.Codec{sdp.PCMU}
	}
	p := &phone{t: t, audio: listen(t, "127.0.0.1"), video: listen(t, "127.0.0.1"), ssrc: 0xF00D, seq: 65530, ts: 1 << 31}
	p.local = sdp.Local{ID: 7, Version: 1,
		Audio: sdp.LocalAudio{RTP: p.audio.place(), RTCP: p.audio.place(), Codecs: codecs, Direction: sdp.SendRecv},
		Video: &sdp.LocalVideo{RTP: p.video.place(), RTCP: p.video.place(), Receive: true},
	}
	return p
}

// answer is the phone's answer to a leg's offer.
func (p *phone) answer(offer []byte) []byte {
	p.t.Helper()
	body, leg, err := sdp.Answer(p.local, offer)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, offer)
	}
	p.leg = leg
	return body
}

// offers makes the phone offer, as in a re-INVITE, and take the leg's answer.
func (p *phone) offers(s *Session) {
	p.t.Helper()
	p.local.Version++
	body, err := s.Answer(sdp.Offer(p.local))
	if err != nil {
		p.t.Fatal(err)
	}
	if p.leg, err = sdp.ReadAnswer(p.local, body); err != nil {
		p.t.Fatalf("%v\n%s", err, body)
	}
}

// rtp is the phone's next audio packet.
func (p *phone) rtp(pt uint8, payload []byte) []byte {
	h := rtp.Header{Version: 2, PayloadType: pt, SequenceNumber: p.seq, Timestamp: p.ts, SSRC: p.ssrc}
	p.seq++
	p.ts += 160
	raw, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

// A diary keeps a leg's events in order.
type diary chan Event

// next gives the next event of the kind of want, whatever comes between.
func next[E Event](t *testing.T, d diary) E {
	t.Helper()
	timeout := time.After(patienceOfTests)
	for {
		select {
		case ev := <-d:
			if e, ok := ev.(E); ok {
				return e
			}
		case <-timeout:
			var e E
			t.Fatalf("no %T came", e)
		}
	}
}

// none fails if an event of this kind is already there.
func none[E Event](t *testing.T, d diary) {
	t.Helper()
	for {
		select {
		case ev := <-d:
			if e, ok := ev.(E); ok {
				t.Errorf("an event too many: %#v", e)
			}
		default:
			return
		}
	}
}

// openLeg opens a leg with room for its events.
func openLeg(t testing.TB, change func(*Params)) (*Session, diary) {
	t.Helper()
	d := make(diary, 1000)
	p := Params{
		Address: loopback, PortMin: 20000, PortMax: 29999, Video: true,
		Codecs: []sdp.Codec{sdp.PCMU, sdp.PCMA}, ProfileLevelID: "42c016", Kbps: 500,
		CNAME: "panel@test", Notify: func(ev Event) { d <- ev },
	}
	if change != nil {
		change(&p)
	}
	s, err := Open(p)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s, d
}

// call connects a leg with a phone.
func call(t *testing.T, p *phone, change func(*Params)) (*Session, diary) {
	t.Helper()
	s, d := openLeg(t, change)
	if err := s.Apply(p.answer(s.Offer())); err != nil {
		t.Fatal(err)
	}
	return s, d
}
