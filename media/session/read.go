package session

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime/debug"
	"time"

	"github.com/pion/rtp"
)

// maxDatagram is the largest datagram taken, in bytes; longer ones are cut by
// the kernel and fail their checks.
const maxDatagram = 2048

// read takes what comes to one of the stream's sockets until it is closed.
// Nothing is parsed, counted by source or kept before the source was checked.
func (s *stream) read(conn *net.UDPConn) {
	buf := make([]byte, maxDatagram)
	in, err := newReader(conn)
	if err != nil {
		return // closed before it began
	}
	for {
		n, from, err := in.read(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || n < 2 {
			continue // a datagram's own trouble, such as a late ICMP error
		}
		from = netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
		s.contain(buf[:n], from, conn == s.rtp)
	}
}

// contain takes one datagram; whatever a parser does, the call goes on.
func (s *stream) contain(pkt []byte, from netip.AddrPort, onRTP bool) {
	defer func() {
		if fault := recover(); fault != nil {
			s.log.Error("datagram_dropped", "stream", s.kind.String(), "bytes", len(pkt),
				"err", fmt.Sprint(fault), "stack", string(debug.Stack()))
		}
	}()
	if onRTP && s.keeper != nil && from == s.server {
		s.keeper.Handle(pkt, from)
		return
	}
	s.take(s.now(), pkt, from)
}

// The first octets of what shares a port: RTP and RTCP have version 2 (RFC
// 3550 section 5.1), and RTCP's types keep clear of RTP's (RFC 5761 section 4).
const (
	version2 = 2
	rtcpLow  = 192
	rtcpHigh = 223
)

// take takes one datagram of RTP or RTCP that came at now.
func (s *stream) take(now time.Duration, pkt []byte, from netip.AddrPort) {
	isRTCP := pkt[1] >= rtcpLow && pkt[1] <= rtcpHigh
	s.in.mu.Lock()
	p := s.peer.Load()
	if p == nil || !s.in.admit(p, from, isRTCP) {
		s.in.mu.Unlock()
		s.in.strangers.Add(1)
		return
	}
	if pkt[0]>>6 != version2 {
		s.in.mu.Unlock()
		return // STUN or an empty keepalive of the far end (RFC 6263 section 4)
	}
	if isRTCP {
		ok := s.in.reports.take(now)
		s.in.mu.Unlock()
		if !ok || s.control(now, pkt) != nil {
			s.refuse()
		}
		return
	}
	first := s.in.packets == 0
	got := s.media(now, p, pkt)
	s.in.mu.Unlock()
	if first && got.ok {
		s.notify(FirstIn{Stream: s.kind, At: s.epoch.Add(now)})
	}
	if got.key != 0 {
		s.notify(Digit{Key: got.key, At: s.epoch.Add(now)})
	}
}

// admit checks the source. The caller holds in.mu.
func (in *inbound) admit(p *peer, from netip.AddrPort, isRTCP bool) bool {
	if isRTCP && !p.muxed() {
		return in.rtcpFrom.admit(from)
	}
	return in.rtpFrom.admit(from)
}

// media takes an RTP packet of the far end and counts it. The caller holds
// in.mu.
func (s *stream) media(now time.Duration, p *peer, pkt []byte) verdict {
	h := &s.in.header
	n, err := h.Unmarshal(pkt)
	if err != nil || !p.receives() || h.SSRC == s.out.ssrc {
		s.in.refused++
		return verdict{}
	}
	payload, ok := unpadded(h, pkt[n:])
	if !ok {
		s.in.refused++
		return verdict{}
	}
	got := s.accept(now, p, h, payload)
	if !got.ok {
		s.in.refused++
		return got
	}
	s.in.packets++
	s.in.octets += uint64(len(payload))
	s.heard.Store(int64(now))
	return got
}

// unpadded takes the padding off (RFC 3550 section 5.1).
func unpadded(h *rtp.Header, payload []byte) ([]byte, bool) {
	if !h.Padding {
		return payload, true
	}
	if len(payload) == 0 {
		return nil, false
	}
	pad := int(payload[len(payload)-1])
	if pad == 0 || pad > len(payload) {
		return nil, false
	}
	return payload[:len(payload)-pad], true
}

func (s *stream) refuse() {
	s.in.mu.Lock()
	s.in.refused++
	s.in.mu.Unlock()
}
