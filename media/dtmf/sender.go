package dtmf

import (
	"fmt"
	"strings"
	"time"
)

const (
	// PacketTime is the time between two packets of a press.
	PacketTime = 20 * time.Millisecond

	// MaxHold is the longest press that fits one segment (RFC 4733 section
	// 2.5.1.3), in whole packets.
	MaxHold = segmentUnits * time.Second / ClockRate / PacketTime * PacketTime

	endPackets    = 3  // RFC 4733 section 2.5.1.4
	defaultVolume = 10 // -10 dBm0
)

// A Sender makes the packets of one key press: one every 20 ms while the key is
// down, then the end report three times. All of them carry the RTP timestamp of
// the press. It is not safe for concurrent use.
type Sender struct {
	event Event
	hold  uint16 // of the whole press, in timestamp units
	ends  int    // end reports already made
}

// NewSender begins a press of key (0-9, *, #, A-D) that lasts hold, from
// PacketTime to MaxHold, rounded down to whole packets.
func NewSender(key byte, hold time.Duration) (*Sender, error) {
	code := strings.IndexByte(keys, key)
	if code < 0 {
		return nil, fmt.Errorf("dtmf: %q is no key; the keys are %s", key, keys)
	}
	if hold < PacketTime || hold > MaxHold {
		return nil, fmt.Errorf("dtmf: a press of %v, but %v to %v fit one event", hold, PacketTime, MaxHold)
	}
	units := hold / PacketTime * PacketTime * ClockRate / time.Second
	return &Sender{
		event: Event{Code: uint8(code), Volume: defaultVolume},
		hold:  uint16(units),
	}, nil
}

// Next appends the payload of the packet that is due now to dst; call it every
// 20 ms. The marker bit belongs to the first packet only. It reports false, and
// appends nothing, when the press is over.
func (s *Sender) Next(dst []byte) (payload []byte, marker, ok bool) {
	if s.ends == endPackets {
		return dst, false, false
	}
	marker = s.event.Duration == 0
	if !s.event.End {
		s.event.Duration += uint16(PacketTime * ClockRate / time.Second)
		s.event.End = s.event.Duration == s.hold && !marker
	}
	payload = s.event.Append(dst)
	switch {
	case s.event.End:
		s.ends++
	case s.event.Duration == s.hold: // a press of one packet: its end follows
		s.event.End = true
	}
	return payload, marker, true
}
