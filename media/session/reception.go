package session

import (
	"time"

	"github.com/pion/rtcp"
)

// Bounds of RFC 3550 appendix A.1 on how far a sequence number may jump.
const (
	maxDropout  = 3000
	maxMisorder = 100
)

// reception is what RFC 3550 keeps of a source we hear: appendix A.1 for the
// sequence, A.3 for losses, A.8 for jitter.
type reception struct {
	clock    int64 // of the stream's timestamps, in Hz
	ssrc     uint32
	heard    bool
	base     uint32 // extended sequence number of the first packet
	highest  uint32 // extended
	bad      uint32 // the sequence number that would confirm a restart
	received uint64
	transit  int64 // of the last packet, in clock units
	timed    bool  // transit is known
	jitter   int64 // in sixteenths of a clock unit

	reportedExpected, reportedReceived uint64

	lastSR   uint32        // middle 32 bits of its NTP time
	lastSRAt time.Duration // when it came
}

// start begins anew with a source.
func (r *reception) start(ssrc uint32, seq uint16) {
	*r = reception{clock: r.clock, ssrc: ssrc, heard: true, base: uint32(seq), highest: uint32(seq), bad: 1 << 16}
}

// sequence counts one packet. It reports false for one whose sequence number
// is out of all order.
func (r *reception) sequence(seq uint16) bool {
	ahead := seq - uint16(r.highest)
	switch {
	case ahead < maxDropout:
		r.highest += uint32(ahead)
	case ahead <= 1<<16-maxMisorder:
		if uint32(seq) != r.bad {
			r.bad = uint32(seq + 1)
			return false
		}
		lastSR, at := r.lastSR, r.lastSRAt
		r.start(r.ssrc, seq) // two in a row: the other side restarted
		r.lastSR, r.lastSRAt = lastSR, at
	}
	r.received++
	return true
}

// measure takes the arrival of a packet that stands for its own time, as
// telephone-events do not.
func (r *reception) measure(now time.Duration, timestamp uint32) {
	arrival := int64(now) * r.clock / int64(time.Second)
	transit := int64(int32(uint32(arrival) - timestamp))
	if r.timed {
		d := int64(int32(transit - r.transit))
		if d < 0 {
			d = -d
		}
		r.jitter += d - (r.jitter+8)>>4
	}
	r.transit, r.timed = transit, true
}

// lost is how many packets are missing, as far as the numbers tell.
func (r *reception) lost() int64 {
	if !r.heard {
		return 0
	}
	return int64(r.expected()) - int64(r.received)
}

func (r *reception) expected() uint64 { return uint64(r.highest-r.base) + 1 }

// jitterTime is the interarrival jitter as a time.
func (r *reception) jitterTime() time.Duration {
	return time.Duration(r.jitter>>4) * time.Second / time.Duration(r.clock)
}

// senderReport notes a sender report of the source, for the round trip that
// the other side computes.
func (r *reception) senderReport(now time.Duration, ntp uint64) {
	r.lastSR, r.lastSRAt = uint32(ntp>>16), now
}

// block is the reception report since the last one (RFC 3550 section 6.4.1).
func (r *reception) block(now time.Duration) rtcp.ReceptionReport {
	expected := r.expected()
	span := int64(expected) - int64(r.reportedExpected)
	missing := span - (int64(r.received) - int64(r.reportedReceived))
	r.reportedExpected, r.reportedReceived = expected, r.received
	b := rtcp.ReceptionReport{
		SSRC:               r.ssrc,
		TotalLost:          uint32(min(max(r.lost(), 0), 1<<23-1)),
		LastSequenceNumber: r.highest,
		Jitter:             uint32(r.jitter >> 4),
		LastSenderReport:   r.lastSR,
	}
	if span > 0 && missing > 0 {
		b.FractionLost = uint8(min(missing*256/span, 255))
	}
	if r.lastSR != 0 {
		b.Delay = uint32((now - r.lastSRAt) * 65536 / time.Second)
	}
	return b
}
