package building

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"doorstation/board"
	"doorstation/callflow/timeline"
	"doorstation/drivers/sim"
	"doorstation/firmware/control"
	"doorstation/firmware/sim/phone"
)

const (
	// demoTime bounds the whole demonstration.
	demoTime = 18 * time.Second

	// stepTime bounds one step of it.
	stepTime = 5 * time.Second

	// earlyUnits is how many pictures must have come before the answer.
	earlyUnits = 15

	// talkPackets is how many packets of sound must have come.
	talkPackets = 25
)

// A demo is one call without a person.
type demo struct {
	out   io.Writer
	site  *site
	phone handset
	world *sim.World
	began time.Time
	edges chan edge // of the main door's relay, as the line process saw them
}

// An edge is one change of the relay, with the time at which it was told.
type edge struct {
	open bool
	at   time.Time
}

// A step is one line of the demonstration. do returns what is to be printed.
type step struct {
	name string
	do   func(context.Context) (string, error)
}

// Demo goes through one call in the building and prints each step as it
// happens, then the panel's timeline. The error names the step that failed.
func (b *Building) Demo(ctx context.Context, out io.Writer) error {
	ctx, stop := context.WithTimeoutCause(ctx, demoTime, fmt.Errorf("the demonstration took longer than %v", demoTime))
	defer stop()
	world, err := sim.Visit(filepath.Join(b.site.run, LinesSocket))
	if err != nil {
		return err
	}
	defer world.Close()
	d := &demo{out: out, site: b.site, phone: handset{b.site.flats[0].API}, world: world, began: time.Now(), edges: make(chan edge, 16)}
	watched, unwatch := context.WithCancel(ctx)
	defer unwatch()
	go func() {
		if err := world.Watch(watched, d.saw); err != nil && watched.Err() == nil {
			b.stop(err)
		}
	}()
	for _, s := range d.steps() {
		told, err := s.do(ctx)
		if b.ctx.Err() != nil {
			err = errors.Join(err, context.Cause(b.ctx))
		}
		if err != nil {
			fmt.Fprintf(out, "%8.3f s  FAILED  %s\n", time.Since(d.began).Seconds(), s.name)
			_ = d.timeline(context.WithoutCancel(ctx)) // what there is of it; the step's error says more
			return fmt.Errorf("step %q: %w", s.name, err)
		}
		fmt.Fprintf(out, "%8.3f s  %-14s %s\n", time.Since(d.began).Seconds(), s.name, told)
	}
	return d.timeline(ctx)
}

// saw takes a change of a line; only the main door's relay counts.
func (d *demo) saw(c sim.Change) {
	if c.Line != d.site.board.Relays[0].Line {
		return
	}
	select {
	case d.edges <- edge{c.Active, time.Now()}:
	default: // more edges than any demonstration has
	}
}

func (d *demo) steps() []step {
	return []step{
		{"register", d.register},
		{"press", d.press},
		{"ring", d.ring},
		{"early picture", d.picture},
		{"answer", d.answer},
		{"talk", d.talk},
		{"wrong code", d.wrong},
		{"right code", d.right},
		{"door opens", d.opens},
		{"goes in", d.goesIn},
		{"door closes", d.closes},
		{"hang up", d.hangUp},
	}
}

func (d *demo) register(ctx context.Context) (string, error) {
	_, err := d.phone.until(ctx, stepTime, func(s phone.Status) bool { return slices.Contains(s.Registered, panelUser) })
	if err != nil {
		return "", fmt.Errorf("the panel is not registered: %w", err)
	}
	// The first that is told of a line is its level at the start.
	if _, err := d.relay(ctx, false, "at rest"); err != nil {
		return "", err
	}
	return "the panel has registered with the phone's registrar; the relay is at rest", nil
}

func (d *demo) press(context.Context) (string, error) {
	if err := d.world.Press(d.site.board.Inputs[0].Line, true); err != nil {
		return "", err
	}
	d.began = time.Now()
	return fmt.Sprintf("a finger on %s (%s); times count from here", d.site.flats[0].Button, d.site.flats[0].Name), nil
}

func (d *demo) ring(ctx context.Context) (string, error) {
	s, err := d.phone.until(ctx, stepTime, func(s phone.Status) bool { return s.State == phone.Ringing })
	if err != nil {
		return "", fmt.Errorf("the phone does not ring, it is %s %s: %w", s.State, s.Ended, err)
	}
	if err := d.world.Press(d.site.board.Inputs[0].Line, false); err != nil {
		return "", err
	}
	return fmt.Sprintf("the phone of %s rings, caller %q", d.site.flats[0].Name, s.Caller), nil
}

func (d *demo) picture(ctx context.Context) (string, error) {
	s, err := d.phone.until(ctx, stepTime, func(s phone.Status) bool {
		return s.State == phone.Ringing && s.Video.Units >= earlyUnits && s.Video.Keys > 0
	})
	if err != nil {
		return "", fmt.Errorf("%d pictures with %d key frames came before the answer, wanted %d and 1: %w", s.Video.Units, s.Video.Keys, earlyUnits, err)
	}
	return fmt.Sprintf("%d pictures (%d key frames, %d packets) before anybody answered", s.Video.Units, s.Video.Keys, s.Video.Packets), nil
}

func (d *demo) answer(ctx context.Context) (string, error) {
	if err := d.phone.do(ctx, "/answer"); err != nil {
		return "", err
	}
	s, err := d.phone.until(ctx, stepTime, func(s phone.Status) bool { return s.State == phone.Talking && s.Talk })
	if err != nil {
		return "", fmt.Errorf("no sound agreed, the phone is %s %s: %w", s.State, s.Ended, err)
	}
	return "the resident lifts the receiver; sound is agreed both ways", nil
}

func (d *demo) talk(ctx context.Context) (string, error) {
	s, err := d.phone.until(ctx, stepTime, func(s phone.Status) bool {
		return s.Audio.Received >= talkPackets && s.Audio.Sent >= talkPackets
	})
	if err != nil {
		return "", fmt.Errorf("%d packets of sound came and %d went, wanted %d: %w", s.Audio.Received, s.Audio.Sent, talkPackets, err)
	}
	return fmt.Sprintf("%d packets of sound came, %d went", s.Audio.Received, s.Audio.Sent), nil
}

func (d *demo) wrong(ctx context.Context) (string, error) {
	if err := d.phone.keys(ctx, wrongCode); err != nil {
		return "", err
	}
	if err := d.marked(ctx, timeline.CodeWrong); err != nil {
		return "", err
	}
	select {
	case e := <-d.edges:
		return "", fmt.Errorf("the relay moved (open: %t) on a wrong code", e.open)
	default:
	}
	return "refused; the relay stays at rest", nil
}

func (d *demo) right(ctx context.Context) (string, error) {
	if err := d.phone.keys(ctx, RightCode); err != nil {
		return "", err
	}
	return "typed on the phone's keypad", nil
}

func (d *demo) opens(ctx context.Context) (string, error) {
	if _, err := d.relay(ctx, true, "drawn"); err != nil {
		return "", err
	}
	return fmt.Sprintf("the line process saw %s go active", d.site.board.Relays[0].Line), nil
}

// goesIn pushes the door while its lock is released, and lets it fall shut.
func (d *demo) goesIn(ctx context.Context) (string, error) {
	relay := d.site.board.Relays[0].Name
	i := slices.IndexFunc(d.site.board.Inputs, func(in board.Input) bool { return in.Contact == relay })
	if i < 0 {
		return "through a door without a contact, unseen", nil
	}
	contact := d.site.board.Inputs[i].Line
	for _, closed := range []bool{false, true} {
		if err := d.world.Press(contact, closed); err != nil {
			return "", err
		}
		name := map[bool]timeline.Name{false: timeline.DoorOpened, true: timeline.DoorClosed}[closed]
		if err := d.marked(ctx, name); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("the visitor opens the door and closes it behind him; %s told both", contact), nil
}

func (d *demo) closes(ctx context.Context) (string, error) {
	opened := time.Now()
	at, err := d.relay(ctx, false, "back at rest")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("the line process saw %s go back after %.2f s", d.site.board.Relays[0].Line, at.Sub(opened).Seconds()), nil
}

func (d *demo) hangUp(ctx context.Context) (string, error) {
	if err := d.phone.do(ctx, "/hangup"); err != nil {
		return "", err
	}
	if err := d.marked(ctx, timeline.Done); err != nil {
		return "", err
	}
	return "the resident hangs up, and the panel has closed its record", nil
}

// relay waits for an edge of the relay in the line process.
func (d *demo) relay(ctx context.Context, open bool, what string) (time.Time, error) {
	limit := time.After(stepTime)
	for {
		select {
		case <-ctx.Done():
			return time.Time{}, context.Cause(ctx)
		case <-limit:
			return time.Time{}, fmt.Errorf("the line process did not see the relay %s within %v", what, stepTime)
		case e := <-d.edges:
			if e.open == open {
				return e.at, nil
			}
			return time.Time{}, fmt.Errorf("the line process saw the relay move the wrong way (open: %t)", e.open)
		}
	}
}

// record reads the latest record from the panel.
func (d *demo) record(ctx context.Context) (timeline.Record, error) {
	panel, err := control.Dial(filepath.Join(d.site.run, control.SocketName))
	if err != nil {
		return timeline.Record{}, err
	}
	defer panel.Close()
	calls, err := panel.Calls(ctx)
	if err != nil {
		return timeline.Record{}, err
	}
	if len(calls) == 0 {
		return timeline.Record{}, errors.New("the panel has no record of the call")
	}
	return calls[0], nil
}

// marked waits for a mark in the panel's record of the call.
func (d *demo) marked(ctx context.Context, name timeline.Name) error {
	ctx, stop := context.WithTimeoutCause(ctx, stepTime, fmt.Errorf("no mark %q in the panel's record within %v", name, stepTime))
	defer stop()
	for {
		rec, err := d.record(ctx)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if slices.ContainsFunc(rec.Marks, func(m timeline.Mark) bool { return m.Name == name }) {
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(lookEvery):
		}
	}
}

// timeline prints what the panel recorded.
func (d *demo) timeline(ctx context.Context) error {
	rec, err := d.record(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.out)
	return timeline.Format(d.out, rec)
}
