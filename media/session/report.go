package session

import (
	"math/rand/v2"
	"time"

	"github.com/pion/rtcp"
)

// report builds the stream's next compound RTCP packet: SR when something was
// sent since the last report but one, else RR (RFC 3550 section 6.4); and SDES
// with the CNAME (section 6.5.1).
func (s *stream) report(now time.Duration, cname string) rtcp.CompoundPacket {
	return rtcp.CompoundPacket{s.head(now), rtcp.NewCNAMESourceDescription(s.out.ssrc, cname)}
}

// head is the report that every compound packet begins with.
func (s *stream) head(now time.Duration) rtcp.Packet {
	var blocks []rtcp.ReceptionReport
	s.in.mu.Lock()
	if s.in.reception.heard {
		blocks = append(blocks, s.in.reception.block(now))
	}
	s.in.mu.Unlock()
	o := &s.out
	o.mu.Lock()
	defer o.mu.Unlock()
	active := o.packets != o.reported[1]
	o.reported = [2]uint64{o.packets, o.reported[0]}
	if !active {
		return &rtcp.ReceiverReport{SSRC: o.ssrc, Reports: blocks}
	}
	since := int64(now-o.stampAt) * s.clock / int64(time.Second)
	return &rtcp.SenderReport{
		SSRC:        o.ssrc,
		NTPTime:     ntp(s.epoch.Add(now)),
		RTPTime:     o.stamp + uint32(since),
		PacketCount: uint32(o.packets),
		OctetCount:  uint32(o.octets),
		Reports:     blocks,
	}
}

// sendReport sends a report to the far end, with a BYE behind it at the end of
// the leg.
func (s *stream) sendReport(now time.Duration, cname string, bye bool) {
	p := s.peer.Load()
	if p == nil || !p.rtcp.IsValid() {
		return
	}
	compound := s.report(now, cname)
	if bye {
		compound = append(compound, &rtcp.Goodbye{Sources: []uint32{s.out.ssrc}})
	}
	raw, err := compound.Marshal()
	if err != nil {
		s.log.Error("rtcp_not_sent", "stream", s.kind.String(), "err", err)
		return
	}
	conn := s.rtcp
	if p.muxed() {
		conn = s.rtp
	}
	if _, err := conn.WriteToUDPAddrPort(raw, p.rtcp); err != nil {
		s.log.Debug("rtcp_not_sent", "stream", s.kind.String(), "peer", p.rtcp.String(), "err", err)
		return
	}
	s.out.mu.Lock()
	s.out.cadence.passed(len(raw))
	s.out.mu.Unlock()
}

// goodbyeDue reports whether the far end has heard of us: who has sent nothing
// sends no BYE (RFC 3550 section 6.3.7).
func (s *stream) goodbyeDue() bool {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.packets > 0 || s.out.cadence.sentOne
}

// reportDue sends a report when its time has come, and tells when to look
// again. Only the housekeeping calls it.
func (s *stream) reportDue(now time.Duration, cname string) time.Duration {
	if s.peer.Load() == nil {
		s.due = 0
		return never
	}
	if s.due == 0 {
		s.last = now
		s.due = now + s.nextReport()
	}
	if now < s.due {
		return s.due
	}
	s.out.mu.Lock()
	send, due := s.out.cadence.expired(now, s.last, rand.Float64())
	s.out.mu.Unlock()
	s.due = due
	if send {
		s.sendReport(now, cname, false)
		s.last = now
		s.due = now + s.nextReport()
	}
	return s.due
}

// nextReport draws the time until the next report.
func (s *stream) nextReport() time.Duration {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	return s.out.cadence.next(rand.Float64())
}
