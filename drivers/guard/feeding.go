package guard

import (
	"fmt"
	"time"
)

const (
	// ResetWithin is how long after the last healthy beat of a client the board
	// is reset at the latest.
	ResetWithin = time.Minute
	// BootGrace is how long after the start of the kernel the watchdog is fed
	// before a client has ever been healthy.
	BootGrace = 3 * time.Minute
	// ByeGrace is how long it is fed after a client that has said bye.
	ByeGrace = 5 * time.Minute
	// leastPatience is how long after a healthy beat it is fed at least, also if
	// the hardware bites so late that ResetWithin cannot be kept: a client that
	// hangs is ended and started again in less.
	leastPatience = 15 * time.Second
)

// feeding decides when the board's watchdog is fed. A watchdog that is not armed
// wants nothing.
type feeding struct {
	timeout  time.Duration // it bites after so long without food; 0: not armed
	last     time.Duration // the last healthy beat, or the guard's start
	grace    time.Duration // it is fed until then, whatever happens
	next     time.Duration // the next time
	starving bool          // it is not fed, since nobody is healthy
	doomed   bool          // it is never fed again
}

func (f *feeding) start(now time.Duration) { f.last, f.grace = now, BootGrace }

func (f *feeding) arm(now, timeout time.Duration) { f.timeout, f.next = timeout, now }

func (f *feeding) armed() bool { return f.timeout > 0 }

// every is how often it is fed.
func (f *feeding) every() time.Duration { return f.timeout / 4 }

// end is the moment from which on it is not fed. The last feed is before it, so
// that the bite comes within ResetWithin after the last healthy beat.
func (f *feeding) end() time.Duration {
	return max(f.grace, f.last+max(leastPatience, ResetWithin-f.timeout-f.every()))
}

// healthy takes a healthy beat. It says whether the watchdog was starving.
func (f *feeding) healthy(now time.Duration) (again bool) {
	again = f.starving && !f.doomed
	f.last, f.grace, f.starving = now, 0, false
	if again {
		f.next = now
	}
	return again
}

// leave takes an end that was meant.
func (f *feeding) leave(now time.Duration) { f.grace = now + ByeGrace }

// deadline is when there is something to do.
func (f *feeding) deadline() time.Duration {
	if !f.armed() || f.doomed || f.starving {
		return never
	}
	return f.next
}

// look says whether the watchdog has to be fed now, and whether from now on it
// will not be.
func (f *feeding) look(now time.Duration) (feed, stop bool) {
	if now < f.deadline() {
		return false, false
	}
	if now >= f.end() {
		f.starving = true
		return false, true
	}
	f.next = now + f.every()
	return true, false
}

func (g *Guard) feed(now time.Duration, out []Action) []Action {
	feed, stop := g.feeding.look(now)
	switch {
	case feed:
		return append(out, Feed{})
	case stop:
		g.reboots++
		return append(out, Note{Text: fmt.Sprintf("feeds the watchdog no more, it bites within %v: the last sign of a healthy client was %v ago",
			g.feeding.timeout, (now - g.feeding.last).Round(time.Second))})
	}
	return out
}
