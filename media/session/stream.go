package session

import (
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"doorstation/media/nat"

	"github.com/pion/rtp"
)

// A stream is one of the leg's two: a pair of sockets, the far end as
// described, what is sent and what is heard.
type stream struct {
	kind      Stream
	clock     int64 // of the RTP timestamps, in Hz
	rtp, rtcp *net.UDPConn
	local     netip.AddrPort // of RTP
	epoch     time.Time      // the zero of every time.Duration called now
	log       *slog.Logger
	notify    func(Event)

	accept  func(now time.Duration, p *peer, h *rtp.Header, payload []byte) verdict // takes the content of RTP
	picture func(now time.Duration)                                                 // the far end asks for a key frame; nil for audio

	peer   atomic.Pointer[peer]
	heard  atomic.Int64 // when the far end was last heard, as a Duration; 0: never
	mapped atomic.Pointer[netip.AddrPort]
	known  chan struct{} // closed once mapped is
	keeper *nat.Keeper   // nil without a STUN server
	server netip.AddrPort

	last, due time.Duration // of our reports; the housekeeping's own
	kept      time.Duration // when the last keepalive left; the housekeeping's own

	out outbound
	in  inbound
}

// outbound is what RTCP and the counters know of what was sent.
type outbound struct {
	mu       sync.Mutex
	ssrc     uint32
	seq      uint16
	packets  uint64
	octets   uint64        // of payload
	stamp    uint32        // timestamp of the last packet
	stampAt  time.Duration // and the time it stands for
	reported [2]uint64     // packets when the last report left, and the one before it
	cadence  cadence
	lost     uint64        // as the far end reports
	trip     time.Duration // round trip
}

// inbound is what was heard; the reading goroutines and RTCP share it.
type inbound struct {
	mu        sync.Mutex
	rtpFrom   sourceGate
	rtcpFrom  sourceGate
	media     ssrcGate
	events    ssrcGate
	reports   bucket
	reception reception
	header    rtp.Header // used again
	packets   uint64
	octets    uint64
	refused   uint64
	ended     bool
	fir       int // sequence number of the last FIR; -1: none
	strangers atomic.Uint64
}

// begin sets the random values of RFC 3550 section 5.1: nobody shall guess where the numbers
// begin.
func (o *outbound) begin() {
	o.ssrc, o.seq, o.stamp = rand.Uint32(), uint16(rand.Uint32()), rand.Uint32()
}

// set gives the stream its far end; nil when the stream was refused. moved
// reports another place.
func (s *stream) set(p *peer) (changed, moved bool) {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	old := s.peer.Load()
	if old.same(p) {
		return false, false
	}
	s.peer.Store(p)
	moved = old.moved(p)
	if moved {
		s.in.expect(p)
	}
	return true, moved
}

// expect sets the gates for a far end at another place.
func (in *inbound) expect(p *peer) {
	in.rtpFrom = sourceGate{former: in.rtpFrom.described}
	in.rtcpFrom = sourceGate{former: in.rtcpFrom.described}
	if p != nil {
		in.rtpFrom.described, in.rtcpFrom.described = p.rtp, p.rtcp
	}
	in.media, in.events = newSSRCGate(ssrcProof), newSSRCGate(1)
	in.reception = reception{clock: in.reception.clock}
	in.ended = false
}

// now is the time since the leg was opened.
func (s *stream) now() time.Duration { return time.Since(s.epoch) }

// sent counts a packet of the stream. first tells that it was the first one.
func (o *outbound) sent(now time.Duration, stamp uint32, packets, octets int) (first bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	first = o.packets == 0
	o.packets += uint64(packets)
	o.octets += uint64(octets)
	o.stamp, o.stampAt = stamp, now
	return first
}

// public is the address to describe: as the world sees it, where that is known.
func (s *stream) public() netip.AddrPort {
	if m := s.mapped.Load(); m != nil {
		return *m
	}
	return s.local
}

// stats copies the counters.
func (s *stream) stats() StreamStats {
	var st StreamStats
	s.out.mu.Lock()
	st.PacketsOut, st.BytesOut = s.out.packets, s.out.octets
	st.LostOut, st.RoundTrip = s.out.lost, s.out.trip
	s.out.mu.Unlock()
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	st.PacketsIn, st.BytesIn = s.in.packets, s.in.octets
	st.LostIn = uint64(max(s.in.reception.lost(), 0))
	st.JitterIn = s.in.reception.jitterTime()
	st.Strangers, st.Refused, st.Ended = s.in.strangers.Load(), s.in.refused, s.in.ended
	return st
}
