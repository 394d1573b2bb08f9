package station

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"doorstation/drivers"
)

// A lamp is switched without waiting for it: the call never waits for a light.
// It is opened when it is first switched, and again after a failure.
type lamp struct {
	name  string
	log   *slog.Logger
	open  func(on bool) (drivers.Lamp, error) // with the state that it is to have
	want  chan bool                           // the newest state that has not been taken
	stays bool                                // it keeps its state at the end

	part   drivers.Lamp
	absent bool // it is not fitted, and that has been said

	mu    sync.Mutex
	lit   bool
	fault error // why it cannot be switched
}

// lampRetry is the pause before a lamp that failed is tried again.
const lampRetry = time.Second

func newLamp(name string, log *slog.Logger, open func(on bool) (drivers.Lamp, error)) *lamp {
	return &lamp{name: name, log: log, open: open, want: make(chan bool, 1)}
}

// set asks for a state. One goroutine at a time does.
func (l *lamp) set(on bool) {
	select {
	case <-l.want:
	default:
	}
	l.want <- on
}

// state is how the lamp was switched last, and why it cannot be.
func (l *lamp) state() (lit bool, fault error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lit, l.fault
}

// run switches the lamp as it is asked, until ctx ends; then off, unless it
// stays as it is.
func (l *lamp) run(ctx context.Context) {
	defer l.rest()
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

// rest leaves the lamp as it has to be without this program.
func (l *lamp) rest() {
	if l.part != nil && !l.stays {
		_ = l.light(false)
	}
	l.drop()
}

func (l *lamp) light(on bool) (err error) {
	defer func() { l.note(on, err) }()
	if l.part == nil {
		if l.part, err = l.open(on); err != nil {
			l.part = nil
			return err
		}
	}
	if err = l.part.Set(on); err != nil {
		l.drop()
	}
	return err
}

func (l *lamp) note(on bool, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lit, l.fault = on && err == nil, err
}

// drop gives the lamp's line back, if it has one.
func (l *lamp) drop() {
	shut(l.part)
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
