package station

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/keypad"
	"doorstation/callflow/timeline"
	"doorstation/media/audio"
	"doorstation/media/session"
	"doorstation/media/tone"
)

// An owner holds the call. All of it belongs to the goroutine of run; everybody
// else posts to its mailbox.
type owner struct {
	log  *slog.Logger
	box  *mailbox
	tell func() // called after every change that a person may see

	line   *line
	doors  *doors
	video  *videoHub
	engine *audio.Engine
	diary  *diary
	lamps  map[callflow.Indicator]*lamp
	locked *lockout

	machine callflow.Machine
	events  []callflow.Event // to be stepped, oldest first
	actions []callflow.Action
	busy    bool // events are being stepped

	setup   *setup // of the next call
	rules   *setup // of this call
	button  string
	legs    map[callflow.LegID]*leg
	pad     *keypad.Pad
	sound   sounder
	since   time.Time               // of the present state
	waiting func()                  // for the end of the call
	asked   map[string][]chan error // local commands without the guard's word, by door
	pulses  int                     // without the guard's word
	open    map[string]bool         // doors whose opening was told, and not their closing
}

// run serves the mailbox until ctx ends, and then ends the call.
func (o *owner) run(ctx context.Context) error {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	var work []func()
	for {
		timer.Stop()
		if at := o.deadline(); !at.IsZero() {
			timer.Reset(time.Until(at))
		}
		select {
		case <-ctx.Done():
			o.step(callflow.Shutdown{})
			o.diary.close()
			return context.Cause(ctx)
		case <-o.box.ready:
			work = o.box.take(work)
			for _, fn := range work {
				fn()
			}
		case <-timer.C:
			o.tick()
		}
		o.tell()
	}
}

// deadline is the earliest time at which something here is due.
func (o *owner) deadline() time.Time {
	at := o.machine.Deadline()
	sooner := func(t time.Time) {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	if o.pad != nil {
		sooner(o.pad.Deadline())
	}
	sooner(o.sound.until)
	return at
}

func (o *owner) tick() {
	now := time.Now()
	o.sound.tick(now)
	if o.pad != nil {
		if at := o.pad.Deadline(); !at.IsZero() && !now.Before(at) {
			o.judge(o.machine.Leg(), o.pad.Tick(now))
		}
	}
	o.step(callflow.Tick{})
}

// step gives the machine an event, and performs what it decides. Performing may
// bring further events; they wait their turn.
func (o *owner) step(ev callflow.Event) {
	o.events = append(o.events, ev)
	if o.busy {
		return
	}
	o.busy = true
	for len(o.events) > 0 {
		ev := o.events[0]
		o.events = o.events[:copy(o.events, o.events[1:])]
		before := o.machine.State()
		o.actions = o.machine.Step(time.Now(), ev, o.actions[:0])
		if o.machine.State() != before {
			o.since = time.Now()
		}
		for _, act := range o.actions {
			o.perform(act)
		}
	}
	o.busy = false
	if o.machine.State() == callflow.Idle && o.waiting != nil {
		fn := o.waiting
		o.waiting = nil
		fn()
	}
}

// pressed begins a call, or tells the machine of a press during one.
func (o *owner) pressed(button string, at time.Duration) {
	o.log.Info("button pressed", "button", button)
	if o.machine.State() == callflow.Idle {
		o.diary.close()
		o.rules, o.button = o.setup, button
		flat := ""
		var plan callflow.Plan
		if o.setup != nil {
			plan = o.setup.plans[button]
			flat = plan.Flat
		}
		o.diary.begin(at, button, flat)
		o.diary.mark(at, timeline.Press, 0, button)
		o.diary.mark(monotonic(), timeline.Debounced, 0, "")
		o.step(callflow.Pressed{Button: button, Plan: plan})
		return
	}
	o.diary.mark(at, timeline.SecondPress, 0, button)
	o.step(callflow.Pressed{Button: button})
}

// perform hands one action to the part that can do it.
func (o *owner) perform(act callflow.Action) {
	switch a := act.(type) {
	case callflow.Invite:
		o.invite(a)
	case callflow.Cancel:
		o.line.cancel(a.Leg)
	case callflow.Accept:
		o.accept(a.Leg)
	case callflow.Reject:
		o.line.reject(a.Leg, a.Status)
	case callflow.Bye:
		o.line.bye(a.Leg)
	case callflow.Hear:
		o.hear(a.Leg)
	case callflow.Speak:
		o.speak(a.Leg)
	case callflow.StopMedia:
		o.stopMedia(a.Leg)
	case callflow.Play:
		o.play(a)
	case callflow.Show:
		o.show(a)
	case callflow.Key:
		o.key(a)
	case callflow.OpenDoor:
		o.openDoor(a)
	case callflow.Done:
		o.done(a)
	}
}

func (o *owner) hear(id callflow.LegID) {
	if l := o.legs[id]; l != nil {
		o.engine.Hear(l.media.Hear)
		return
	}
	o.engine.Hear(nil)
}

func (o *owner) speak(id callflow.LegID) {
	for _, l := range o.legs {
		if l.id == id {
			l.media.Speak(o.engine.Uplink)
		} else {
			l.media.Speak(nil)
		}
	}
	o.pad = nil
	if l := o.legs[id]; l != nil {
		rules := o.rules.pad
		rules.Doors = o.plan().Doors
		o.pad = keypad.New(rules, o.locked.state, l.peer)
	}
}

// plan is what the present call obeys.
func (o *owner) plan() callflow.Plan {
	if o.button == "" {
		return o.rules.guest
	}
	return o.rules.plans[o.button]
}

func (o *owner) play(a callflow.Play) {
	if a.ToLeg != 0 {
		if clip, _, ok := tone.For(string(a.Signal)); ok {
			o.engine.PlayUp(clip)
		}
		return
	}
	if a.Signal != callflow.SignalNone {
		o.diary.mark(monotonic(), timeline.Signal, 0, string(a.Signal))
	}
	o.sound.play(time.Now(), a.Signal)
}

func (o *owner) show(a callflow.Show) {
	if lamp := o.lamps[a.Indicator]; lamp != nil {
		lamp.set(a.On)
	}
}

// done closes the call. Its record stays open until the door has closed.
func (o *owner) done(a callflow.Done) {
	o.log.Info("call ended", "result", a.Result, "reason", a.Reason)
	o.diary.done(string(a.Result), a.Reason)
	o.sound.end()
	o.video.rest()
	o.pad, o.button = nil, ""
	if !o.doorMoves() {
		o.diary.close()
	}
}

// doorMoves reports whether the record still waits for a door: for the guard's
// word, or for the closing. What the link knows already may not be told yet.
func (o *owner) doorMoves() bool { return o.pulses > 0 || len(o.open) > 0 }

// key hands a digit of the answered leg to the keypad.
func (o *owner) key(a callflow.Key) {
	if o.pad != nil {
		o.judge(a.Leg, o.pad.Key(time.Now(), a.Key))
	}
}

// judge turns a verdict of the keypad into an event of the call.
func (o *owner) judge(id callflow.LegID, v keypad.Verdict) {
	o.locked.keep()
	switch v.Kind {
	case keypad.Right:
		o.diary.mark(monotonic(), timeline.CodeRight, uint32(id), v.Name)
		o.step(callflow.CodeRight{Leg: id, Door: v.Door, Name: v.Name})
	case keypad.Wrong:
		o.diary.mark(monotonic(), timeline.CodeWrong, uint32(id), v.Reason)
		o.step(callflow.CodeWrong{Leg: id, Reason: v.Reason, End: v.End})
	case keypad.Locked:
		o.diary.mark(monotonic(), timeline.CodeLocked, uint32(id), v.Reason)
		o.step(callflow.CodeWrong{Leg: id, Reason: v.Reason, End: v.End})
	}
}

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

// relayMoved takes an edge that the guard drove.
func (o *owner) relayMoved(door string, open bool, at time.Duration) {
	name := timeline.RelayOff
	if open {
		name = timeline.RelayOn
	}
	if delete(o.open, door); open {
		o.open[door] = true
	}
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

// mediaEvent takes what a leg's media did. What comes after the leg's end
// belongs to no call.
func (o *owner) mediaEvent(id callflow.LegID, ev session.Event) {
	l := o.legs[id]
	if l == nil {
		return
	}
	switch ev := ev.(type) {
	case session.Digit:
		if !ev.At.Before(l.since) {
			o.digit(id, ev.Key, callflow.RoadRTP, ev.At)
		}
	case session.PictureWanted:
		o.video.refresh()
	case session.FirstIn:
		name := timeline.FirstVideoIn
		if ev.Stream == session.Audio {
			name = timeline.FirstAudioIn
		}
		o.diary.mark(onMonotonic(ev.At), name, uint32(id), "")
		if ev.Stream == session.Audio {
			o.step(callflow.AudioArrived{Leg: id})
		}
	case session.FirstOut:
		name := timeline.FirstVideoOut
		if ev.Stream == session.Audio {
			name = timeline.FirstAudioOut
		}
		o.diary.mark(onMonotonic(ev.At), name, uint32(id), "")
	case session.KeyFrameOut:
		o.diary.mark(onMonotonic(ev.At), timeline.KeyFrameOut, uint32(id), "")
	case session.Lost:
		o.diary.mark(onMonotonic(ev.At), timeline.MediaLost, uint32(id), ev.Reason)
		o.step(callflow.MediaLost{Leg: id, Reason: ev.Reason})
	}
}

// digit takes one key of one road, unless the other road has told it already.
func (o *owner) digit(id callflow.LegID, key byte, road callflow.Road, at time.Time) {
	l := o.legs[id]
	if l == nil || !l.merge.Digit(at, int(road), key) {
		return
	}
	name := timeline.RoadRTP
	if road == callflow.RoadINFO {
		name = timeline.RoadINFO
	}
	o.diary.mark(onMonotonic(at), timeline.Digit, uint32(id), name)
	o.step(callflow.Digit{Leg: id, Key: key, Road: road})
}
