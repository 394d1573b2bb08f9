package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"sync"
	"time"

	"doorstation/board"
	"doorstation/drivers/sim"
	"doorstation/firmware/sim/hub"
)

const (
	// pressTime is how long a finger stays on a button: longer than any board
	// may debounce for.
	pressTime = 150 * time.Millisecond

	// retryTime is the wait before the line process is tried again.
	retryTime = 200 * time.Millisecond
)

// errNoInput refuses a press of what the board has not.
var errNoInput = errors.New("no such input")

// A State is what a person sees and hears of the panel.
type State struct {
	Connected bool            `json:"connected"` // to the line process
	Buttons   map[string]bool `json:"buttons"`   // pressed
	Lamps     map[string]bool `json:"lamps"`     // lit
	Relays    map[string]bool `json:"relays"`    // drawn
	Inputs    map[string]bool `json:"inputs"`    // active: door closed, cover open, exit button pressed
	Outputs   map[string]bool `json:"outputs"`   // on
	Level     float64         `json:"level"`     // of the speaker, 0 to 1
	Plays     string          `json:"plays"`     // what kind of sound the speaker makes
	Voice     string          `json:"voice"`     // who speaks for the visitor: nobody, sample or microphone
}

// panel is the panel's hardware from outside.
type panel struct {
	log   *slog.Logger
	path  string
	board *board.Board
	names map[string]part // by line

	mu      sync.Mutex
	world   *sim.World
	state   State
	heard   meter
	voice   voice
	changed *hub.Hub[struct{}]
	frames  *hub.Hub[[]int16]
}

// part is what a line belongs to.
type part struct {
	kind, name string // kind: button, input, lamp, output or relay
}

func newPanel(log *slog.Logger, path string, b *board.Board) *panel {
	p := &panel{
		log: log, path: path, board: b, names: make(map[string]part),
		changed: hub.New[struct{}](1), frames: hub.New[[]int16](50),
	}
	for _, in := range b.Inputs {
		p.names[in.Line] = part{kindOf(in), in.Name}
	}
	for _, o := range b.Outputs {
		p.names[o.Line] = part{"output", o.Name}
	}
	for _, r := range b.Relays {
		p.names[r.Line] = part{"relay", r.Name}
	}
	for _, l := range b.Lamps {
		p.names[l.Line] = part{"lamp", l.Name}
	}
	p.reset()
	return p
}

// kindOf tells a visitor's button from the other inputs.
func kindOf(in board.Input) string {
	if in.Guarded() || in.Contact != "" {
		return "input"
	}
	return "button"
}

// reset forgets what the lines were.
func (p *panel) reset() {
	p.state = State{
		Buttons: map[string]bool{}, Lamps: map[string]bool{}, Relays: map[string]bool{},
		Inputs: map[string]bool{}, Outputs: map[string]bool{}, Voice: voiceNobody,
	}
}

// run keeps the connection to the line process until ctx ends.
func (p *panel) run(ctx context.Context) {
	for ctx.Err() == nil {
		if err := p.visit(ctx); err != nil && ctx.Err() == nil {
			p.log.Debug("line process not reached", "err", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retryTime):
		}
	}
}

// visit is one connection, until it breaks.
func (p *panel) visit(ctx context.Context) error {
	world, err := sim.Visit(p.path)
	if err != nil {
		return err
	}
	defer world.Close()
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p.mu.Lock()
	p.world, p.state.Connected = world, true
	p.mu.Unlock()
	p.changed.Send(struct{}{})
	var parts sync.WaitGroup
	parts.Go(func() {
		defer stop()
		p.ended("watch", world.Watch(ctx, p.moved))
	})
	parts.Go(func() {
		defer stop()
		p.ended("listen", world.Listen(ctx, p.hear))
	})
	parts.Go(func() { p.speak(ctx, world) })
	parts.Wait()
	p.mu.Lock()
	p.reset()
	p.world = nil
	p.mu.Unlock()
	p.changed.Send(struct{}{})
	return nil
}

func (p *panel) ended(what string, err error) {
	if err != nil && !errors.Is(err, context.Canceled) {
		p.log.Debug("line process lost", "part", what, "err", err)
	}
}

// moved takes note of a line's level.
func (p *panel) moved(c sim.Change) {
	p.mu.Lock()
	at := p.names[c.Line]
	switch at.kind {
	case "button":
		p.state.Buttons[at.name] = c.Active
	case "relay":
		p.state.Relays[at.name] = c.Active
	case "lamp":
		p.state.Lamps[at.name] = c.Active
	case "input":
		p.state.Inputs[at.name] = c.Active
	case "output":
		p.state.Outputs[at.name] = c.Active
	}
	p.mu.Unlock()
	p.changed.Send(struct{}{})
}

// hear takes what the speaker plays.
func (p *panel) hear(frame []int16) {
	p.frames.Send(append([]int16(nil), frame...))
	p.mu.Lock()
	level, plays, news := p.heard.take(frame)
	p.state.Level, p.state.Plays = level, plays
	p.mu.Unlock()
	if news {
		p.changed.Send(struct{}{})
	}
}

// press presses a button and lets it go.
func (p *panel) press(ctx context.Context, name string) error {
	if err := p.move(name, true); err != nil {
		return err
	}
	select {
	case <-ctx.Done():
	case <-time.After(pressTime):
	}
	return p.move(name, false)
}

// move makes an input active, or lets it rest.
func (p *panel) move(name string, active bool) error {
	line := ""
	for _, in := range p.board.Inputs {
		if in.Name == name {
			line = in.Line
		}
	}
	if line == "" {
		return fmt.Errorf("%w: %q", errNoInput, name)
	}
	p.mu.Lock()
	world := p.world
	p.mu.Unlock()
	if world == nil {
		return sim.ErrGone
	}
	return world.Press(line, active)
}

// snapshot copies the state.
func (p *panel) snapshot() State {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.state
	s.Buttons, s.Lamps, s.Relays = clone(s.Buttons), clone(s.Lamps), clone(s.Relays)
	s.Inputs, s.Outputs = clone(s.Inputs), clone(s.Outputs)
	s.Level = math.Round(s.Level*1000) / 1000
	return s
}

func clone(m map[string]bool) map[string]bool {
	c := make(map[string]bool, len(m))
	for k, v := range m {
		c[k] = v
	}
	return c
}
