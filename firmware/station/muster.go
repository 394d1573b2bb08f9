package station

import (
	"context"
	"sync"
	"time"

	"doorstation/board"
	"doorstation/drivers"
)

// mustered is how long the SIP line waits at the start for the inputs: whoever
// sees the panel registered can press. One that is broken holds nothing up.
const mustered = time.Second

// A muster waits for the inputs that this process watches, each of which tells
// its level, or its fault, when the watching begins.
type muster struct {
	mu      sync.Mutex
	missing map[string]bool
	all     chan struct{} // closed once none is missing
}

func newMuster(inputs []board.Input) *muster {
	m := &muster{missing: make(map[string]bool), all: make(chan struct{})}
	for _, in := range inputs {
		if !in.Guarded() {
			m.missing[in.Name] = true
		}
	}
	if len(m.missing) == 0 {
		close(m.all)
	}
	return m
}

// present counts an input, once.
func (m *muster) present(name string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.missing[name] {
		return
	}
	if delete(m.missing, name); len(m.missing) == 0 {
		close(m.all)
	}
}

// wait returns when all inputs have been counted, after mustered, or with ctx.
func (m *muster) wait(ctx context.Context) {
	timer := time.NewTimer(mustered)
	defer timer.Stop()
	select {
	case <-m.all:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// watch reports an input. Its level at the beginning is no press; of a contact
// it counts.
func (h *hardware) watch(ctx context.Context, in board.Input, report func(drivers.Input)) error {
	defer h.inputs.present(in.Name)
	open, ok := inputKit[in.Driver]
	if !ok {
		return noDriver(in.Driver)
	}
	inputs, err := open(h.opt, in)
	if err != nil {
		return err
	}
	first := true
	return inputs.Watch(ctx, func(level drivers.Input) {
		if first {
			first = false
			h.inputs.present(in.Name)
			if in.Contact == "" {
				return
			}
		}
		report(level)
	})
}
