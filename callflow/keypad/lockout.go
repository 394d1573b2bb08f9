package keypad

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// The lock-out's figures.
const (
	TryWindow  = time.Hour        // wrong codes count for this long
	FirstBlock = 30 * time.Second // the first block; each further one is twice as long
	LastBlock  = 30 * time.Minute // the longest block
	MaxCallees = 512              // callees that are remembered one by one
	maxTries   = 100              // the largest TriesPerHour that is kept
)

// A Lockout counts the wrong codes of each callee over all calls.
//
// With TriesPerHour wrong codes inside an hour the callee is blocked for
// FirstBlock; each further wrong code, while the last hour still holds that
// many, blocks twice as long, up to LastBlock. An hour without a wrong code
// forgets everything.
//
// While the process lives, time is taken from the monotonic clock that
// time.Now carries, so that setting the wall clock changes nothing. Over a
// restart only the wall clock is left: what lies in its future is moved to now,
// so that a block never lasts longer than its own length after a restart, and a
// clock set back unlocks nobody.
//
// At most MaxCallees are remembered. Those with nothing to remember any more
// are dropped, oldest first; when all are live, further callees share one count
// instead of pushing a blocked one out.
type Lockout struct {
	callees map[string]*callee
	dirty   bool
}

type callee struct {
	tries []time.Time   // wrong codes of the last hour, oldest first
	until time.Time     // end of the block; zero: none
	block time.Duration // length of the last block; 0: none in this series
}

// shared is the count of those for whom there is no room. No flat has this
// name, since a name is text.
const shared = "\x00others"

// NewLockout gives a lock-out that remembers nothing.
func NewLockout() *Lockout { return &Lockout{callees: make(map[string]*callee)} }

// Blocked says for how much longer callee is blocked; 0: not at all.
func (l *Lockout) Blocked(now time.Time, callee string) time.Duration {
	c := l.callees[l.slot(callee)]
	if c == nil {
		return 0
	}
	c.settle(now)
	return max(0, c.until.Sub(now))
}

// slot gives the name under which a callee is counted.
func (l *Lockout) slot(name string) string {
	if l.callees[name] == nil && len(l.callees) >= MaxCallees {
		return shared
	}
	return name
}

// wrong counts one wrong code.
func (l *Lockout) wrong(now time.Time, name string, perHour int) {
	l.dirty = true
	l.forget(now)
	name = l.slot(name)
	c := l.callees[name]
	if c == nil {
		c = &callee{}
		l.callees[name] = c
	}
	c.settle(now)
	perHour = min(perHour, maxTries)
	c.tries = append(c.tries, now)
	if extra := len(c.tries) - maxTries; extra > 0 {
		c.tries = slices.Delete(c.tries, 0, extra)
	}
	if len(c.tries) >= perHour {
		c.block = min(max(FirstBlock, 2*c.block), LastBlock)
		c.until = now.Add(c.block)
	}
}

// forget drops every callee with nothing left to remember, once room is short.
func (l *Lockout) forget(now time.Time) {
	if len(l.callees) < MaxCallees {
		return
	}
	for name, c := range l.callees {
		if c.settle(now); c.idle(now) {
			delete(l.callees, name)
		}
	}
}

// settle drops the tries that are too old, and pulls back what the clock has
// put into the future.
func (c *callee) settle(now time.Time) {
	for i, at := range c.tries {
		if at.After(now) {
			c.tries[i] = now
		}
	}
	c.tries = slices.DeleteFunc(c.tries, func(at time.Time) bool { return now.Sub(at) >= TryWindow })
	if latest := now.Add(c.block); c.until.After(latest) {
		c.until = latest
	}
	if c.idle(now) {
		c.block, c.until = 0, time.Time{}
	}
}

func (c *callee) idle(now time.Time) bool { return len(c.tries) == 0 && !c.until.After(now) }

// Dirty says whether something has changed since the last Stored. Whoever
// keeps the lock-out stores it before the phone hears the verdict, so that
// cutting the power gives no try back.
func (l *Lockout) Dirty() bool { return l.dirty }

// Stored says that what Marshal gave is safely kept.
func (l *Lockout) Stored() { l.dirty = false }

// savedState is the stored form. Times are Unix milliseconds.
type savedState struct {
	Version int                    `json:"version"`
	Callees map[string]savedCallee `json:"callees"`
}

type savedCallee struct {
	Tries []int64 `json:"tries"`
	Until int64   `json:"until,omitempty"`
	Block int64   `json:"block_ms,omitempty"`
}

const savedVersion = 1

// Marshal gives the lock-out as JSON. It holds names of callees and times,
// never digits.
func (l *Lockout) Marshal() ([]byte, error) {
	s := savedState{Version: savedVersion, Callees: make(map[string]savedCallee, len(l.callees))}
	for name, c := range l.callees {
		sc := savedCallee{Tries: make([]int64, 0, len(c.tries)), Block: c.block.Milliseconds()}
		for _, at := range c.tries {
			sc.Tries = append(sc.Tries, at.UnixMilli())
		}
		if !c.until.IsZero() {
			sc.Until = c.until.UnixMilli()
		}
		s.Callees[name] = sc
	}
	raw, err := json.Marshal(s)
	if err != nil {
		return nil, fmt.Errorf("keypad: lock-out not encoded: %w", err)
	}
	return raw, nil
}

// ErrState means that a stored lock-out cannot be used. The lock-out it was
// meant for is as it was.
var ErrState = errors.New("keypad: stored lock-out cannot be read")

// Unmarshal takes what Marshal gave, in place of everything remembered so far.
// now is the time of the start, to which later times are bound.
func (l *Lockout) Unmarshal(raw []byte, now time.Time) error {
	var s savedState
	if err := json.Unmarshal(raw, &s); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	if s.Version != savedVersion {
		return fmt.Errorf("%w: it has version %d, and this firmware knows %d", ErrState, s.Version, savedVersion)
	}
	callees := make(map[string]*callee, len(s.Callees))
	for name, sc := range s.Callees {
		if len(callees) > MaxCallees {
			return fmt.Errorf("%w: it has %d callees, at most %d are kept", ErrState, len(s.Callees), MaxCallees)
		}
		c, err := sc.restore(now)
		if err != nil {
			return fmt.Errorf("%w: callee %q: %w", ErrState, name, err)
		}
		if !c.idle(now) {
			callees[name] = c
		}
	}
	l.callees, l.dirty = callees, false
	return nil
}

// restore gives every time relative to now, so that it runs on now's
// monotonic clock from here on.
func (s savedCallee) restore(now time.Time) (*callee, error) {
	if len(s.Tries) > maxTries {
		return nil, fmt.Errorf("%d tries, at most %d are kept", len(s.Tries), maxTries)
	}
	if s.Block < 0 || s.Block > LastBlock.Milliseconds() {
		return nil, fmt.Errorf("a block of %d ms, at most %d ms are possible", s.Block, LastBlock.Milliseconds())
	}
	c := &callee{block: time.Duration(s.Block) * time.Millisecond}
	for _, at := range s.Tries {
		c.tries = append(c.tries, anchor(now, at))
	}
	slices.SortFunc(c.tries, time.Time.Compare)
	if s.Until != 0 {
		c.until = anchor(now, s.Until)
	}
	c.settle(now)
	return c, nil
}

// anchor gives the time of unixMilli as a distance from now. Distances beyond
// a day mean the same as a day to a lock-out.
func anchor(now time.Time, unixMilli int64) time.Time {
	const day = 24 * time.Hour
	base := now.UnixMilli()
	away := float64(unixMilli) - float64(base) // of opposite signs they could overflow an int64
	if math.Abs(away) > float64(day.Milliseconds()) {
		return now.Add(time.Duration(math.Copysign(float64(day), away)))
	}
	return now.Add(time.Duration(unixMilli-base) * time.Millisecond)
}
