package phone

import (
	"errors"
	"time"
)

// A State is what the phone is doing.
type State string

// The states of a phone.
const (
	Idle    State = "idle"
	Ringing State = "ringing"
	Talking State = "talking"
)

// The reasons why a wish is not followed.
var (
	errBusy       = errors.New("the phone is in a call")
	errNotRinging = errors.New("the phone is not ringing")
	errNoCall     = errors.New("the phone is in no call")
)

// A line is the phone's one line: pure, without clock or socket.
type line struct {
	state  State
	since  time.Time
	caller string
	calls  int        // calls so far
	early  VideoCount // picture received before the answer of the last call
	ended  string     // why the last call ended
}

// ring begins a call.
func (l *line) ring(now time.Time, caller string) error {
	if l.state != Idle {
		return errBusy
	}
	l.state, l.since, l.caller, l.ended, l.early = Ringing, now, caller, "", VideoCount{}
	l.calls++
	return nil
}

// answer takes the call; early is what was seen of the picture until then.
func (l *line) answer(now time.Time, early VideoCount) error {
	if l.state != Ringing {
		return errNotRinging
	}
	l.state, l.since, l.early = Talking, now, early
	return nil
}

// end finishes whatever goes on. It reports false when there was nothing.
func (l *line) end(now time.Time, reason string) bool {
	if l.state == Idle {
		return false
	}
	l.state, l.since, l.ended = Idle, now, reason
	return true
}

// A Status is what the phone tells of itself.
type Status struct {
	User       string     `json:"user"`
	State      State      `json:"state"`
	Since      int64      `json:"since"` // of the state, ms since 1970
	Caller     string     `json:"caller"`
	Calls      int        `json:"calls"`
	Ended      string     `json:"ended"`      // why the last call ended
	Early      VideoCount `json:"early"`      // picture before the answer
	Video      VideoCount `json:"video"`      // picture of the call that runs
	Audio      AudioCount `json:"audio"`      // sound of the call that runs
	Talk       bool       `json:"talk"`       // sound is agreed both ways
	Registered []string   `json:"registered"` // users at this phone's registrar
}
