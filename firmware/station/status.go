package station

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua/trace"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// A view is what the owner lets others see of the call. It never changes.
type view struct {
	call   control.Call
	setup  *setup
	around around
	reach  reach
	text   *control.Message
	phones map[string]phone
}

// publish renews the view, wakes the watchers, and lights the lamp of trouble. It
// runs on the owner's goroutine.
func (s *Station) publish() {
	o := s.owner
	next := view{setup: o.setup, around: o.seeAround(), reach: o.reach, text: o.text, phones: o.phones.known, call: control.Call{State: control.CallIdle, Shows: string(o.sound.shown)}}
	if st := o.machine.State(); st != callflow.Idle {
		next.call.State = control.CallRinging
		if st == callflow.Talking {
			next.call.State = control.CallTalking
		}
		next.call.Since, next.call.Button = o.since, o.button
		next.call.Flat = o.plan().Flat
	}
	next.call.ID = o.diary.current()
	s.seen.Store(&next)
	s.watch.wake()
	o.warn()
}

// Status gives the state of the panel.
func (s *Station) Status() control.Status {
	v := s.seen.Load()
	st := control.Status{
		Name: s.opt.Board.Model, Version: s.opt.Version,
		Started: s.started, Uptime: time.Since(s.started),
		Registration: s.line.registration(),
		Config:       s.configStatus(),
		Call:         v.call,
		Guard:        s.doors.guard(),
		Parts:        s.parts.parts(),
		Missing:      slices.Concat(s.missing(), s.hw.missing),
		Problems:     s.problems(),
		Message:      v.text,
	}
	for _, name := range s.buttons {
		b := control.Button{Name: name}
		if v.setup != nil {
			b.Flat = v.setup.plans[name].Flat
		}
		st.Buttons = append(st.Buttons, b)
	}
	if v.setup != nil {
		st.Problems = append(st.Problems, v.setup.silent(v.reach)...)
		st.Name, st.Phones = v.setup.name, v.setup.phonesShown(v.phones, time.Now())
		for _, d := range v.setup.doc.Doors {
			door := v.around.contacts[d.Relay]
			door.Name, door.Open = d.Name, s.doors.isOpen(d.Relay)
			st.Doors = append(st.Doors, door)
		}
	}
	v.around.show(&st, time.Now())
	st.Outputs = s.hw.switched()
	return st
}

func (s *Station) configStatus() control.Config {
	st := s.store.State()
	c := control.Config{
		Revision: st.Revision, From: st.From, Since: st.At, Trial: st.Trial,
		Error: st.LastError, Warnings: slices.Clone(st.Warnings),
	}
	if v := s.seen.Load(); v.setup != nil {
		c.Warnings = append(c.Warnings, v.setup.warnings...)
	}
	switch {
	case c.Error != "":
	case st.FetchError != "":
		c.Error = "not fetched: " + st.FetchError
	case st.RefusedRevision != "":
		c.Error = "revision " + st.RefusedRevision + " was rolled back"
	}
	return c
}

// Calls gives the records, newest first.
func (s *Station) Calls() []timeline.Record { return s.diary.records() }

// Messages implements control.Tracer.
func (s *Station) Messages() []trace.Message { return s.line.messages.Messages() }

// Press does what pressing the button would do.
func (s *Station) Press(button string) error {
	if !slices.Contains(s.buttons, button) {
		return control.Refuse(control.NotFound, "this board has no button %q; it has %v", button, s.buttons)
	}
	at := monotonic()
	s.owner.box.post(func() { s.owner.pressed(button, at) })
	return nil
}

// Open asks for a door and waits for the guard's word.
func (s *Station) Open(door, who string) error {
	v := s.seen.Load()
	if v.setup == nil {
		return control.Refuse(control.Unavailable, "the panel has no configuration, and so no doors")
	}
	if _, ok := v.setup.doors[door]; !ok {
		return control.Refuse(control.NotFound, "there is no door %q in revision %s", door, v.setup.doc.Revision)
	}
	reply := make(chan error, 1)
	s.owner.box.post(func() { s.owner.localOpen(door, who, reply) })
	select {
	case err := <-reply:
		if err != nil {
			return control.Refuse(control.Unavailable, "door %q was not opened: %v", door, err)
		}
		return nil
	case <-time.After(openWait):
		return control.Refuse(control.Failed, "door %q: no word from the guard within %v", door, openWait)
	}
}

// openWait bounds a local command.
const openWait = 3 * time.Second

// Watch gives a channel that has a value after each change of the status.
func (s *Station) Watch(ctx context.Context) <-chan struct{} { return s.watch.add(ctx) }

// watchers are those who want to know of changes.
type watchers struct {
	mu  sync.Mutex
	all map[chan struct{}]bool
}

func (w *watchers) add(ctx context.Context) <-chan struct{} {
	ch := make(chan struct{}, 1)
	w.mu.Lock()
	if w.all == nil {
		w.all = make(map[chan struct{}]bool)
	}
	w.all[ch] = true
	w.mu.Unlock()
	context.AfterFunc(ctx, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		delete(w.all, ch)
		close(ch)
	})
	return ch
}

func (w *watchers) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for ch := range w.all {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}
