package station

import (
	"errors"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/timeline"
)

// doorMoves reports whether the record still waits for a door: for the guard's
// word, for the closing, or to see whether somebody goes through. What the link
// knows already may not be told yet.
func (o *owner) doorMoves() bool { return o.pulses > 0 || len(o.open) > 0 || o.around.undecided() }

// openDoor asks the guard, and does not wait for it.
func (o *owner) openDoor(a callflow.OpenDoor) {
	setup := o.rules
	if setup == nil || a.Leg == 0 {
		setup = o.setup
	}
	rule, ok := setup.doors[a.Door]
	if !ok {
		o.pulsed(a.Door, errors.New("there is no such door"))
		return
	}
	o.diary.mark(monotonic(), timeline.DoorAsked, uint32(a.Leg), a.Door)
	o.pulses++
	o.doors.pulse(a.Door, rule, a.Reason, func(err error) {
		o.box.post(func() {
			o.pulses--
			o.pulsed(a.Door, err)
		})
	})
}

// pulsed takes the guard's word.
func (o *owner) pulsed(door string, err error) {
	err = o.around.cover.explain(time.Now(), err)
	for _, reply := range o.asked[door] {
		reply <- err
	}
	delete(o.asked, door)
	if err == nil { // the relay's edges tell the rest, or have told it
		o.closeRecord("opened", "")
		return
	}
	o.log.Error("door not opened", "door", door, "err", err)
	o.diary.mark(monotonic(), timeline.DoorFailed, 0, err.Error())
	o.step(callflow.DoorFailed{Door: door, Reason: err.Error()})
	o.closeRecord("not-opened", err.Error())
}

// relayMoved takes an edge that the guard drove, asked by us or not.
func (o *owner) relayMoved(relay, door string, open bool, at time.Duration) {
	o.around.check.saw(relay, open, at)
	name := timeline.RelayOff
	if open {
		name = timeline.RelayOn
	}
	if delete(o.open, door); open {
		o.open[door] = true
	}
	if open && o.diary.current() == "" {
		o.diary.begin(at, "", "")
	}
	o.relayOf(relay, open, at)
	o.diary.mark(at, name, 0, door)
	o.step(callflow.DoorMoved{Door: door, Open: open})
	if !open {
		o.closeRecord("opened", "")
	}
}

// closeRecord ends the record that waited for its door: that of a call, which
// has its result already, or that of a local command, which gets this one.
func (o *owner) closeRecord(result, reason string) {
	if o.machine.State() == callflow.Idle && !o.doorMoves() {
		o.diary.done(result, reason)
		o.diary.close()
	}
}

// localOpen is an authenticated local command.
func (o *owner) localOpen(door, who string, reply chan error) {
	o.asked[door] = append(o.asked[door], reply)
	if o.diary.current() == "" {
		o.diary.begin(monotonic(), "", "")
	}
	o.diary.mark(monotonic(), timeline.OpenAsked, 0, who)
	o.step(callflow.OpenAsked{Door: door, Who: who})
}
