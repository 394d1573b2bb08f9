package main

import (
	"context"
	"fmt"
	"os"
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

// Levels, in dB of full scale, and brightness.
const (
	quietest  = -50.0 // speech in front of a microphone that works is louder
	loudest   = -3.0  // and does not come so close to its limit
	darkest   = 20.0  // mean luma of a picture in which nothing is seen, 0 to 255
	brightest = 240.0
	meterBars = 30
)

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
	w.drain()
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

// sound plays a chime and hears the microphone.
func (w *walk) sound(ctx context.Context) {
	if !w.wiring.Sound {
		w.tell("sound", "", stepSkipped, "the board file names none")
		return
	}
	if err := w.lost(ctx, "sound"); err != nil {
		w.tell("sound", "", stepFailed, "%v", err)
		return
	}
	w.speaker(ctx)
	w.microphone(ctx)
}

// lost says whether a part of the panel does not run.
func (w *walk) lost(ctx context.Context, name string) error {
	s, err := w.client.Status(ctx)
	if err != nil {
		return err
	}
	for _, p := range s.Parts {
		if p.Name == name && (p.State == control.PartFailed || p.State == control.PartOff) {
			return fmt.Errorf("%s", part(p))
		}
	}
	return nil
}

func (w *walk) speaker(ctx context.Context) {
	if err := w.try(ctx, control.Trial{Do: control.TryTone}); err != nil {
		w.tell("sound", "speaker", stepFailed, "%v", err)
		return
	}
	level := w.loudest(ctx, w.times.tone, nil).Speaker
	if level <= quietest {
		w.tell("sound", "speaker", stepFailed, "the chime was not played: %.0f dB at most", level)
		return
	}
	good := w.answer.question(ctx, "A chime was played, %.0f dB at most. Was it heard?", level)
	w.seenBy("sound", "speaker", good, "heard", "not heard")
}

// loudest measures for a while, and shows each level.
func (w *walk) loudest(ctx context.Context, lasts time.Duration, show func(control.Finding)) control.Finding {
	most := control.Finding{Microphone: silence, Speaker: silence}
	end := time.Now().Add(lasts)
	for once := false; ctx.Err() == nil && (!once || time.Now().Before(end)); once = true {
		f, err := w.client.Try(ctx, control.Trial{Do: control.TryLevels})
		if err != nil {
			wait(ctx, retryTime)
			continue
		}
		most.Microphone, most.Speaker = max(most.Microphone, f.Microphone), max(most.Speaker, f.Speaker)
		if show != nil {
			show(f)
		}
	}
	return most
}

// retryTime is the pause after a level that could not be had.
const retryTime = 200 * time.Millisecond

// silence is the lowest level that is told, in dB of full scale.
const silence = -96.0

func (w *walk) microphone(ctx context.Context) {
	w.say("Speak into the panel for %v.", w.times.meter)
	most := w.loudest(ctx, w.times.meter, func(f control.Finding) { w.say("  %s", meter(f.Microphone)) }).Microphone
	switch {
	case most <= silence && w.yes:
		w.tell("sound", "microphone", stepFailed, "nothing at all is heard: it is not connected, or it is muted")
	case most <= quietest && w.yes:
		w.tell("sound", "microphone", stepSkipped, "%.0f dB at most, and perhaps nobody spoke", most)
	case most <= quietest:
		w.tell("sound", "microphone", stepFailed, "%.0f dB at most, and speech should reach %.0f dB", most, quietest)
	case most >= loudest:
		w.tell("sound", "microphone", stepFailed, "%.0f dB: it is too loud and will be distorted; lower its gain", most)
	default:
		w.tell("sound", "microphone", stepGood, "%.0f dB at most", most)
	}
}

// meter draws a level.
func meter(db float64) string {
	n := max(0, min(meterBars, int(meterBars*(1-db/silence)+0.5)))
	return fmt.Sprintf("%4.0f dB |%-*s|", db, meterBars, "##############################"[:n])
}

// camera films for a while.
func (w *walk) camera(ctx context.Context) {
	if !w.wiring.Camera {
		w.tell("camera", "", stepSkipped, "the board file names none")
		return
	}
	w.say("The camera films for some seconds.")
	found, err := w.client.Try(ctx, control.Trial{Do: control.TryPicture})
	if err == nil {
		err = w.lost(ctx, "camera")
	}
	if err != nil || found.Picture == nil {
		w.tell("camera", "", stepFailed, "%v", err)
		return
	}
	w.judgePicture(ctx, found.Picture)
}

func (w *walk) judgePicture(ctx context.Context, p *control.Picture) {
	rate := float64(p.Frames) / max(p.For.Seconds(), 1e-3)
	what := fmt.Sprintf("%dx%d, %.1f pictures a second, key frame of %d bytes", p.Width, p.Height, rate, p.KeyBytes)
	if p.JPEG == nil {
		w.tell("camera", "", stepGood, "%s", what)
		return
	}
	what += fmt.Sprintf(", brightness %.0f of 255", p.Brightness)
	if w.picture != "" {
		if err := os.WriteFile(w.picture, p.JPEG, 0o600); err != nil {
			w.tell("camera", "", stepFailed, "%s; the picture was not kept: %v", what, err)
			return
		}
		what += ", kept in " + w.picture
	}
	switch {
	case p.Brightness < darkest:
		w.tell("camera", "", stepFailed, "%s: too dark to see anybody; is the lens covered?", what)
	case p.Brightness > brightest:
		w.tell("camera", "", stepFailed, "%s: too bright to see anybody", what)
	case w.picture != "" && !w.answer.question(ctx, "The picture is in %s. Does it show what stands before the panel?", w.picture):
		w.tell("camera", "", stepFailed, "%s, and it does not show what stands before the panel", what)
	default:
		w.tell("camera", "", stepGood, "%s", what)
	}
}
