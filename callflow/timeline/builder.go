package timeline

import (
	"slices"
	"time"
	"unicode/utf8"
)

// The bounds of a record, which keep it small enough for the flash.
const (
	MaxMarks   = 400 // marks of one record
	MaxDetail  = 120 // bytes of a mark's detail; the rest is cut
	reserved   = 60  // of MaxMarks, for what ends a call and moves a door
	cutPointer = "…"
)

// The roads a digit can come by, the only details that a Digit mark may have.
const (
	RoadRTP  = "rtp"  // telephone-event, RFC 4733
	RoadINFO = "info" // SIP INFO
	RoadTone = "tone" // a tone of the far end
)

// A Builder collects the marks of one press. One goroutine at a time uses it.
type Builder struct {
	rec   Record
	start time.Duration
}

// New begins a record. wall and mono are the same moment, the press, on the
// wall clock and on the monotonic clock that Add uses too.
func New(id string, wall time.Time, mono time.Duration) *Builder {
	return &Builder{rec: Record{ID: id, Began: wall.Round(0)}, start: mono}
}

// Of says which button was pressed and which flat it rings.
func (b *Builder) Of(button, flat string) {
	b.rec.Button, b.rec.Flat = button, flat
}

// Add leaves a mark. mono is the monotonic time at which it happened; marks
// may come late and out of order. leg is 0 for the panel itself. Once the
// record is full, only marks that end a call or concern the door find room.
func (b *Builder) Add(mono time.Duration, name Name, leg uint32, detail string) {
	room := MaxMarks
	if !essential(name) {
		room -= reserved
	}
	if len(b.rec.Marks) >= room {
		b.rec.Dropped++
		return
	}
	m := Mark{At: mono - b.start, Name: name, Leg: leg, Detail: clean(name, detail)}
	at, _ := slices.BinarySearchFunc(b.rec.Marks, m, func(old, m Mark) int {
		if old.At <= m.At { // of two at the same time the earlier call stays first
			return -1
		}
		return 1
	})
	b.rec.Marks = slices.Insert(b.rec.Marks, at, m)
}

// essential marks are those without which a record explains nothing.
func essential(n Name) bool {
	switch n {
	case Answered, CodeRight, CodeWrong, CodeLocked, OpenAsked, DoorAsked, RelayOn, RelayOff,
		DoorFailed, ExitPressed, DoorOpened, DoorClosed, DoorForced, DoorHeld, DoorUnused, CoverOpened,
		Cancelled, Refused, HungUp, MediaLost, Done:
		return true
	}
	return false
}

// clean bounds a detail, makes it printable, and keeps digits out: a Digit mark
// has its road and nothing else.
func clean(name Name, detail string) string {
	if name == Digit {
		switch detail {
		case RoadRTP, RoadINFO, RoadTone:
			return detail
		}
		return ""
	}
	detail = printable(detail)
	if len(detail) <= MaxDetail {
		return detail
	}
	cut := MaxDetail - len(cutPointer)
	for cut > 0 && !utf8.RuneStart(detail[cut]) {
		cut--
	}
	return detail[:cut] + cutPointer
}

// Record gives a copy of what there is so far.
func (b *Builder) Record() Record {
	rec := b.rec
	rec.Marks = slices.Clone(rec.Marks)
	return rec
}

// Finish closes the record with a Done mark and gives it. Marks that come
// later are taken, and show in the next Record. A second Finish changes
// nothing.
func (b *Builder) Finish(mono time.Duration, result, reason string) Record {
	if b.rec.Running() && result != "" {
		b.rec.Result, b.rec.Reason = result, clean(Done, reason)
		b.rec.Ended = mono - b.start
		b.Add(mono, Done, 0, result)
	}
	return b.Record()
}
