package station

import (
	"fmt"
	"slices"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/doorway"
	"doorstation/callflow/timeline"
)

// guardsWord is how much later than a contact's edge the guard's word may come
// that the door had been released before it: a strong spring opens a door within
// milliseconds, and the two come on different ways.
const guardsWord = 150 * time.Millisecond

// A doorMove is the level of a door's contact that is not judged yet.
type doorMove struct {
	relay string
	open  bool
	at    time.Duration // CLOCK_MONOTONIC
}

// judgeMoves judges the contacts' levels that have waited for the guard's word.
func (o *owner) judgeMoves(now time.Time) {
	for s := o.around; len(s.moves) > 0 && !now.Before(moment(s.moves[0].at+guardsWord)); {
		m := s.moves[0]
		s.moves = s.moves[1:]
		o.contactMoved(m.relay, m.open, m.at)
	}
}

// contactMoved takes the level of a door's contact.
func (o *owner) contactMoved(relay string, open bool, at time.Duration) {
	d := o.around.doorways[relay]
	waited := d.Undecided()
	o.doorNews(relay, d.Contact(moment(at), open), at)
	o.decided(waited && !d.Undecided())
}

// contactLost notes that a contact cannot be read any more.
func (o *owner) contactLost(input string) {
	relay := o.around.contacts[input]
	o.around.moves = slices.DeleteFunc(o.around.moves, func(m doorMove) bool { return m.relay == relay })
	d := o.around.doorways[relay]
	if d == nil || d.State() == doorway.Unknown {
		return
	}
	waited := d.Undecided()
	d.Lost()
	o.decided(waited)
}

// relayOf tells a door of its relay's edge.
func (o *owner) relayOf(relay string, released bool, at time.Duration) {
	if d := o.around.doorways[relay]; d != nil {
		d.Relay(moment(at), released)
	}
}

// decided closes the record that waited to see whether a door was used.
func (o *owner) decided(now bool) {
	if now {
		o.closeRecord("opened", "")
	}
}

// undecided reports whether a door was released, and nobody knows yet whether
// somebody went through.
func (s *surroundings) undecided() bool {
	for _, d := range s.doorways {
		if d.Undecided() {
			return true
		}
	}
	return false
}

// doorNews tells what a contact has shown.
func (o *owner) doorNews(relay string, n doorway.News, at time.Duration) {
	door := o.doorOf(relay)
	after := n.After.Round(time.Second)
	switch n.What {
	case doorway.WasOpened:
		o.log.Info("door opened", "door", door)
		o.diary.mark(at, timeline.DoorOpened, 0, door)
	case doorway.WasForced:
		o.log.Warn("door forced: it opened without having been released", "door", door)
		o.around.sound(time.Now())
		o.happening(at, timeline.DoorForced, door)
	case doorway.StandsOpen:
		o.log.Warn("door held open", "door", door, "open_for", after)
		o.happening(at, timeline.DoorHeld, fmt.Sprintf("%s has stood open for %v", door, after))
		o.sound.play(time.Now(), callflow.SignalDoorHeld)
		o.around.sound(time.Now())
	case doorway.WasClosed:
		o.log.Info("door closed", "door", door, "was", n.Was, "open_for", after)
		if n.Was == doorway.Open {
			o.diary.mark(at, timeline.DoorClosed, 0, door)
		} else {
			o.happening(at, timeline.DoorClosed, fmt.Sprintf("%s (%s, open for %v)", door, n.Was, after))
			o.around.quiet()
		}
	case doorway.NeverOpened:
		o.log.Info("door released, but it never moved", "door", door)
		o.happening(at, timeline.DoorUnused, door)
		o.decided(true)
	}
}
