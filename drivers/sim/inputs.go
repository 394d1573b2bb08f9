package sim

import (
	"context"
	"fmt"
	"sync"
	"time"

	"doorstation/drivers"
)

// inputs watches lines over one connection.
type inputs struct {
	path  string
	lines []InputLine
}

// Watch implements drivers.Inputs.
func (in *inputs) Watch(ctx context.Context, report func(drivers.Input)) error {
	l, err := connect(in.path, roleWatch, "")
	if err != nil {
		return fmt.Errorf("sim: inputs: %w", err)
	}
	defer l.conn.Close()
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	changes := make(chan Change)
	var reading sync.WaitGroup
	reading.Go(func() { stop(receive(ctx, l, changes)) })
	err = debounce(ctx, in.lines, changes, report)
	reading.Wait()
	return fmt.Errorf("sim: inputs: %w", err)
}

// receive puts the changes that come over l into the channel.
func receive(ctx context.Context, l *link, changes chan<- Change) error {
	for {
		p, err := l.next(ctx)
		if err != nil {
			return err
		}
		if p.kind != kindChange {
			continue
		}
		select {
		case changes <- Change{Line: p.name, Level: p.level, Active: p.active, At: p.at}:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// contact is one line on the way to a stable level.
type contact struct {
	InputLine
	known  bool // its level at the beginning has come
	stable bool // active, as reported last
	moving bool // it has changed, and may change back
	active bool // where it is moving to
	at     time.Duration
	due    time.Time // when the change counts
}

// debounce reports a change once its line has been stable for its time. It
// returns when ctx ends.
func debounce(ctx context.Context, lines []InputLine, changes <-chan Change, report func(drivers.Input)) error {
	contacts := make(map[string]*contact, len(lines))
	for _, l := range lines {
		contacts[l.Line] = &contact{InputLine: l}
	}
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case c := <-changes:
			if k := contacts[c.Line]; k != nil {
				k.take(c, report)
			}
		case <-timer.C:
		}
		timer.Reset(settle(contacts, report))
	}
}

// take notes a level of the line.
func (k *contact) take(c Change, report func(drivers.Input)) {
	active := c.Level != k.ActiveLow
	if !k.known {
		k.known, k.stable = true, active
		if k.Present {
			report(drivers.Input{Name: k.Name, Active: active, At: c.At})
		}
		return
	}
	if k.moving && c.At-k.at >= k.Debounce { // it was stable for its time; we come late to see it
		k.settled(report)
	}
	k.moving = active != k.stable
	k.active, k.at = active, c.At
	k.due = time.Now().Add(k.Debounce)
}

// settle reports what has become stable, and says when to look again.
func settle(contacts map[string]*contact, report func(drivers.Input)) time.Duration {
	next := time.Hour
	for _, k := range contacts {
		if !k.moving {
			continue
		}
		if wait := time.Until(k.due); wait > 0 {
			next = min(next, wait)
			continue
		}
		k.settled(report)
	}
	return next
}

// settled reports where the line has moved to.
func (k *contact) settled(report func(drivers.Input)) {
	k.moving, k.stable = false, k.active
	report(drivers.Input{Name: k.Name, Active: k.active, At: k.at})
}
