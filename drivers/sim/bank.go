package sim

import (
	"fmt"
	"sync"
	"time"
)

// observerQueue is how many changes wait for one observer. It is more than
// MaxLines, so that all levels fit into an empty queue.
const observerQueue = 256

// bank holds the lines.
type bank struct {
	mu        sync.Mutex
	lines     map[string]*line
	order     []*line
	observers map[*observer]struct{}
}

type line struct {
	LineSpec
	level  bool
	at     time.Duration
	driven bool // somebody drives it
}

func (l *line) change() Change {
	return Change{Line: l.Name, Level: l.level, Active: l.level != l.ActiveLow, At: l.at}
}

// observer is one who is told about changes. If it is slow it loses its own
// messages, and gets all levels anew when it has caught up.
type observer struct {
	queue chan Change
	lost  bool
}

func newBank(specs []LineSpec) (*bank, error) {
	if len(specs) > MaxLines {
		return nil, fmt.Errorf("sim: %d lines, limit %d", len(specs), MaxLines)
	}
	b := &bank{lines: map[string]*line{}, observers: map[*observer]struct{}{}}
	now := monotonic()
	for _, s := range specs {
		if s.Name == "" || !printable(s.Name, maxName) {
			return nil, fmt.Errorf("sim: line %q: name wants 1 to %d printable characters", s.Name, maxName)
		}
		if b.lines[s.Name] != nil {
			return nil, fmt.Errorf("sim: line %q is named twice", s.Name)
		}
		l := &line{LineSpec: s, level: s.StartActive != s.ActiveLow, at: now}
		b.lines[s.Name] = l
		b.order = append(b.order, l)
	}
	return b, nil
}

// claim makes the caller the only one who drives the line. The level stays.
func (b *bank) claim(name string) (*line, fault) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[name]
	switch {
	case l == nil:
		return nil, faultUnknown
	case !l.Output:
		return nil, faultRefused
	case l.driven:
		return nil, faultBusy
	}
	l.driven = true
	return l, 0
}

// release lets another one drive the line. The level stays.
func (b *bank) release(l *line) {
	b.mu.Lock()
	defer b.mu.Unlock()
	l.driven = false
}

// press moves an input, as a finger or a contact does.
func (b *bank) press(name string, active bool) fault {
	b.mu.Lock()
	defer b.mu.Unlock()
	l := b.lines[name]
	switch {
	case l == nil:
		return faultUnknown
	case l.Output:
		return faultRefused
	}
	b.move(l, active != l.ActiveLow)
	return 0
}

// set drives a claimed line.
func (b *bank) set(l *line, level bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.move(l, level)
}

// move changes the level and tells the observers. It never waits for one.
func (b *bank) move(l *line, level bool) {
	if l.level == level {
		return
	}
	l.level, l.at = level, monotonic()
	for o := range b.observers {
		o.offer(l.change())
	}
}

// observe adds an observer, which finds the current levels in its queue.
func (b *bank) observe() *observer {
	b.mu.Lock()
	defer b.mu.Unlock()
	o := &observer{queue: make(chan Change, observerQueue)}
	b.observers[o] = struct{}{}
	b.levels(o)
	return o
}

func (b *bank) forget(o *observer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.observers, o)
}

// resync gives the levels anew to an observer that has lost changes, once its
// queue is empty.
func (b *bank) resync(o *observer) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if o.lost && len(o.queue) == 0 {
		o.lost = false
		b.levels(o)
	}
}

func (b *bank) levels(o *observer) {
	for _, l := range b.order {
		o.offer(l.change())
	}
}

// offer is called with the bank's lock held.
func (o *observer) offer(c Change) {
	if o.lost {
		return
	}
	select {
	case o.queue <- c:
	default:
		o.lost = true
	}
}
