package station

import (
	"context"
	"time"

	"doorstation/board"
	"doorstation/board/detect"
	"doorstation/callflow"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// Bounds of an installer's check.
const (
	checkTime    = 30 * time.Minute // then it ends by itself: a forgotten one must not keep visitors out
	checkPulse   = time.Second      // a relay is on for so long
	checkPulses  = 20               // in one check
	checkBacklog = 256              // sightings that nobody has read yet
	levelTime    = 300 * time.Millisecond
)

// A checkup is the check that runs. It belongs to the goroutine of the owner.
type checkup struct {
	who    string
	seen   chan control.Sighting // nil: none runs
	pulses int
}

// saw tells the check of a change, and reports whether one runs. A change that
// it has no room for is lost: it reads more slowly than a person presses.
func (c *checkup) saw(name string, active bool, at time.Duration) bool {
	if c.seen == nil {
		return false
	}
	select {
	case c.seen <- control.Sighting{Name: name, Active: active, At: at}:
	default:
	}
	return true
}

// problem says in words that a check runs; empty when none does.
func (c *checkup) problem() string {
	if c.seen == nil {
		return ""
	}
	return "the wiring is being checked by " + c.who + ": buttons ring nobody until that ends, " + checkTime.String() + " at most"
}

// Check implements control.Checker.
func (s *Station) Check(ctx context.Context, who string) (control.Wiring, <-chan control.Sighting, error) {
	ctx, stop := context.WithTimeout(ctx, checkTime)
	seen := make(chan control.Sighting, checkBacklog)
	err := s.ofOwner(ctx, func(o *owner) error {
		switch {
		case o.around.check.seen != nil:
			return control.Refuse(control.Busy, "another check of the wiring runs")
		case o.machine.State() != callflow.Idle:
			return control.Refuse(control.Busy, "the panel is in a call: check the wiring when it has ended")
		}
		o.around.check = checkup{who: who, seen: seen}
		return nil
	})
	if err != nil {
		stop()
		return control.Wiring{}, nil, err
	}
	context.AfterFunc(ctx, func() {
		stop()
		s.owner.box.post(func() {
			s.owner.endCheck()
			s.hw.outputs.right()
		})
	})
	return s.wiring(), seen, nil
}

// endCheck leaves the panel as it is between two calls.
func (o *owner) endCheck() {
	close(o.around.check.seen)
	o.around.check = checkup{}
	if o.machine.State() != callflow.Idle {
		return // a caller's call, which has lamps and sounds of its own
	}
	for _, l := range o.lamps {
		l.set(false)
	}
	o.sound.play(time.Now(), callflow.SignalNone)
}

// ofOwner runs fn on the owner's goroutine and gives its word.
func (s *Station) ofOwner(ctx context.Context, fn func(*owner) error) error {
	reply := make(chan error, 1)
	s.owner.box.post(func() { reply <- fn(s.owner) })
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// wiring is the board as a check walks along it.
func (s *Station) wiring() control.Wiring {
	b := s.opt.Board
	w := control.Wiring{
		Board: b.Name, Machine: detect.This().Mismatch(b),
		Sound: b.Sound.Driver != "", Camera: b.Camera.Driver != "", Watchdog: b.Watchdog.Device, Pulse: checkPulse.Seconds(),
	}
	for _, in := range b.Inputs {
		w.Inputs = append(w.Inputs, inputWire(in))
	}
	for _, l := range b.Lamps {
		w.Lamps = append(w.Lamps, control.Wire{Name: l.Name, Terminal: l.Terminal})
	}
	for _, o := range b.Outputs {
		if tryable(o.Role) {
			w.Lamps = append(w.Lamps, control.Wire{Name: o.Name, Role: string(o.Role), Terminal: o.Terminal})
		}
	}
	for _, r := range b.Relays {
		w.Relays = append(w.Relays, control.Wire{Name: r.Name, Terminal: r.Terminal})
	}
	return w
}

func inputWire(in board.Input) control.Wire {
	w := control.Wire{Name: in.Name, Role: control.RoleButton, Label: in.Label, Terminal: in.Terminal}
	switch {
	case in.Tamper:
		w.Role = control.RoleCover
	case in.Contact != "":
		w.Role, w.Of = control.RoleContact, in.Contact
	case in.Opens != "":
		w.Role, w.Of = control.RoleExit, in.Opens
	}
	return w
}

// Try implements control.Checker.
func (s *Station) Try(ctx context.Context, t control.Trial, who string) (control.Finding, error) {
	if err := s.ofOwner(ctx, (*owner).mayTry); err != nil {
		return control.Finding{}, err
	}
	var found control.Finding
	var err error
	switch t.Do {
	case control.TryLamp:
		err = s.tryLamp(ctx, t.Name, t.On)
	case control.TryRelay:
		err = s.tryRelay(ctx, t.Name, who)
	case control.TryTone:
		err = s.ofOwner(ctx, func(o *owner) error {
			o.sound.play(time.Now(), callflow.SignalIncoming)
			return nil
		})
	case control.TryLevels:
		found = s.levels(ctx)
	case control.TryPicture:
		found.Picture, err = s.film(ctx)
	default:
		err = control.Refuse(control.Invalid, "there is nothing to try that is called %q", t.Do)
	}
	return found, err
}

// mayTry says whether a check runs, and nobody calls.
func (o *owner) mayTry() error {
	switch {
	case o.around.check.seen == nil:
		return control.Refuse(control.Unavailable, "no check of the wiring runs, or it has lasted longer than %v", checkTime)
	case o.machine.State() != callflow.Idle:
		return control.Refuse(control.Busy, "somebody calls the panel: go on when the call has ended")
	}
	return nil
}

// tryRelay pulses a relay, which is recorded as a local command, and waits for
// the guard's word.
func (s *Station) tryRelay(ctx context.Context, relay, who string) error {
	if _, ok := s.opt.Board.Relay(relay); !ok {
		return control.Refuse(control.NotFound, "this board has no relay %q", relay)
	}
	reply := make(chan error, 1)
	if err := s.ofOwner(ctx, func(o *owner) error { return o.checkRelay(relay, who, reply) }); err != nil {
		return err
	}
	ctx, stop := context.WithTimeout(ctx, openWait)
	defer stop()
	select {
	case err := <-reply:
		if err != nil {
			return control.Refuse(control.Unavailable, "relay %q was not driven: %v", relay, err)
		}
		return nil
	case <-ctx.Done():
		return control.Refuse(control.Failed, "relay %q: no word from the guard within %v", relay, openWait)
	}
}

// checkRelay asks the guard for the short pulse of a check.
func (o *owner) checkRelay(relay, who string, reply chan error) error {
	c := &o.around.check
	if c.pulses++; c.pulses > checkPulses {
		return control.Refuse(control.Denied, "a check pulses relays %d times at most: begin another one", checkPulses)
	}
	door, now := o.doorOf(relay), monotonic()
	if o.diary.current() == "" {
		o.diary.begin(now, "", "")
	}
	o.diary.mark(now, timeline.OpenAsked, 0, who+", checking the wiring")
	o.diary.mark(now, timeline.DoorAsked, 0, door)
	o.asked[door] = append(o.asked[door], reply)
	o.pulses++
	o.doors.pulse(door, doorRule{relay: relay, pulse: checkPulse}, "check of the wiring", func(err error) {
		o.box.post(func() {
			o.pulses--
			o.pulsed(door, err)
		})
	})
	return nil
}

// levels are the loudest of a short while.
func (s *Station) levels(ctx context.Context) control.Finding {
	const every = 20 * time.Millisecond // a frame
	mic, speaker := s.owner.engine.Levels()
	for end := time.Now().Add(levelTime); time.Now().Before(end) && ctx.Err() == nil; {
		pause(ctx, every)
		m, sp := s.owner.engine.Levels()
		mic, speaker = max(mic, m), max(speaker, sp)
	}
	return control.Finding{Microphone: mic, Speaker: speaker}
}
