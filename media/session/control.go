package session

import (
	"time"

	"github.com/pion/rtcp"
)

// control reads an RTCP packet of the far end that came at now.
func (s *stream) control(now time.Duration, pkt []byte) error {
	packets, err := rtcp.Unmarshal(pkt)
	if err != nil {
		return err
	}
	s.out.mu.Lock()
	s.out.cadence.passed(len(pkt))
	s.out.mu.Unlock()
	s.heard.Store(int64(now))
	wanted := false
	for _, packet := range packets {
		switch packet := packet.(type) {
		case *rtcp.SenderReport:
			s.senderReport(now, packet)
			s.reports(now, packet.Reports)
		case *rtcp.ReceiverReport:
			s.reports(now, packet.Reports)
		case *rtcp.PictureLossIndication:
			wanted = wanted || s.means(packet.MediaSSRC)
		case *rtcp.FullIntraRequest:
			wanted = s.intra(packet) || wanted
		case *rtcp.Goodbye:
			s.goodbye(packet)
		}
	}
	if wanted && s.picture != nil {
		s.picture(now)
	}
	return nil
}

// means tells whether feedback is about what we send; some phones leave the
// SSRC zero.
func (s *stream) means(ssrc uint32) bool { return ssrc == s.out.ssrc || ssrc == 0 }

// intra reports whether a FIR is a new command and no repetition (RFC 5104
// section 4.3.1.1).
func (s *stream) intra(packet *rtcp.FullIntraRequest) bool {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	for _, entry := range packet.FIR {
		if s.means(entry.SSRC) && s.in.fir != int(entry.SequenceNumber) {
			s.in.fir = int(entry.SequenceNumber)
			return true
		}
	}
	return false
}

func (s *stream) senderReport(now time.Duration, packet *rtcp.SenderReport) {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	if s.in.reception.heard && packet.SSRC == s.in.reception.ssrc {
		s.in.reception.senderReport(now, packet.NTPTime)
	}
}

// reports takes what the far end says of our packets (RFC 3550 section 6.4.1).
func (s *stream) reports(now time.Duration, blocks []rtcp.ReceptionReport) {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	for _, b := range blocks {
		if b.SSRC != s.out.ssrc {
			continue
		}
		s.out.lost = uint64(b.TotalLost)
		if b.LastSenderReport == 0 {
			continue
		}
		middle := uint32(ntp(s.epoch.Add(now)) >> 16)
		if units := int32(middle - b.LastSenderReport - b.Delay); units >= 0 {
			s.out.trip = time.Duration(units) * time.Second / 65536
		}
	}
}

// goodbye notes that the source we hear has left (RFC 3550 section 6.6). The
// call's end is for SIP to say.
func (s *stream) goodbye(packet *rtcp.Goodbye) {
	s.in.mu.Lock()
	defer s.in.mu.Unlock()
	for _, ssrc := range packet.Sources {
		if s.in.reception.heard && ssrc == s.in.reception.ssrc {
			s.in.ended = true
		}
	}
}

// ntpEpoch is the Unix time 0 in seconds of NTP (RFC 5905 section 6).
const ntpEpoch = 2208988800

// ntp is a wall-clock time as a 64-bit NTP timestamp (RFC 3550 section 4).
func ntp(t time.Time) uint64 {
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return uint64(t.Unix()+ntpEpoch)<<32 | fraction
}
