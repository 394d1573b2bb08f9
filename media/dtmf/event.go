// Package dtmf carries key presses as telephone-events (RFC 4733): reading and
// writing reports, turning reports into presses exactly once, and keeping one
// press from counting twice when a phone sends it by more than one road.
package dtmf

import (
	"encoding/binary"
	"fmt"
)

// ClockRate is the RTP clock of telephone-event beside PCMU and PCMA, in Hz.
const ClockRate = 8000

// EventSize is the length of one report in bytes (RFC 4733 section 2.3).
const EventSize = 4

// keys are the DTMF keys, in the order of their event codes (RFC 4733 section
// 3.2, table 3).
const keys = "0123456789*#ABCD"

// An Event is one telephone-event report (RFC 4733 section 2.3).
type Event struct {
	Code     uint8  // 0-9, 10 for *, 11 for #, 12-15 for A-D; others are no keys
	End      bool   // the E bit: the key is up
	Volume   uint8  // 0 to 63, for 0 to -63 dBm0
	Duration uint16 // since the RTP timestamp, in timestamp units: 160 is 20 ms
}

// ParseEvent reads a report. The reserved bit is ignored, and so is whatever
// follows the first four bytes.
func ParseEvent(payload []byte) (Event, error) {
	if len(payload) < EventSize {
		return Event{}, fmt.Errorf("dtmf: telephone-event of %d bytes, at least %d are needed", len(payload), EventSize)
	}
	return Event{
		Code:     payload[0],
		End:      payload[1]&0x80 != 0,
		Volume:   payload[1] & 0x3F,
		Duration: binary.BigEndian.Uint16(payload[2:]),
	}, nil
}

// Append appends the report's four bytes to dst.
func (e Event) Append(dst []byte) []byte {
	flags := e.Volume & 0x3F
	if e.End {
		flags |= 0x80
	}
	return binary.BigEndian.AppendUint16(append(dst, e.Code, flags), e.Duration)
}

// Key returns the key of the event's code: one of 0-9, *, #, A-D. It reports
// false for events that are no keys.
func (e Event) Key() (byte, bool) {
	if int(e.Code) >= len(keys) {
		return 0, false
	}
	return keys[e.Code], true
}
