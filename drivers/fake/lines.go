// Package fake has the parts of package drivers in memory, for tests: the test
// is the world around the panel.
package fake

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"doorstation/drivers"
)

// Inputs are input lines that a test moves. The zero value is ready.
type Inputs struct {
	mu      sync.Mutex
	report  func(drivers.Input)
	waiting []drivers.Input
	lost    chan error
}

// Change moves a line. What comes before Watch waits for it.
func (in *Inputs) Change(name string, active bool, at time.Duration) {
	in.mu.Lock()
	defer in.mu.Unlock()
	ev := drivers.Input{Name: name, Active: active, At: at}
	if in.report == nil {
		in.waiting = append(in.waiting, ev)
		return
	}
	in.report(ev)
}

// Watch implements drivers.Inputs. One Watch can run at a time.
func (in *Inputs) Watch(ctx context.Context, report func(drivers.Input)) error {
	lost, err := in.begin(report)
	if err != nil {
		return err
	}
	defer in.end()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case err := <-lost:
		return err
	}
}

func (in *Inputs) begin(report func(drivers.Input)) (chan error, error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.report != nil {
		return nil, errors.New("fake: inputs are already watched")
	}
	for _, ev := range in.waiting {
		report(ev)
	}
	in.waiting, in.report, in.lost = nil, report, make(chan error, 1)
	return in.lost, nil
}

func (in *Inputs) end() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.report, in.lost = nil, nil
}

// Lose ends a running Watch with err, as a line that is lost does.
func (in *Inputs) Lose(err error) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.lost != nil {
		select {
		case in.lost <- err:
		default:
		}
	}
}

// A Lamp remembers what it was told. The zero value is dark.
type Lamp struct {
	mu      sync.Mutex
	history []bool
	fault   error
}

// Set implements drivers.Lamp.
func (l *Lamp) Set(on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fault != nil {
		return l.fault
	}
	l.history = append(l.history, on)
	return nil
}

// Break makes every Set fail with err; nil repairs the lamp.
func (l *Lamp) Break(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fault = err
}

// Lit says whether the lamp is on.
func (l *Lamp) Lit() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.history) > 0 && l.history[len(l.history)-1]
}

// History is every Set that succeeded, in order.
func (l *Lamp) History() []bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.history)
}
