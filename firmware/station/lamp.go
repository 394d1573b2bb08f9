package station

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"time"

	"doorstation/drivers"
)

// A lamp is switched without waiting for it: the call never waits for a light.
// It is opened when it is first needed, and again after a failure.
type lamp struct {
	name string
	log  *slog.Logger
	open func() (drivers.Lamp, error)
	want chan bool // the newest state that has not been taken

	part   drivers.Lamp
	absent bool // it is not fitted, and that has been said
}

// lampRetry is the pause before a lamp that failed is tried again.
const lampRetry = time.Second

func newLamp(name string, log *slog.Logger, open func() (drivers.Lamp, error)) *lamp {
	return &lamp{name: name, log: log, open: open, want: make(chan bool, 1)}
}

// set asks for a state. Only the owner of the call does.
func (l *lamp) set(on bool) {
	select {
	case <-l.want:
	default:
	}
	l.want <- on
}

// run switches the lamp as it is asked, until ctx ends.
func (l *lamp) run(ctx context.Context) {
	defer l.drop()
	for {
		select {
		case <-ctx.Done():
			return
		case on := <-l.want:
			for err := l.light(on); err != nil && ctx.Err() == nil && len(l.want) == 0; err = l.light(on) {
				l.complain(err)
				pause(ctx, lampRetry)
			}
		}
	}
}

func (l *lamp) light(on bool) (err error) {
	if l.part == nil {
		if l.part, err = l.open(); err != nil {
			l.part = nil
			return err
		}
	}
	if err = l.part.Set(on); err != nil {
		l.drop()
	}
	return err
}

// drop gives the lamp's line back, if it has one.
func (l *lamp) drop() {
	if c, ok := l.part.(io.Closer); ok {
		_ = c.Close()
	}
	l.part = nil
}

// complain logs a failure; of a lamp that is not fitted only the first.
func (l *lamp) complain(err error) {
	absent := errors.Is(err, drivers.ErrAbsent)
	if !absent || !l.absent {
		l.log.Warn("lamp failed", "lamp", l.name, "err", err, "again_in", lampRetry)
	}
	l.absent = absent
}
