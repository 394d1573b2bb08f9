package dtmf

const (
	// lateUnits is how far behind the newest event, in timestamp units (5 s), a
	// report counts as late. Further back, the sender has a new time base.
	lateUnits = 5 * ClockRate

	// segmentUnits is the length of one full segment of a long event, in
	// timestamp units (RFC 4733 section 2.5.1.3).
	segmentUnits = 0xFFFF

	// trackedSources bounds how many SSRCs are remembered at once.
	trackedSources = 4
)

// A Receiver turns telephone-event packets into key presses. It acts on the
// first packet of an event that arrives, whichever one that is, and once: SSRC,
// RTP timestamp and code together name an event (RFC 4733 sections 2.5.1.2 and
// 2.5.1.4). The zero Receiver is ready. It is not safe for concurrent use.
type Receiver struct {
	sources [trackedSources]source
	oldest  int // index of the source to forget next
}

// source is what is remembered of one SSRC: its newest event.
type source struct {
	used  bool
	ssrc  uint32
	ts    uint32
	codes uint16 // bit per key code seen at ts
	ended bool   // an end report was seen at ts
}

// Packet takes one packet of the payload type agreed for telephone-event, with
// its RTP header's SSRC, timestamp and marker, and returns the key when the
// packet is the first of a press. Damaged reports and events that are no keys
// give nothing.
func (r *Receiver) Packet(ssrc, ts uint32, marker bool, payload []byte) (key byte, ok bool) {
	e, err := ParseEvent(payload)
	if err != nil {
		return 0, false
	}
	key, ok = e.Key()
	if !ok {
		return 0, false
	}
	s := r.source(ssrc)
	return key, s.report(ts, marker, e)
}

// source finds what is remembered of ssrc, or makes room for it.
func (r *Receiver) source(ssrc uint32) *source {
	for i := range r.sources {
		if s := &r.sources[i]; s.used && s.ssrc == ssrc {
			return s
		}
	}
	s := &r.sources[r.oldest]
	r.oldest = (r.oldest + 1) % trackedSources
	*s = source{ssrc: ssrc}
	return s
}

// report notes one report and says whether it begins a press.
func (s *source) report(ts uint32, marker bool, e Event) bool {
	bit := uint16(1) << e.Code
	ahead := int32(ts - s.ts) // serial number arithmetic
	switch {
	case s.used && ahead == 0:
		fresh := s.codes&bit == 0
		s.codes |= bit
		s.ended = s.ended || e.End
		return fresh
	case s.used && ahead < 0 && ahead >= -lateUnits:
		return false
	}
	next := s.used && s.codes&bit != 0 && !s.ended && !marker && ahead == segmentUnits
	s.used, s.ts, s.codes, s.ended = true, ts, bit, e.End
	return !next
}
