package station

import (
	"context"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/firmware/control"
)

// switchTime bounds how long a lamp or output may take to be switched.
const switchTime = time.Second

// tryLamp switches a lamp, or turns an output over from what it should be and,
// with on false, back again; and waits until its line has taken the level.
func (s *Station) tryLamp(ctx context.Context, name string, on bool) error {
	var l *lamp
	level := on
	err := s.ofOwner(ctx, func(o *owner) error {
		if l = o.lamps[callflow.Indicator(name)]; l != nil {
			l.set(on)
			return nil
		}
		l, level = s.hw.outputs.try(name, on)
		if l == nil {
			return control.Refuse(control.NotFound, "this board has no lamp and no output %q to try", name)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.await(ctx, level)
}

// await waits until the lamp is as it was asked to be.
func (l *lamp) await(ctx context.Context, on bool) error {
	const every = 10 * time.Millisecond
	for end := time.Now().Add(switchTime); ; pause(ctx, every) {
		lit, fault := l.state()
		switch {
		case lit == on && fault == nil:
			return nil
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case time.Now().Before(end):
		case fault != nil:
			return control.Refuse(control.Unavailable, "%s cannot be switched: %v", l.name, fault)
		default:
			return control.Refuse(control.Failed, "%s was not switched within %v", l.name, switchTime)
		}
	}
}

// tryable says which outputs a check turns over. Cutting a lock's supply could
// release it, and the camera has a step of its own.
func tryable(role board.Role) bool { return role != board.LockPower && role != board.CameraPower }

// try turns an output over, or back. It gives the lamp and the level that it
// will have; nil: there is no such output.
func (o *outputs) try(name string, over bool) (*lamp, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, out := range o.all {
		if out.name == name && tryable(out.role) {
			level := out.on != over
			out.set(level)
			return out.lamp, level
		}
	}
	return nil, false
}

// right puts every output back to what it should be.
func (o *outputs) right() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, out := range o.all {
		out.set(out.on)
	}
}
