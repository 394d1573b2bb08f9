package station

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"sync"
	"time"

	"doorstation/drivers/guard"
	"doorstation/firmware/control"
)

// A doors is the panel's link to the guard, which alone holds the relays.
type doors struct {
	log   *slog.Logger
	path  string
	moved func(relay, door string, open bool, at time.Duration) // called from the link's goroutine
	lost  func(relay, door string)                              // the guard went away while the door was open
	input func(guard.InputEdge)                                 // as moved

	sick   func() string // names the loop of this process that hangs
	meant  func() bool   // whether the end of run's context is
	resets func(n int)   // told, when the guard is found, how many resets in a row it has forced

	mu     sync.Mutex
	client pulser // nil: no guard
	err    error
	asked  map[string]string // relay to the door that it was last asked for
	open   map[string]string // active relay to the door that it was opened as
	names  map[string]string // relay to its door, for openings that nobody here asked for
}

// A pulser is the guard as the doors need it: a *guard.Client.
type pulser interface {
	Pulse(relay string, d time.Duration, reason string) error
}

func newDoors(path string, log *slog.Logger) *doors {
	return &doors{path: path, log: log, err: guard.ErrGone, asked: make(map[string]string), open: make(map[string]string)}
}

// run keeps the link until ctx ends or the guard is gone.
func (d *doors) run(ctx context.Context) error {
	client, err := guard.Dial(d.path)
	if err != nil {
		d.use(nil, err)
		return err
	}
	d.use(client, nil)
	d.resets(client.Reboots())
	err = d.serve(ctx, client)
	d.use(nil, err)
	d.forget()
	return err
}

// serve runs the client until ctx ends. At an end that is not meant it goes on for
// as long as the process does, so that the guard hears of no orderly end: it
// counts the others, and resets the board after too many.
func (d *doors) serve(ctx context.Context, client *guard.Client) error {
	life, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	ended := make(chan error, 1)
	go func() { ended <- client.Run(life, guard.Handler{Edge: d.edge, Input: d.input, Sick: d.sick}) }()
	defer context.AfterFunc(ctx, func() {
		if d.meant() {
			stop(context.Cause(ctx))
		} else {
			ended <- context.Cause(ctx)
		}
	})()
	return <-ended
}

func (d *doors) use(client pulser, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.client, d.err = client, err
}

// edge passes on what the guard has driven.
func (d *doors) edge(e guard.Edge) {
	d.mu.Lock()
	door, was := d.open[e.Relay]
	if !was {
		door = cmp.Or(d.asked[e.Relay], d.names[e.Relay], e.Relay)
	}
	if delete(d.open, e.Relay); e.Active {
		d.open[e.Relay] = door
	}
	d.mu.Unlock()
	d.log.Info("relay moved", "relay", e.Relay, "door", door, "active", e.Active, "cause", e.Cause)
	d.moved(e.Relay, door, e.Active, e.At)
}

// forget reports the doors whose relays nobody tells about any more. The guard
// drives them safe when its client is gone, and at its own start.
func (d *doors) forget() {
	d.mu.Lock()
	gone := maps.Clone(d.open)
	clear(d.open)
	d.mu.Unlock()
	for relay, door := range gone {
		d.lost(relay, door)
	}
}

// know learns the names of the doors.
func (d *doors) know(rules map[string]doorRule) {
	d.mu.Lock()
	defer d.mu.Unlock()
	clear(d.asked)
	d.names = make(map[string]string)
	for name, rule := range rules {
		d.names[rule.relay] = name
	}
}

// pulse asks for a door and hands the guard's word to done. The edge of an
// accepted pulse has been told by then, and its end may have.
func (d *doors) pulse(door string, rule doorRule, reason string, done func(error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked[rule.relay] = door
	if d.client == nil {
		go done(d.err)
		return
	}
	client := d.client
	go func() { done(client.Pulse(rule.relay, rule.pulse, reason)) }()
}

func (d *doors) isOpen(relay string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, open := d.open[relay]
	return open
}

func (d *doors) guard() control.Guard {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.client != nil {
		return control.Guard{Connected: true}
	}
	return control.Guard{Error: d.err.Error()}
}
