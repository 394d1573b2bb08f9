package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"doorstation/firmware/control"
)

// A part is one independent piece of the panel. Parts do not know each other:
// each gets a context and returns an error.
type part struct {
	name string
	run  func(context.Context) error
	need bool // its end is the end of the process
}

// Restarts of a part: at once after the first failure, then slower and slower
// until it has been healthy for a while.
const (
	restartMin = 50 * time.Millisecond
	restartMax = 5 * time.Second
	healthy    = 10 * time.Second
)

// A supervisor runs parts and knows how they are.
type supervisor struct {
	log *slog.Logger

	mu    sync.Mutex
	state map[string]control.Part
}

// run starts all parts, starts again those that stop, and returns when ctx has
// ended or a needed part has, with the first cause.
func (s *supervisor) run(ctx context.Context, parts ...part) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var all sync.WaitGroup
	for _, p := range parts {
		all.Go(func() { s.keep(ctx, stop, p) })
	}
	all.Wait()
	return context.Cause(ctx)
}

// keep runs one part until ctx ends.
func (s *supervisor) keep(ctx context.Context, stop context.CancelCauseFunc, p part) {
	restarts := 0
	for wait := restartMin; ctx.Err() == nil; wait = min(2*wait, restartMax) {
		s.set(control.Part{Name: p.name, State: control.PartRunning, Restarts: restarts})
		began := time.Now()
		err := contain(ctx, p.run)
		if ctx.Err() != nil {
			return
		}
		if err == nil {
			err = errors.New("stopped by itself")
		}
		if p.need {
			stop(fmt.Errorf("%s: %w", p.name, err))
			return
		}
		if time.Since(began) > healthy {
			wait = restartMin
		}
		restarts++
		s.set(control.Part{Name: p.name, State: control.PartFailed, Error: err.Error(), Restarts: restarts})
		s.log.Warn("part stopped", "part", p.name, "err", err, "again_in", wait)
		pause(ctx, wait)
	}
}

func (s *supervisor) set(p control.Part) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.state == nil {
		s.state = make(map[string]control.Part)
	}
	if p.Error == "" {
		p.Error = s.state[p.Name].Error // the last failure stays readable
	}
	s.state[p.Name] = p
}

// parts lists how each part is, by name.
func (s *supervisor) parts() []control.Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]control.Part, 0, len(s.state))
	for _, p := range s.state {
		list = append(list, p)
	}
	slices.SortFunc(list, func(a, b control.Part) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// contain runs fn and turns a panic into an error with its stack.
func contain(ctx context.Context, fn func(context.Context) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = fmt.Errorf("panic: %v\n%s", v, debug.Stack())
		}
	}()
	return fn(ctx)
}

// pause waits for d or for the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
