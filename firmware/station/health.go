package station

import (
	"sync"
	"sync/atomic"
	"time"
)

// How fast a loop has to answer. A question that is open at askEvery for the
// second time makes its loop sick; whoever acts on that waits for longer, since
// a busy machine may be late once.
const (
	askEvery    = 500 * time.Millisecond
	openTooLong = 2
)

// A turner is a loop that can be asked whether it turns: it calls done when it
// comes round. Turn does not block. Two are the same loop if they are equal.
type turner interface {
	Turn(done func())
}

// A watchedLoop is one kind of loop, and those of the kind that run now.
type watchedLoop struct {
	name string
	now  func() []turner
}

// A question is open until its loop has come round.
type question struct {
	answered atomic.Bool
	looks    int // that found it open
}

// A health knows whether every loop of the daemon turns: that of the call, of
// the SIP line, of each leg's media, and the timers. It asks them in turn, so
// that a loop which has nothing to do is not taken for one that hangs; and it
// counts its own looks in place of time, so that a process which was stopped or
// starved finds nobody late.
type health struct {
	loops []watchedLoop

	mu   sync.Mutex
	last time.Time // look
	open map[turner]*question
	sick string
}

func newHealth(loops ...watchedLoop) *health {
	return &health{loops: loops, open: make(map[turner]*question)}
}

// Sick names the loop that hangs, or is empty. It is meant to be called often,
// from any goroutine: without calls nobody is asked.
func (h *health) Sick() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	if now := time.Now(); h.last.IsZero() || now.Sub(h.last) >= askEvery {
		h.last = now
		h.sick = h.look()
	}
	return h.sick
}

// look takes the answers, asks who has none to give, and forgets who has ended.
func (h *health) look() string {
	sick := ""
	running := make(map[turner]*question, len(h.open))
	for _, l := range h.loops {
		for _, p := range l.now() {
			q := h.open[p]
			if q == nil || q.answered.Load() {
				q = new(question)
				p.Turn(func() { q.answered.Store(true) })
			} else if q.looks++; q.looks >= openTooLong && sick == "" {
				sick = l.name
			}
			running[p] = q
		}
	}
	h.open = running
	return sick
}

// timers are the timers of the process, as a loop.
type timers struct{}

// Turn calls done by a timer.
func (*timers) Turn(done func()) { time.AfterFunc(askEvery/10, done) }

// always is a loop that runs as long as the panel.
func always(p turner) func() []turner {
	all := []turner{p}
	return func() []turner { return all }
}

// watchLoops names the loops that the panel cannot do without.
func (s *Station) watchLoops() *health {
	return newHealth(
		watchedLoop{"call", always(s.owner)},
		watchedLoop{"line", s.line.turners},
		watchedLoop{"media", s.owner.media.now},
		watchedLoop{"timers", always(new(timers))},
	)
}

// mediaLoops are the legs whose media run, as the owner last told.
type mediaLoops struct {
	legs atomic.Pointer[[]turner]
}

func (m *mediaLoops) now() []turner {
	if legs := m.legs.Load(); legs != nil {
		return *legs
	}
	return nil
}

// Turn calls done from the owner's goroutine. Only one question may be open.
func (o *owner) Turn(done func()) {
	select {
	case o.turns <- done:
	default:
	}
}

// turned answers a question, and tells whose media run.
func (o *owner) turned(done func()) {
	var legs []turner
	for _, l := range o.legs {
		legs = append(legs, l.media)
	}
	o.media.legs.Store(&legs)
	done()
}

// turners are the user agents of the line's accounts, as far as there are any.
func (l *line) turners() []turner {
	var all []turner
	for _, l := range []*line{l, l.spare} {
		if ua := l.agent(); ua != nil {
			all = append(all, ua)
		}
	}
	return all
}
