package session

import "time"

// A Stream names one of a leg's two streams.
type Stream uint8

// The streams.
const (
	Audio Stream = iota
	Video
)

// String gives the stream's name as it stands in an m= line.
func (s Stream) String() string {
	if s == Video {
		return "video"
	}
	return "audio"
}

// An Event is something that a leg's media did. Every event carries the time
// at which it happened, with its monotonic reading.
type Event interface{ event() }

type (
	// Digit is one key pressed at the far end, told once by RFC 4733.
	Digit struct {
		Key byte // '0' to '9', '*', '#', 'A' to 'D'
		At  time.Time
	}

	// PictureWanted asks the camera for a key frame: the leg starts, a frame
	// was dropped, or the far end asked by PLI or FIR.
	PictureWanted struct{ At time.Time }

	// FirstIn marks the first packet taken from the far end.
	FirstIn struct {
		Stream Stream
		At     time.Time
	}

	// FirstOut marks the first packet sent.
	FirstOut struct {
		Stream Stream
		At     time.Time
	}

	// KeyFrameOut marks a key frame that was waited for, sent whole.
	KeyFrameOut struct{ At time.Time }

	// Lost says, once, that nothing has come from the far end for as long as
	// the leg allows.
	Lost struct {
		Reason string
		At     time.Time
	}
)

func (Digit) event()         {}
func (PictureWanted) event() {}
func (FirstIn) event()       {}
func (FirstOut) event()      {}
func (KeyFrameOut) event()   {}
func (Lost) event()          {}
