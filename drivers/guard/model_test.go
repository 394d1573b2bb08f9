package guard

import (
	"fmt"
	"slices"
	"time"
)

// watcher looks at what a Guard wants to be done as the lines would, and says
// what breaks the rules. It knows nothing of the Guard's inside.
type watcher struct {
	max    []time.Duration
	active []bool
	rose   []time.Duration
}

func newWatcher(relays []Relay) watcher {
	w := watcher{active: make([]bool, len(relays)), rose: make([]time.Duration, len(relays))}
	for _, r := range relays {
		w.max = append(w.max, r.Max)
	}
	return w
}

func (w watcher) clone() watcher {
	w.active, w.rose = slices.Clone(w.active), slices.Clone(w.rose)
	return w
}

// see takes the actions of one step. pulse says that the event was a pulse
// message of the client that is served: nothing else may raise a relay.
func (w *watcher) see(now time.Duration, pulse bool, acts []Action) error {
	for _, a := range acts {
		d, ok := a.(Drive)
		if !ok {
			continue
		}
		switch {
		case d.Active && !pulse:
			return fmt.Errorf("relay %d raised without a pulse", d.Relay)
		case d.Active && w.active[d.Relay]:
			return fmt.Errorf("relay %d raised twice", d.Relay)
		case d.Active:
			w.rose[d.Relay] = now
		case w.active[d.Relay] && now-w.rose[d.Relay] > w.max[d.Relay]-Lead:
			return fmt.Errorf("relay %d was active for %v, limit %v", d.Relay, now-w.rose[d.Relay], w.max[d.Relay])
		}
		w.active[d.Relay] = d.Active
	}
	return w.held(now)
}

// held says whether a relay has been active for longer than its maximum.
func (w *watcher) held(now time.Duration) error {
	for i, on := range w.active {
		if on && now-w.rose[i] > w.max[i]-Lead {
			return fmt.Errorf("relay %d active for %v, limit %v", i, now-w.rose[i], w.max[i])
		}
	}
	return nil
}

// drivenSafe says whether acts drive every relay safe.
func drivenSafe(acts []Action, relays int) bool {
	safe := map[int]bool{}
	for _, a := range acts {
		if d, ok := a.(Drive); ok {
			safe[d.Relay] = !d.Active
		}
	}
	for i := range relays {
		if !safe[i] {
			return false
		}
	}
	return true
}

// clone copies a Guard.
func clone(g *Guard) *Guard {
	c := *g
	c.relays = slices.Clone(g.relays)
	c.inputs = slices.Clone(g.inputs)
	c.health.patients = slices.Clone(g.health.patients)
	c.health.crashes = slices.Clone(g.health.crashes)
	return &c
}

// advance lets time pass to the moment to, with a Tick at every deadline.
func advance(g *Guard, w *watcher, to time.Duration) error {
	for {
		at, ok := g.Deadline()
		if !ok || at > to {
			break
		}
		if err := w.see(at, false, g.Step(at, Tick{}, nil)); err != nil {
			return err
		}
		if next, ok := g.Deadline(); ok && next <= at {
			return fmt.Errorf("deadline %v is not over after its tick", at)
		}
	}
	return w.held(to)
}
