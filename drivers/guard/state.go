package guard

import (
	"errors"
	"strconv"
	"strings"
	"time"
)

// A State is what the guard knows beyond its own life. It is small, and changes
// seldom. It has no time of the clock in it, which may be wrong after a start.
type State struct {
	Reboots   int           // resets of the board in a row
	CoverOpen bool          // the cover was open
	Blocked   time.Duration // for how much longer no relay may open
}

// maxReboots is the most that is counted: a board that is reset for ever is not to
// wear out its flash as well.
const maxReboots = 100

const stateForm = "doorguard 1"

var errState = errors.New("malformed state")

// keep hands out what has to be kept, where it has changed.
func (g *Guard) keep(now time.Duration, out []Action) []Action {
	g.tamper.plan(now)
	g.reboots = min(max(g.reboots, 0), maxReboots)
	s := State{Reboots: g.reboots}
	if g.tamper.block > 0 {
		s.CoverOpen, s.Blocked = g.tamper.open, g.tamper.kept(now)
	}
	if s == g.state {
		return out
	}
	g.state = s
	return append(out, Keep{State: s})
}

// append writes s in the only form that parseState accepts.
func (s State) append(b []byte) []byte {
	b = append(b, stateForm+"\nresets "...)
	b = strconv.AppendInt(b, int64(s.Reboots), 10)
	b = append(b, "\ncover "...)
	if s.CoverOpen {
		b = append(b, "open"...)
	} else {
		b = append(b, "closed"...)
	}
	b = append(b, "\nblocked "...)
	b = strconv.AppendInt(b, int64(s.Blocked/time.Second), 10)
	return append(b, '\n')
}

// parseState takes exactly what append writes.
func parseState(raw []byte) (State, error) {
	var s State
	lines := strings.Split(string(raw), "\n")
	if len(lines) != 5 || lines[0] != stateForm || lines[4] != "" {
		return State{}, errState
	}
	resets, ok1 := field(lines[1], "resets ", maxReboots)
	blocked, ok2 := field(lines[3], "blocked ", int64(maxBlock/time.Second))
	s.Reboots, s.Blocked, s.CoverOpen = int(resets), time.Duration(blocked)*time.Second, lines[2] == "cover open"
	if !ok1 || !ok2 || !s.CoverOpen && lines[2] != "cover closed" {
		return State{}, errState
	}
	return s, nil
}

// field takes the number behind a name.
func field(line, name string, limit int64) (int64, bool) {
	word, ok := strings.CutPrefix(line, name)
	n, err := strconv.ParseInt(word, 10, 64)
	return n, ok && err == nil && n >= 0 && n <= limit && strconv.FormatInt(n, 10) == word
}
