package station

import (
	"context"
	"io"
	"slices"
	"sync"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/drivers"
	"doorstation/firmware/control"
)

// A scenery is what the outputs of a board depend on.
type scenery struct {
	filming bool // somebody needs the camera
	night   bool // its pictures are dark
	powered bool // the camera has power outside of calls too
	alarm   bool // a door stands open that should not
}

// wants says whether an output of this role is on.
func (s scenery) wants(role board.Role) bool {
	switch role {
	case board.IRLamp:
		return s.filming && s.night
	case board.IRCut:
		return !s.filming || !s.night
	case board.CameraPower:
		return s.filming || s.powered
	case board.LockPower:
		return true
	case board.Sounder:
		return s.alarm
	}
	return false
}

// outputs are what the panel switches besides doors and lamps.
type outputs struct {
	all []*output

	mu  sync.Mutex
	now scenery
}

// An output is switched as a lamp is: nobody waits for it.
type output struct {
	*lamp
	role board.Role
	on   bool
}

// newOutputs prepares a board's outputs. The supply of a lock stays on when the
// panel's program ends: cutting it would release a lock that holds by current,
// and the end of a program opens no door.
func newOutputs(opt Options) *outputs {
	o := &outputs{now: scenery{powered: true}}
	for _, out := range opt.Board.Outputs {
		line := board.Lamp{Name: out.Name, Driver: out.Driver, Line: out.Line, Active: out.Active, Drive: out.Drive}
		l := newLamp(out.Name, opt.Log, func(on bool) (drivers.Lamp, error) { return openLamp(opt, line, on) })
		l.stays = out.Role == board.LockPower
		on := o.now.wants(out.Role)
		l.set(on)
		o.all = append(o.all, &output{lamp: l, role: out.Role, on: on})
	}
	return o
}

// change changes the scenery, and switches what depends on it.
func (o *outputs) change(by func(*scenery)) {
	o.mu.Lock()
	defer o.mu.Unlock()
	by(&o.now)
	for _, out := range o.all {
		if on := o.now.wants(out.role); on != out.on {
			out.on = on
			out.set(on)
		}
	}
}

// has reports whether the board has an output of this role.
func (o *outputs) has(role board.Role) bool {
	return slices.ContainsFunc(o.all, func(out *output) bool { return out.role == role })
}

// run serves the outputs until ctx ends.
func (o *outputs) run(ctx context.Context) error {
	var all sync.WaitGroup
	for _, out := range o.all {
		all.Go(func() { out.run(ctx) })
	}
	all.Wait()
	<-ctx.Done() // a board may have none
	return nil
}

// roleLamp is the role of lamps among the outputs of a status.
const roleLamp = "lamp"

// switched lists lamps and outputs for a status.
func (h *hardware) switched() []control.Output {
	var list []control.Output
	add := func(name, role string, l *lamp) {
		on, err := l.state()
		one := control.Output{Name: name, Role: role, On: on}
		if err != nil {
			one.Error = err.Error()
		}
		list = append(list, one)
	}
	for _, l := range h.opt.Board.Lamps {
		add(l.Name, roleLamp, h.lamps[callflow.Indicator(l.Name)])
	}
	for _, out := range h.outputs.all {
		add(out.name, string(out.role), out.lamp)
	}
	return list
}

// shut closes what has something to close.
func shut(part any) {
	if c, ok := part.(io.Closer); ok {
		_ = c.Close()
	}
}

// measureLight lets the light meter see the camera's pictures, for a board with
// an infra-red lamp.
func (h *hardware) measureLight() {
	h.meter.tell = func(night bool) { h.outputs.change(func(s *scenery) { s.night = night }) }
	if !h.outputs.has(board.IRLamp) {
		return
	}
	pictures := peekOf(h.video.camera)
	if pictures == nil {
		h.missing = append(h.missing, "the infra-red lamp stays dark: this camera's pictures cannot be measured")
		return
	}
	pictures.add(h.meter.look)
}

// filming is told when the camera begins to be needed, and when it is not.
func (h *hardware) filming(on bool) {
	if !on {
		h.meter.begin() // of the next use
	}
	h.outputs.change(func(s *scenery) { s.filming = on })
}

// soundFor is how long a sounder tells of a door that stands open.
const soundFor = time.Minute

// sound starts the sounder.
func (s *surroundings) sound(now time.Time) {
	s.quietAt = now.Add(soundFor)
	s.scene(func(c *scenery) { c.alarm = true })
}

// quiet stops it.
func (s *surroundings) quiet() {
	s.quietAt = time.Time{}
	s.scene(func(c *scenery) { c.alarm = false })
}
