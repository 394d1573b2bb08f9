// Package keypad turns the digits of one call into commands: it collects keys
// into codes, finds the code's door, and counts what was wrong.
//
// It reads no clock and does no I/O. A Pad and its Lockout belong to one
// goroutine. The digits of a code never leave this package, neither in a
// Verdict nor in an error.
//
// # How digits become a code
//
// Without an end key a code counts with its last digit. Digits that are no code
// wait until they are as many as the longest code or until the gap has passed,
// and are then one wrong code; the next digit begins anew. There is no sliding
// window: typing 91234 does not find 1234. With an end key the digits are
// judged when it comes; a gap without it is one wrong code, and digits beyond
// the longest code are swallowed until the end key or the gap.
//
// Codes consist of 0 to 9 and *. The end key ends; every other key ('#' where
// it is not the end key, 'A' to 'D') is ignored.
//
// A code outside its times and a code of a door that this call may not open
// behave at the phone exactly like no code, in time as well; only the record
// learns the reason.
//
// # Counting
//
// Each call has TriesPerCall wrong codes; a right one gives them back. Over all
// calls, a callee has TriesPerHour wrong codes in an hour, which no right code
// gives back; see [Lockout].
package keypad

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"hash"
	"slices"
	"time"
)

// MaxDigits is the length of the longest code there can be.
const MaxDigits = 16

// The defaults that a zero in Rules stands for.
const (
	DefaultGap          = 4 * time.Second
	DefaultTriesPerCall = 3
	DefaultTriesPerHour = 10
)

// A Code opens a door. It holds no digits.
type Code struct {
	Door string            // the door that it opens
	Name string            // what people call it; goes into the record
	MAC  [sha256.Size]byte // Seal of its digits
	When []Window          // empty: always
}

// Seal gives the HMAC-SHA-256 of digits under the panel's key, which is what a
// panel keeps of a code.
func Seal(key []byte, digits string) [sha256.Size]byte {
	m := hmac.New(sha256.New, key)
	m.Write([]byte(digits))
	return [sha256.Size]byte(m.Sum(nil))
}

// Rules are what the digits of one call obey.
type Rules struct {
	Key          []byte        // the panel's own key, under which the codes are sealed
	Codes        []Code        // in order: of two equal codes the first that may open counts
	EndKey       byte          // '#' or '*'; 0: none
	Gap          time.Duration // longest pause inside a code; 0: DefaultGap
	Longest      int           // digits of the longest code, 1 to MaxDigits; 0: MaxDigits
	TriesPerCall int           // wrong codes that end a call; 0: DefaultTriesPerCall
	TriesPerHour int           // wrong codes that block a callee; 0: DefaultTriesPerHour
	Doors        []string      // the doors that this call may open

	// Wall turns the time that a Pad is given into the one on the wall, for codes
	// that have times. Where set is false nobody knows it, and such codes open
	// nothing. nil: the time that is given is the wall's.
	Wall func(now time.Time) (wall time.Time, set bool)
}

// A Kind says what a Verdict is about.
type Kind uint8

// The kinds. None is the answer to most keys: nothing to tell yet.
const (
	None   Kind = iota
	Right       // open Verdict.Door
	Wrong       // the digits are no code that counts now
	Locked      // the callee is blocked; the digits were not looked at
)

// String gives the kind in lower case.
func (k Kind) String() string {
	switch k {
	case None:
		return "none"
	case Right:
		return "right"
	case Wrong:
		return "wrong"
	case Locked:
		return "locked"
	}
	return fmt.Sprintf("kind %d", uint8(k))
}

// A Verdict is what became of the digits.
type Verdict struct {
	Kind   Kind
	Door   string // of Right
	Name   string // the code's name; of Right, and of Wrong where a code was known
	Reason string // for the record only; the phone hears the same for all of them
	End    bool   // the call has used up its tries and is to be ended
}

// A Pad judges the digits of one call.
type Pad struct {
	rules   Rules
	lockout *Lockout
	callee  string
	mac     hash.Hash
	sum     [sha256.Size]byte

	digits   [MaxDigits]byte
	count    int       // keys since the last verdict, more than Longest possible
	locked   bool      // the callee was blocked when the first of them came
	deadline time.Time // when the gap ends; zero when count is 0
	wrong    int       // tries used in this call
	ended    bool
}

// New gives the pad of one call to callee, whose wrong codes lockout counts.
// A nil lockout counts for this call alone.
func New(rules Rules, lockout *Lockout, callee string) *Pad {
	if lockout == nil {
		lockout = NewLockout()
	}
	rules.Gap = orDefault(rules.Gap, DefaultGap)
	rules.TriesPerCall = orDefault(rules.TriesPerCall, DefaultTriesPerCall)
	rules.TriesPerHour = orDefault(rules.TriesPerHour, DefaultTriesPerHour)
	rules.Longest = min(orDefault(rules.Longest, MaxDigits), MaxDigits)
	return &Pad{rules: rules, lockout: lockout, callee: callee, mac: hmac.New(sha256.New, rules.Key)}
}

func orDefault[T int | time.Duration](v, def T) T {
	if v <= 0 {
		return def
	}
	return v
}

// Key takes one key of the phone, '0' to '9', '*', '#' or 'A' to 'D'. A gap
// that has passed by now is judged first, as by Tick; should the key itself
// bring a verdict too, that one is returned, and both have counted.
func (p *Pad) Key(now time.Time, key byte) Verdict {
	late := p.Tick(now)
	if late.End {
		return late
	}
	if v := p.take(now, key); v.Kind != None {
		return v
	}
	return late
}

// Deadline says when Tick is due; zero: not at all.
func (p *Pad) Deadline() time.Time { return p.deadline }

// Tick judges what was typed if the gap has passed.
func (p *Pad) Tick(now time.Time) Verdict {
	if p.count == 0 || now.Before(p.deadline) {
		return Verdict{}
	}
	return p.judge(now, p.rules.EndKey != 0)
}

func (p *Pad) take(now time.Time, key byte) Verdict {
	switch {
	case p.ended:
		return Verdict{}
	case key == p.rules.EndKey && key != 0:
		if p.count == 0 {
			return Verdict{}
		}
		return p.judge(now, false)
	case key != '*' && (key < '0' || key > '9'):
		return Verdict{}
	}
	p.collect(now, key)
	if p.rules.EndKey != 0 {
		return Verdict{}
	}
	if !p.locked {
		if code, _ := p.find(now); code != nil {
			return p.right(code)
		}
	}
	if p.count < p.rules.Longest {
		return Verdict{}
	}
	return p.judge(now, false)
}

func (p *Pad) collect(now time.Time, key byte) {
	if p.count == 0 {
		p.locked = p.lockout.Blocked(now, p.callee) > 0
	}
	if p.count < len(p.digits) {
		p.digits[p.count] = key
	}
	p.count = min(p.count+1, len(p.digits)+1)
	p.deadline = now.Add(p.rules.Gap)
}

// judge ends the collecting with a verdict. noEndKey says that the end key
// was needed and never came.
func (p *Pad) judge(now time.Time, noEndKey bool) Verdict {
	if p.locked {
		p.clear()
		return p.failed(Verdict{Kind: Locked, Reason: fmt.Sprintf("too many wrong codes for %q: blocked for another %v",
			p.callee, p.lockout.Blocked(now, p.callee).Round(time.Second))})
	}
	code, near := p.find(now)
	switch {
	case code != nil && !noEndKey:
		return p.right(code)
	case noEndKey:
		near = Verdict{Reason: fmt.Sprintf("the end key %c did not come within %v", p.rules.EndKey, p.rules.Gap)}
	}
	p.clear()
	p.lockout.wrong(now, p.callee, p.rules.TriesPerHour)
	near.Kind = Wrong
	return p.failed(near)
}

func (p *Pad) right(code *Code) Verdict {
	p.clear()
	p.wrong = 0
	return Verdict{Kind: Right, Door: code.Door, Name: code.Name}
}

// failed counts a try of this call, a blocked one too.
func (p *Pad) failed(v Verdict) Verdict {
	p.wrong++
	p.ended = p.wrong >= p.rules.TriesPerCall
	v.End = p.ended
	return v
}

func (p *Pad) clear() {
	clear(p.digits[:])
	p.count, p.locked, p.deadline = 0, false, time.Time{}
}

// find compares the digits with every code, each in constant time and none
// left out, so that the time taken tells nothing. It gives the code that opens
// now, or the reason why there is none.
func (p *Pad) find(now time.Time) (*Code, Verdict) {
	if p.count > p.rules.Longest {
		return nil, Verdict{Reason: fmt.Sprintf("more digits than the longest code's %d", p.rules.Longest)}
	}
	p.mac.Reset()
	p.mac.Write(p.digits[:p.count])
	p.mac.Sum(p.sum[:0])
	wall, set := p.wall(now)
	opens, known := -1, -1
	for i := range p.rules.Codes {
		equal := subtle.ConstantTimeCompare(p.sum[:], p.rules.Codes[i].MAC[:])
		usable := equal & p.usable(wall, set, i)
		opens = subtle.ConstantTimeSelect(usable&negative(opens), i, opens)
		known = subtle.ConstantTimeSelect(equal&negative(known), i, known)
	}
	if opens >= 0 {
		return &p.rules.Codes[opens], Verdict{}
	}
	return nil, p.whyNot(set, known)
}

// usable is 1 if the code may open its door in this call at this time of the
// wall, where that is set. It knows nothing of the digits, and so may take what
// time it takes.
func (p *Pad) usable(wall time.Time, set bool, i int) int {
	c := &p.rules.Codes[i]
	if slices.Contains(p.rules.Doors, c.Door) && (len(c.When) == 0 || set && inside(c.When, wall)) {
		return 1
	}
	return 0
}

// wall is the time on the wall, and whether it is set.
func (p *Pad) wall(now time.Time) (wall time.Time, set bool) {
	if p.rules.Wall == nil {
		return now, true
	}
	return p.rules.Wall(now)
}

func (p *Pad) whyNot(set bool, known int) Verdict {
	if known < 0 {
		return Verdict{Reason: "no such code"}
	}
	c := &p.rules.Codes[known]
	if !slices.Contains(p.rules.Doors, c.Door) {
		return Verdict{Name: c.Name, Reason: fmt.Sprintf("code %q is of door %q, which this call may not open", c.Name, c.Door)}
	}
	if !set {
		return Verdict{Name: c.Name, Reason: fmt.Sprintf("code %q has times, and the panel's clock is not set", c.Name)}
	}
	return Verdict{Name: c.Name, Reason: fmt.Sprintf("code %q is outside its times", c.Name)}
}

// negative is 1 for a negative n, else 0, without a branch.
func negative(n int) int { return int(uint(n) >> (intBits - 1)) }

const intBits = 32 << (^uint(0) >> 63)
