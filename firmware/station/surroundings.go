package station

import (
	"maps"
	"slices"
	"time"

	"doorstation/board"
	"doorstation/callflow/doorway"
	"doorstation/drivers"
	"doorstation/firmware/control"
)

// surroundings are what stands around the call: the contacts of the doors, the
// panel's cover, the exit buttons, and buttons that somebody holds down. They
// belong to the goroutine of the owner.
type surroundings struct {
	doorways map[string]*doorway.Doorway // by relay
	contacts map[string]string           // relay by the input of its contact
	moves    []doorMove                  // of contacts, not judged yet, in their order
	exits    map[string]*exit            // by input
	covers   map[string]bool             // open ones, by input
	cover    cover
	check    checkup
	holds    map[string]*hold // by button
	records  allowance
	scene    func(by func(*scenery)) // changes what the outputs depend on
	quietAt  time.Time               // when the sounder has sounded for long enough; zero: it is quiet
}

func newSurroundings(b *board.Board, scene func(by func(*scenery))) *surroundings {
	s := &surroundings{
		doorways: make(map[string]*doorway.Doorway), contacts: make(map[string]string),
		exits: make(map[string]*exit), covers: make(map[string]bool), holds: make(map[string]*hold),
		records: allowance{left: mostRecords}, scene: scene,
	}
	for _, in := range b.Inputs {
		switch {
		case in.Contact != "":
			d := doorway.New(0)
			s.doorways[in.Contact], s.contacts[in.Name] = &d, in.Contact
		case in.Tamper:
			s.covers[in.Name] = false
		case in.Opens != "":
			s.exits[in.Name] = &exit{relay: in.Opens}
		case in.LongPress != 0:
			s.holds[in.Name] = &hold{after: in.LongPress.Time()}
		}
	}
	return s
}

// moment translates a time of CLOCK_MONOTONIC.
func moment(mono time.Duration) time.Time { return time.Now().Add(mono - monotonic()) }

// entered takes a change of an input that this process watches.
func (o *owner) entered(in drivers.Input) {
	checked := o.around.check.saw(in.Name, in.Active, in.At)
	if relay, ok := o.around.contacts[in.Name]; ok {
		o.around.moves = append(o.around.moves, doorMove{relay: relay, open: !in.Active, at: in.At})
		return
	}
	if checked && in.Active {
		return // an installer tries the button
	}
	if h := o.around.holds[in.Name]; h != nil {
		h.moved(in.Active, moment(in.At))
	}
	if in.Active {
		o.pressed(in.Name, in.At)
	}
}

// deadline is the earliest time at which something around is due.
func (s *surroundings) deadline() time.Time {
	var at time.Time
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	for _, d := range s.doorways {
		sooner(d.Deadline())
	}
	for _, h := range s.holds {
		sooner(h.due)
	}
	if len(s.moves) > 0 {
		sooner(moment(s.moves[0].at + guardsWord))
	}
	sooner(s.quietAt)
	return at
}

// lookAround takes the time.
func (o *owner) lookAround(now time.Time) {
	o.judgeMoves(now)
	for _, relay := range slices.Sorted(maps.Keys(o.around.doorways)) {
		o.doorNews(relay, o.around.doorways[relay].Tick(now), monotonic())
	}
	for _, name := range slices.Sorted(maps.Keys(o.around.holds)) {
		if h := o.around.holds[name]; h.tick(now) {
			o.heldDown(name, h.after)
		}
	}
	if at := o.around.quietAt; !at.IsZero() && !now.Before(at) {
		o.around.quiet()
	}
}

// adopt puts a configuration in force, for the next call and for the doors.
func (o *owner) adopt(next *setup) {
	o.setup = next
	o.doors.know(next.doors)
	o.around.scene(func(s *scenery) { s.powered = next.cameraAlways })
	limits := make(map[string]time.Duration)
	for _, rule := range next.doors {
		limits[rule.relay] = rule.heldAfter
	}
	for relay, d := range o.around.doorways {
		d.SetLimit(time.Now(), limits[relay])
	}
}

// doorOf is the configuration's name of the door that a relay opens, or else
// the relay's own.
func (o *owner) doorOf(relay string) string {
	if o.setup != nil {
		for name, rule := range o.setup.doors {
			if rule.relay == relay {
				return name
			}
		}
	}
	return relay
}

// An around is what the owner lets others see of the surroundings.
type around struct {
	contacts map[string]control.Door // by relay: Contact and Since
	cover    *control.Cover
	until    time.Time // no door opens before
	exits    []control.Exit
	held     map[string]bool // buttons that are held down
	check    string          // an installer's, in words; empty: none runs
}

func (o *owner) seeAround() around {
	s := o.around
	seen := around{contacts: make(map[string]control.Door), held: make(map[string]bool), until: s.cover.until, check: s.check.problem()}
	for relay, d := range s.doorways {
		state := control.Door{Contact: string(d.State()), Since: d.Since()}
		if d.State() == doorway.Unknown {
			state.Contact = control.ContactLost
		}
		seen.contacts[relay] = state
	}
	if len(s.covers) > 0 {
		seen.cover = &control.Cover{Open: s.cover.open, Since: s.cover.since}
	}
	for _, name := range slices.Sorted(maps.Keys(s.exits)) {
		e := s.exits[name]
		seen.exits = append(seen.exits, control.Exit{Name: name, Door: o.doorOf(e.relay), Pressed: e.pressed})
	}
	for name, h := range s.holds {
		seen.held[name] = h.long
	}
	return seen
}

// show adds to a status what is around the call at now.
func (a *around) show(st *control.Status, now time.Time) {
	if a.cover != nil {
		c := *a.cover
		c.Blocked = max(0, a.until.Sub(now)).Round(time.Second)
		st.Cover = &c
	}
	st.Exits = a.exits
	if a.check != "" {
		st.Problems = append(st.Problems, a.check)
	}
	for i := range st.Buttons {
		st.Buttons[i].Held = a.held[st.Buttons[i].Name]
	}
}
