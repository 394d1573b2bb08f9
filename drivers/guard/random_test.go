package guard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// licence is what a relay may do by the rules, kept beside the Guard: active
// only until the end of what was accepted or pressed, and never while blocked.
type licence struct {
	until   []time.Duration
	pressed []time.Duration // the part that does not need the client
	blocked time.Duration
	cover   bool
}

// see takes one event and what the Guard did about it.
func (l *licence) see(now time.Duration, ev Event, asked map[string]time.Duration, acts []Action, block time.Duration) error {
	if ev, ok := ev.(Moved); ok {
		in := inputs[ev.Input]
		if in.Tamper {
			if ev.Active && !l.cover {
				l.blocked = now + block
			}
			l.cover = ev.Active
		} else if ev.Active && !ev.First && now >= l.blocked {
			l.until[1] = max(l.until[1], now+in.For)
			l.pressed[1] = max(l.pressed[1], now+in.For)
		}
	}
	for _, a := range acts {
		switch a := a.(type) {
		case Reply:
			m, err := parse(a.Raw)
			if err == nil && m.kind == kindAccept {
				for name, d := range asked {
					l.until[map[string]int{"door1": 0, "door2": 1}[name]] = now + d
				}
			}
		case Drop: // of a client: what it has asked for is over
			if !strings.Contains(a.Why, "another client is served") && !strings.Contains(a.Why, "denied") {
				copy(l.until, l.pressed)
			}
		case Drive:
			if a.Active && now < l.blocked {
				return fmt.Errorf("relay %d rises while blocked", a.Relay)
			}
			if a.Active && a.For <= 0 {
				return fmt.Errorf("relay %d rises for %v", a.Relay, a.For)
			}
		}
	}
	return nil
}

// allows says whether the relays that are active may be so.
func (l *licence) allows(now time.Duration, active []bool) error {
	for i, on := range active {
		if on && now >= max(l.until[i], l.pressed[i]) {
			return fmt.Errorf("relay %d is active at %v, allowed until %v", i, now, max(l.until[i], l.pressed[i]))
		}
		if on && now < l.blocked {
			return fmt.Errorf("relay %d is active while blocked", i)
		}
	}
	return nil
}

// TestRandomHistories gives a Guard long histories of everything that can
// happen: no relay is ever active outside an accepted pulse or the press of an
// exit button, nor beyond its limit, nor while it is blocked; and a process that
// is healthy is never signalled.
func TestRandomHistories(t *testing.T) {
	for seed := range uint64(25) {
		if err := history(rand.New(rand.NewPCG(seed, 1)), 3000); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
	}
}

// past is a history, and what the rules say about it.
type past struct {
	rng     *rand.Rand
	g       *Guard
	now     time.Duration
	watch   watcher
	licence licence
	healthy map[ProcessID]time.Duration // last healthy beat
	served  ClientID
	process ProcessID
	last    ClientID
	seq     uint32
}

const testBlock = 20 * time.Second

func history(rng *rand.Rand, steps int) error {
	h := &past{
		rng: rng, g: New(Panel{Relays: relays, Inputs: inputs, TamperBlock: testBlock}), watch: newWatcher(relays),
		licence: licence{until: make([]time.Duration, 2), pressed: make([]time.Duration, 2)},
		healthy: map[ProcessID]time.Duration{},
	}
	if err := errors.Join(h.step(Started{}, nil), h.step(Armed{Timeout: 10 * time.Second}, nil)); err != nil {
		return err
	}
	for i := range steps {
		if err := h.something(); err != nil {
			return fmt.Errorf("step %d at %v: %w", i, h.now, err)
		}
	}
	return h.pass(time.Hour)
}

// something lets a random time pass, with ticks as Serve makes them, and then
// something happen.
func (h *past) something() error {
	waits := []time.Duration{0, time.Millisecond, 40 * time.Millisecond, 300 * time.Millisecond, 3 * time.Second}
	if err := h.pass(waits[h.rng.IntN(len(waits))]); err != nil {
		return err
	}
	ev, asked := h.choose()
	return h.step(ev, asked)
}

// pass lets time pass, with a Tick at every deadline.
func (h *past) pass(d time.Duration) error {
	end := h.now + d
	for {
		at, ok := h.g.Deadline()
		if !ok || at > end {
			break
		}
		h.now = max(h.now, at)
		if err := h.step(Tick{}, nil); err != nil {
			return err
		}
	}
	h.now = end
	return nil
}

// choose is what happens next, and the pulse that is asked for by it.
func (h *past) choose() (Event, map[string]time.Duration) {
	switch n := h.rng.IntN(20); {
	case n < 2 || h.served == 0 && n < 8:
		h.last++
		h.process = ProcessID(1 + h.rng.IntN(3))
		return Connected{Client: h.last, Process: h.process}, nil
	case n < 8:
		return h.said("beat"), nil
	case n < 9:
		return h.said("beat sip loop"), nil
	case n < 12:
		return h.pulse()
	case n < 13:
		return h.said([]string{"bye", "rubbish", "accept 1"}[h.rng.IntN(3)]), nil
	case n < 14:
		return Left{Client: h.served}, nil
	case n < 15:
		return Exited{Process: ProcessID(1 + h.rng.IntN(3))}, nil
	case n < 17:
		return Moved{Input: 0, Active: h.rng.IntN(2) == 0, First: h.rng.IntN(8) == 0, At: h.now}, nil
	case n < 18 && h.rng.IntN(4) == 0:
		return Moved{Input: 1, Active: h.rng.IntN(2) == 0, First: h.rng.IntN(8) == 0, At: h.now}, nil
	}
	return Tick{}, nil
}

func (h *past) said(words string) Event {
	return Received{Client: h.served, Raw: []byte("2 " + words)}
}

func (h *past) pulse() (Event, map[string]time.Duration) {
	h.seq++
	name, d := relays[h.rng.IntN(2)].Name, time.Duration(h.rng.IntN(1100))*time.Millisecond
	age := time.Duration(h.rng.IntN(1200)) * time.Millisecond
	return h.said(fmt.Sprintf("pulse %d %s %d %d x", h.seq, name, d.Milliseconds(), max(0, h.now-age))), map[string]time.Duration{name: d}
}

// step gives one event to the Guard, and holds what it does against the rules.
func (h *past) step(ev Event, asked map[string]time.Duration) error {
	known := map[int]bool{}
	for i, in := range h.g.inputs {
		known[i] = in.known && in.active
	}
	if m, ok := ev.(Moved); ok && known[m.Input] == m.Active && h.g.inputs[m.Input].known {
		ev = Tick{} // the same level again is nothing
	}
	acts := h.g.Step(h.now, ev, nil)
	if asked != nil {
		asked = h.longest(asked)
	}
	_, pressed := ev.(Moved)
	if err := h.licence.see(h.now, ev, asked, acts, testBlock); err != nil {
		return err
	}
	if err := h.watch.see(h.now, asked != nil || pressed, acts); err != nil {
		return err
	}
	h.served = h.g.client.id
	return errors.Join(h.licence.allows(h.now, h.watch.active), h.signals(ev, acts))
}

// longest is the later end of a pulse and of what is allowed already.
func (h *past) longest(asked map[string]time.Duration) map[string]time.Duration {
	for name, d := range asked {
		i := h.g.find(name)
		return map[string]time.Duration{name: max(d, h.licence.until[i]-h.now)}
	}
	return asked
}

// signals looks whether only those are signalled who are not healthy.
func (h *past) signals(ev Event, acts []Action) error {
	if r, ok := ev.(Received); ok && string(r.Raw) == "2 beat" && h.g.client.id != 0 {
		h.healthy[h.g.client.process] = h.now
	}
	for _, a := range acts {
		if s, ok := a.(Signal); ok && h.now-h.healthy[s.Process] < AbortAfter && !s.Kill {
			return fmt.Errorf("process %d was healthy %v ago, and is signalled", s.Process, h.now-h.healthy[s.Process])
		}
	}
	return nil
}
