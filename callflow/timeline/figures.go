package timeline

import (
	"slices"
	"time"
)

// A Figure is one derived time of a record.
type Figure struct {
	Key   string        `json:"key"`   // stable, snake_case
	Label string        `json:"label"` // for people
	Took  time.Duration `json:"took_ns"`
}

// The figures' keys.
const (
	PressToInvite      = "press_to_invite"
	InviteToRinging    = "invite_to_ringing"
	EarlyToFirstVideo  = "early_to_first_video"
	AnsweredToAck      = "answered_to_ack"
	AnsweredToAudioOut = "answered_to_first_audio_out"
	AnsweredToAudioIn  = "answered_to_first_audio_in"
	DigitToRelay       = "digit_to_relay"
	RelayOnToOff       = "relay_on_to_off"
)

// Figures derives the times that a record allows, in the order of a call. A
// figure whose marks are missing is left out. A step that concerns one leg is
// measured on that leg alone.
func Figures(rec Record) []Figure {
	var all []Figure
	add := func(key, label string, took time.Duration, ok bool) {
		if ok {
			all = append(all, Figure{key, label, took})
		}
	}
	between := func(key, label string, from, to Name, sameLeg bool) {
		took, ok := rec.between(from, to, sameLeg)
		add(key, label, took, ok)
	}
	pressed := Press
	if slices.ContainsFunc(rec.Marks, func(m Mark) bool { return m.Name == Debounced }) {
		pressed = Debounced
	}
	between(PressToInvite, "press → INVITE", pressed, Invite, false)
	between(InviteToRinging, "INVITE → ringing", Invite, Ringing, true)
	between(EarlyToFirstVideo, "early answer → first video packet", EarlyAnswer, FirstVideoOut, true)
	between(AnsweredToAck, "200 → ACK", Answered, Ack, true)
	between(AnsweredToAudioOut, "200 → first audio out", Answered, FirstAudioOut, true)
	between(AnsweredToAudioIn, "200 → first audio in", Answered, FirstAudioIn, true)
	took, ok := rec.digitToRelay()
	add(DigitToRelay, "last digit → relay", took, ok)
	between(RelayOnToOff, "relay on → off", RelayOn, RelayOff, false)
	return all
}

// between measures from the first mark of one name to the first one of another
// name after it, if asked on the same leg. Of several legs the first that has
// both counts.
func (r Record) between(from, to Name, sameLeg bool) (time.Duration, bool) {
	for i, f := range r.Marks {
		if f.Name != from {
			continue
		}
		for _, t := range r.Marks[i+1:] {
			if t.Name == to && (!sameLeg || t.Leg == f.Leg) {
				return t.At - f.At, true
			}
		}
	}
	return 0, false
}

// digitToRelay measures from the digit that made a code right to the relay's
// edge. A door opened by a local command has no such time.
func (r Record) digitToRelay() (time.Duration, bool) {
	var digit, right *Mark
	for i := range r.Marks {
		switch m := &r.Marks[i]; m.Name {
		case Digit:
			if right == nil {
				digit = m
			}
		case CodeRight:
			right = m
		case RelayOn:
			if right != nil && digit != nil {
				return m.At - digit.At, true
			}
		case OpenAsked, DoorFailed:
			right = nil
		}
	}
	return 0, false
}
