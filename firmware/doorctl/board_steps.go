package main

import (
	"context"
	"slices"
	"time"

	"doorstation/firmware/control"
)

// times are how long the steps of a check take.
type times struct {
	lamp  time.Duration // a lamp is lit for so long when nobody is asked
	meter time.Duration // the microphone is heard for so long
	tone  time.Duration // the chime has ended
	edge  time.Duration // for the guard's edges, beside the pulse
}

var usualTimes = times{lamp: time.Second, meter: 5 * time.Second, tone: 1500 * time.Millisecond, edge: 5 * time.Second}

// inputs waits for each input to be used.
func (w *walk) inputs(ctx context.Context) {
	if w.wait == 0 && len(w.wiring.Inputs) > 0 {
		w.tell("inputs", "", stepSkipped, "nobody is waited for: -wait gives the time for each")
		return
	}
	// The cover comes last: it may block the exit buttons.
	isCover := func(in control.Wire) bool { return in.Role == control.RoleCover }
	covers := slices.DeleteFunc(slices.Clone(w.wiring.Inputs), func(in control.Wire) bool { return !isCover(in) })
	for _, in := range append(slices.DeleteFunc(slices.Clone(w.wiring.Inputs), isCover), covers...) {
		if ctx.Err() != nil {
			return
		}
		w.input(ctx, in)
	}
}

// input waits for a change and for the change back.
func (w *walk) input(ctx context.Context, in control.Wire) {
	w.drain()
	switch in.Role {
	case control.RoleContact:
		w.say("Open and close the door of %s: %s. Enter skips it.", in.Of, named(in))
	case control.RoleCover:
		w.say("Work the cover's switch: %s. If the board blocks the doors after that, relays stay off. Enter skips it.", named(in))
	case control.RoleExit:
		w.say("Press and release %s. It opens %s. Enter skips it.", named(in), in.Of)
	default:
		w.say("Press and release %s. Enter skips it.", named(in))
	}
	var level *bool // contacts and covers may begin with either
	if pressed := true; in.Role == control.RoleButton || in.Role == control.RoleExit {
		level = &pressed
	}
	first, ok, why := w.edge(ctx, in.Name, level, w.wait)
	if !ok {
		w.tell("inputs", in.Name, orElse(why, stepFailed), "no change within %v", w.wait)
		return
	}
	back := !first.Active
	second, ok, _ := w.edge(ctx, in.Name, &back, w.wait)
	if !ok {
		w.tell("inputs", in.Name, stepFailed, "it became %s and stayed so for %v", activity(first.Active), w.wait)
		return
	}
	w.tell("inputs", in.Name, stepGood, "%s for %v", activity(first.Active), (second.At - first.At).Round(time.Millisecond))
}

func activity(active bool) string {
	if active {
		return "active"
	}
	return "inactive"
}

// drain forgets what was seen before a step.
func (w *walk) drain() {
	for {
		select {
		case _, more := <-w.seen:
			if !more {
				return
			}
		default:
			return
		}
	}
}

// edge waits for a change of one name, to a level where one is given. Without a
// change it says why a person skipped it.
func (w *walk) edge(ctx context.Context, name string, active *bool, wait time.Duration) (edge control.Sighting, ok bool, why string) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	typed := w.answer.typed()
	for {
		select {
		case one, more := <-w.seen:
			if !more {
				return edge, false, ""
			}
			if one.Name != name {
				w.say("  (%s became %s)", one.Name, activity(one.Active))
				continue
			}
			if active == nil || one.Active == *active {
				return one, true, ""
			}
		case _, more := <-typed:
			if more {
				return edge, false, stepSkipped
			}
			typed = nil // the end of the input skips nothing
		case <-timer.C:
			return edge, false, ""
		case <-ctx.Done():
			return edge, false, ""
		}
	}
}

// lamps lights each lamp and asks.
func (w *walk) lamps(ctx context.Context) {
	for _, l := range w.wiring.Lamps {
		if err := w.try(ctx, control.Trial{Do: control.TryLamp, Name: l.Name, On: true}); err != nil {
			w.tell("lamps", l.Name, stepFailed, "%v", err)
			continue
		}
		good := w.looked(ctx, l)
		if err := w.try(ctx, control.Trial{Do: control.TryLamp, Name: l.Name}); err != nil {
			w.tell("lamps", l.Name, stepFailed, "%v", err)
			continue
		}
		w.seenBy("lamps", l.Name, good, "seen", "not seen")
	}
}

// looked asks whether a lamp or an output has been seen to work. When nobody is
// there it gives a passer-by the time.
func (w *walk) looked(ctx context.Context, l control.Wire) bool {
	switch {
	case w.yes:
		w.say("%s is switched over for %v.", named(l), w.times.lamp)
		wait(ctx, w.times.lamp)
		return true
	case l.Role == "":
		return w.answer.question(ctx, "Is lamp %s lit?", named(l))
	}
	return w.answer.question(ctx, "Output %s (%s) was switched over. Has it changed? (A phone's camera sees infra-red.)", named(l), l.Role)
}

// seenBy records what a person has said, or that nobody has looked.
func (w *walk) seenBy(part, name string, good bool, yes, no string) {
	switch {
	case w.yes:
		w.tell(part, name, stepGood, "driven; nobody was asked")
	case good:
		w.tell(part, name, stepGood, "%s", yes)
	default:
		w.tell(part, name, stepFailed, "%s", no)
	}
}

func (w *walk) try(ctx context.Context, t control.Trial) error {
	_, err := w.client.Try(ctx, t)
	return err
}

func wait(ctx context.Context, d time.Duration) {
	select {
	case <-time.After(d):
	case <-ctx.Done():
	}
}

// relays pulses each relay, having asked.
func (w *walk) relays(ctx context.Context) {
	pulse := time.Duration(w.wiring.Pulse * float64(time.Second))
	for _, r := range w.wiring.Relays {
		if !w.answer.question(ctx, "Relay %s opens its door for %v. Go on?", named(r), pulse) {
			w.tell("relays", r.Name, stepSkipped, "not driven")
			continue
		}
		w.relay(ctx, r, pulse)
	}
}

func (w *walk) relay(ctx context.Context, r control.Wire, pulse time.Duration) {
	w.drain()
	if err := w.try(ctx, control.Trial{Do: control.TryRelay, Name: r.Name}); err != nil {
		w.tell("relays", r.Name, stepFailed, "%v", err)
		return
	}
	yes, no := true, false
	on, rose, _ := w.edge(ctx, r.Name, &yes, w.times.edge)
	off, fell, _ := w.edge(ctx, r.Name, &no, pulse+w.times.edge)
	if !rose || !fell {
		w.tell("relays", r.Name, stepFailed, "the guard told of no pulse: on %v, off %v", rose, fell)
		return
	}
	length := (off.At - on.At).Round(time.Millisecond)
	if !w.answer.question(ctx, "Relay %s was on for %v. Did it click, and the lock with it?", named(r), length) {
		w.tell("relays", r.Name, stepFailed, "on for %v, and nothing clicked", length)
		return
	}
	w.tell("relays", r.Name, stepGood, "on for %v", length)
}
