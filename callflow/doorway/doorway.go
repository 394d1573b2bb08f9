// Package doorway judges what the contact of a door says: whether the door was
// let open, was forced, stands open too long, or never moved when it was
// released.
//
// It is pure: times come from outside, and whoever owns a Doorway asks it again
// at its Deadline.
package doorway

import "time"

// Grace is how long after a release a door may still open: it was pulled at the
// last moment, and its contact is debounced. A release counts as unused once it
// has passed without a movement.
const Grace = time.Second

// A State is what is known of a door.
type State string

// The states.
const (
	Unknown State = ""       // nobody has told yet, or the contact is lost
	Closed  State = "closed" //
	Open    State = "open"   // after a release, or so it was found
	Held    State = "held"   // open for too long
	Forced  State = "forced" // opened without a release
)

// Ajar reports whether the door stands open.
func (s State) Ajar() bool { return s == Open || s == Held || s == Forced }

// A What is a kind of news.
type What string

// The news. Whatever else happens to a door is none.
const (
	Nothing     What = ""
	WasOpened   What = "opened"    // after a release
	WasForced   What = "forced"    // without one
	StandsOpen  What = "held"      // for longer than allowed; told once for each opening
	WasClosed   What = "closed"    //
	NeverOpened What = "no-opener" // released, and nobody went through
)

// News is one thing to tell.
type News struct {
	What  What
	Was   State         // before it
	After time.Duration // StandsOpen, WasClosed: how long the door was open
}

// A Doorway is one door with a contact. The zero value knows nothing, and holds
// no door open too long; New sets a limit.
type Doorway struct {
	limit time.Duration // how long the door may stand open; 0: for ever

	state  State
	opened time.Time // when it began to stand open
	heldAt time.Time // when that is too long; zero: never, or told
	told   bool      // that it stands open too long

	relay     bool      // the lock is released
	exit      bool      // somebody presses the exit button
	freeUntil time.Time // the door may open until then
	moved     bool      // it was open at some time of the present release
	unusedAt  time.Time // when a release counts as unused; zero: there is none
}

// New returns a door that may stand open for limit; 0 is for ever.
func New(limit time.Duration) Doorway { return Doorway{limit: limit} }

// State is what is known of the door.
func (d *Doorway) State() State { return d.state }

// Since is when the door opened; zero when it does not stand open.
func (d *Doorway) Since() time.Time {
	if !d.state.Ajar() {
		return time.Time{}
	}
	return d.opened
}

// Deadline is when the door wants its next Tick; zero when it wants none.
func (d *Doorway) Deadline() time.Time {
	if d.heldAt.IsZero() || !d.unusedAt.IsZero() && d.unusedAt.Before(d.heldAt) {
		return d.unusedAt
	}
	return d.heldAt
}

// SetLimit changes how long the door may stand open, from now on. A door that
// was told of is not told of again.
func (d *Doorway) SetLimit(now time.Time, limit time.Duration) {
	if limit != d.limit {
		d.limit = limit
		d.watch(now)
	}
}

// Contact takes the contact's level. The first one is no movement: a door that
// is found open is not forced, but may become one that is held open.
func (d *Doorway) Contact(now time.Time, open bool) News {
	was := d.state
	switch {
	case open == was.Ajar() && was != Unknown:
		return News{}
	case open:
		return d.open(now)
	case was == Unknown:
		d.state = Closed
		return News{}
	}
	d.state, d.heldAt = Closed, time.Time{}
	return News{What: WasClosed, Was: was, After: now.Sub(d.opened)}
}

func (d *Doorway) open(now time.Time) News {
	was := d.state
	d.state, d.opened = Open, now
	d.moved, d.told, d.unusedAt = true, false, time.Time{}
	d.watch(now)
	switch {
	case was == Unknown:
		return News{}
	case d.relay || d.exit || now.Before(d.freeUntil):
		return News{What: WasOpened, Was: was}
	}
	d.state = Forced
	return News{What: WasForced, Was: was}
}

// Lost says that nobody reads the contact any more.
func (d *Doorway) Lost() {
	d.state = Unknown
	d.heldAt, d.unusedAt = time.Time{}, time.Time{}
}

// Relay takes an edge of the door's relay: released, or locked again. A release
// of a door that stands open lets it stand for another limit.
func (d *Doorway) Relay(now time.Time, released bool) {
	switch {
	case released == d.relay:
	case released:
		d.relay, d.moved, d.unusedAt = true, d.state.Ajar(), time.Time{}
		d.watch(now)
	default:
		d.relay, d.freeUntil = false, now.Add(Grace)
		if d.state == Closed && !d.moved {
			d.unusedAt = d.freeUntil
		}
		d.watch(now)
	}
}

// Exit takes a press of the exit button or its end. A door that opens mechanically
// from inside is not forced, whether or not the button releases a relay.
func (d *Doorway) Exit(now time.Time, pressed bool) {
	if d.exit && !pressed {
		d.freeUntil = now.Add(Grace)
	}
	d.exit = pressed
}

// watch gives a door that stands open its time anew, unless it was told of.
func (d *Doorway) watch(now time.Time) {
	d.heldAt = time.Time{}
	if d.limit > 0 && d.state.Ajar() && !d.told {
		d.heldAt = now.Add(d.limit)
	}
}

// Tick takes the time.
func (d *Doorway) Tick(now time.Time) News {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	switch was := d.state; {
	case due(d.heldAt):
		d.heldAt, d.told = time.Time{}, true
		if was == Open {
			d.state = Held
		}
		return News{What: StandsOpen, Was: was, After: now.Sub(d.opened)}
	case due(d.unusedAt):
		d.unusedAt = time.Time{}
		return News{What: NeverOpened, Was: was}
	}
	return News{}
}

// Undecided reports whether the door was released, is locked again, and may
// still be opened or count as unused.
func (d *Doorway) Undecided() bool { return !d.unusedAt.IsZero() }
