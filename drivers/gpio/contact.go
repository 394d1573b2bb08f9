package gpio

import (
	"time"

	"doorstation/drivers"
)

// A stuck input counts as released once it has been at rest for so long: one
// that flickers is still stuck.
const stuckRelease = time.Second

// never is later than any deadline.
const never = time.Duration(1<<63 - 1)

// A contact is one input on the way from edges to presses. It is pure: times
// are those of CLOCK_MONOTONIC, and come from outside.
//
// Edges are evidence, never a count: whatever the queue held, one look reports
// at most one change and its return.
type contact struct {
	name       string
	debounce   time.Duration // 0 if the kernel does it
	stuckAfter time.Duration // 0 is never

	stable  bool          // active, as it counts
	changed time.Duration // when it began to be so
	active  bool          // as it was seen last
	since   time.Duration // when it was last seen to move
	stuck   bool
}

// begin takes the level that is found at the start: it is no change.
func (c *contact) begin(active bool, now time.Duration) {
	c.stable, c.active = active, active
	c.changed, c.since = now, now
	c.stuck = false
}

// look takes the edges since the last look and the level that was read after
// them, and appends what has to be reported.
func (c *contact) look(edges []contactEdge, active bool, now time.Duration, out []drivers.Input) []drivers.Input {
	before := len(out)
	for _, e := range edges {
		out = c.settle(e.at, out)
		c.active, c.since = e.active, e.at
	}
	if active != c.active { // an edge is missing, or still to come: nobody knows its time
		out = c.settle(c.since, out)
		c.active, c.since = active, now
	}
	return collapse(c.settle(now, out), before)
}

// A contactEdge is one queued edge.
type contactEdge struct {
	active bool
	at     time.Duration
}

// settle makes a level count that had been stable for long enough at now.
func (c *contact) settle(now time.Duration, out []drivers.Input) []drivers.Input {
	if c.active == c.stable || now < c.due() {
		return out
	}
	c.stable, c.changed = c.active, c.since
	c.stuck = false
	return append(out, drivers.Input{Name: c.name, Active: c.active, At: c.since})
}

// due is when the level that is seen now will count.
func (c *contact) due() time.Duration {
	if c.stuck {
		return c.since + max(c.debounce, stuckRelease)
	}
	return c.since + c.debounce
}

// collapse leaves, of the changes of one contact behind before, the last one,
// and in front of it the first if the two are a whole press or release.
func collapse(out []drivers.Input, before int) []drivers.Input {
	n := len(out) - before
	if n <= 2 {
		return out
	}
	last := out[len(out)-1]
	if n%2 == 1 { // another level than before
		return append(out[:before], last)
	}
	return append(out[:before+1], last)
}

// jammed says once that the input has been active for too long.
func (c *contact) jammed(now time.Duration) bool {
	if c.stuck || c.stuckAfter == 0 || !c.stable || now < c.changed+c.stuckAfter {
		return false
	}
	c.stuck = true
	return true
}

// next is when to look again although no edge comes.
func (c *contact) next() time.Duration {
	at := never
	if c.active != c.stable {
		at = c.due()
	}
	if c.stable && !c.stuck && c.stuckAfter != 0 {
		at = min(at, c.changed+c.stuckAfter)
	}
	return at
}
