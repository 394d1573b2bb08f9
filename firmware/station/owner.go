package station

import (
	"context"
	"log/slog"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/keypad"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
	"doorstation/media/audio"
	"doorstation/media/tone"
)

// An owner holds the call. All of it belongs to the goroutine of run; everybody
// else posts to its mailbox.
type owner struct {
	log   *slog.Logger
	box   *mailbox
	tell  func()      // called after every change that a person may see
	turns chan func() // a question whether run turns; see Turn
	wall  func(now time.Time) (wall time.Time, set bool)
	media mediaLoops

	line   *line
	doors  *doors
	video  *videoHub
	engine *audio.Engine
	diary  *diary
	lamps  map[callflow.Indicator]*lamp
	around *surroundings
	locked *lockout
	phones *ladder
	stills stills

	machine callflow.Machine
	events  []callflow.Event // to be stepped, oldest first
	actions []callflow.Action
	busy    bool // events are being stepped

	setup   *setup // of the next call
	rules   *setup // of this call
	button  string
	legs    map[callflow.LegID]*leg
	pads    map[callflow.LegID]*keypad.Pad // of those whose digits count
	sound   sounder
	since   time.Time               // of the present state
	reach   reach                   // what the silent probes found
	text    *control.Message        // the last that a caller wrote; nil: none
	trouble bool                    // the lamp of it is lit
	fetch   func()                  // has the configuration fetched
	waiting func()                  // for the end of the call
	asked   map[string][]chan error // local commands without the guard's word, by door
	pulses  int                     // without the guard's word
	held    bool                    // a press waits for the line
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
		case done := <-o.turns:
			o.turned(done)
			continue // nobody has to be told
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
	for _, pad := range o.pads {
		sooner(pad.Deadline())
	}
	sooner(o.sound.until)
	sooner(o.around.deadline())
	return at
}

func (o *owner) tick() {
	now := time.Now()
	o.sound.tick(now)
	o.lookAround(now)
	o.tickPads(now)
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
	if !o.held { // else the same visitor waits already
		o.press(button, at)
	}
}

// press is pressed, once the line is there to ring by.
func (o *owner) press(button string, at time.Duration) {
	if o.machine.State() == callflow.Idle {
		if o.hold(button, at) {
			return
		}
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
		o.rejected(a)
	case callflow.Bye:
		o.line.bye(a.Leg)
	case callflow.Hear:
		o.hear(a.Leg)
	case callflow.Speak:
		o.speak(a.Leg)
	case callflow.Keypad:
		o.keypad(a)
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
}

// keypad reads a leg's digits from now on.
func (o *owner) keypad(a callflow.Keypad) {
	if l := o.legs[a.Leg]; l != nil {
		rules := o.rules.pad
		rules.Doors, rules.Wall = a.Doors, o.wall
		o.pads[a.Leg] = keypad.New(rules, o.locked.state, l.peer)
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
	o.diary.tally.ended(a.Result)
	o.sound.end()
	o.video.rest()
	o.stills.close()
	o.button = ""
	clear(o.pads)
	if !o.doorMoves() {
		o.diary.close()
	}
	o.phones.keep()
}
