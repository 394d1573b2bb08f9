package sim

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"doorstation/drivers"
	"doorstation/drivers/seqpacket"

	"periph.io/x/conn/v3/gpio"
)

var testLines = []LineSpec{
	{Name: "BUTTON1", ActiveLow: true},
	{Name: "DOOR1", Output: true},
	{Name: "DOOR2", Output: true, ActiveLow: true, StartActive: true},
	{Name: "LAMP", Output: true},
}

// serve runs a line process inside this one, and returns its socket.
func serve(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "sim") // short: socket paths have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "sim.sock")
	ctx, stop := context.WithCancel(context.Background())
	ready, end := make(chan struct{}), make(chan error, 1)
	go func() { end <- Serve(ctx, path, testLines, Options{Ready: func() { close(ready) }}) }()
	select {
	case <-ready:
	case err := <-end:
		t.Fatal(err)
	}
	t.Cleanup(func() {
		stop()
		if err := <-end; err != context.Canceled {
			t.Error("Serve:", err)
		}
		os.RemoveAll(dir)
	})
	return path
}

func world(t *testing.T, path string) *World {
	t.Helper()
	w, err := Visit(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.Close() })
	return w
}

// watch collects changes, and gives the levels at the start.
func watch(t *testing.T, w *World) (levels map[string]Change, changes chan Change) {
	t.Helper()
	ctx, stop := context.WithCancel(context.Background())
	changes, end := make(chan Change, 1000), make(chan error, 1)
	go func() { end <- w.Watch(ctx, func(c Change) { changes <- c }) }()
	t.Cleanup(func() {
		stop()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Error("Watch:", err)
		}
	})
	levels = map[string]Change{}
	for range testLines {
		c := <-changes
		levels[c.Line] = c
	}
	return levels, changes
}

func TestLinesKeepTheirLevel(t *testing.T) {
	path := serve(t)
	levels, changes := watch(t, world(t, path))
	if l := levels["DOOR2"]; l.Level || !l.Active {
		t.Errorf("DOOR2 begins with %+v, want low and active", l)
	}
	if l := levels["BUTTON1"]; !l.Level || l.Active {
		t.Errorf("BUTTON1 begins with %+v, want high and at rest", l)
	}
	before := monotonic()
	out, err := OpenOutput(path, "DOOR1")
	if err != nil {
		t.Fatal(err)
	}
	if err := out.Out(gpio.High); err != nil {
		t.Fatal(err)
	}
	c := <-changes
	if c.Line != "DOOR1" || !c.Level || !c.Active || c.At < before || c.At > monotonic() {
		t.Errorf("change %+v between %v and %v", c, before, monotonic())
	}
	out.Close()
	again, err := OpenOutput(path, "DOOR1") // no change comes of the end nor of this
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	if err := again.Out(gpio.Low); err != nil {
		t.Fatal(err)
	}
	if c := <-changes; c.Line != "DOOR1" || c.Level {
		t.Errorf("change %+v, want DOOR1 low", c)
	}
}

func TestWhatIsRefused(t *testing.T) {
	path := serve(t)
	w := world(t, path)
	out, err := OpenOutput(path, "DOOR1")
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	open := func(line string) error { _, err := OpenOutput(path, line); return err }
	for _, c := range []struct {
		what string
		err  error
		want error
	}{
		{"a second writer", open("DOOR1"), ErrBusy},
		{"an unknown line", open("DOOR9"), ErrNoLine},
		{"driving an input", open("BUTTON1"), ErrRefused},
		{"pressing an output", w.Press("DOOR1", true), ErrRefused},
		{"pressing nothing", w.Press("", true), ErrNoLine},
		{"pressing an unknown line", w.Press("BUTTON9", true), ErrNoLine},
		{"a second line process", Serve(t.Context(), path, nil, Options{}), seqpacket.ErrInUse},
		{"nobody there", dial(path + "x"), ErrGone},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v, want %v", c.what, c.err, c.want)
		}
	}
	if err := w.Press("BUTTON1", true); err != nil {
		t.Error("after refusals:", err)
	}
	if err := out.Out(gpio.High); err != nil {
		t.Error("after a second writer:", err)
	}
}

func dial(path string) error { _, err := Dial(path); return err }

func TestBadLines(t *testing.T) {
	for _, lines := range [][]LineSpec{
		{{Name: ""}}, {{Name: "a\n"}}, {{Name: "A"}, {Name: "A"}}, make([]LineSpec, MaxLines+1),
	} {
		if err := Serve(t.Context(), filepath.Join(t.TempDir(), "s"), lines, Options{}); err == nil || errors.Is(err, context.Canceled) {
			t.Errorf("%d lines: %v", len(lines), err)
		}
	}
}

func TestPanelHearsAButton(t *testing.T) {
	path := serve(t)
	w := world(t, path)
	p, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	heard, end := make(chan drivers.Input, 10), make(chan error, 1)
	in := p.Inputs([]InputLine{{Name: "button1", Line: "BUTTON1", ActiveLow: true}})
	go func() { end <- in.Watch(ctx, func(ev drivers.Input) { heard <- ev }) }()
	// Watch takes the level it finds as the state of rest, so press until it
	// has begun: every press and release is one change.
	var ev drivers.Input
	for active := true; ev.Name == ""; active = !active {
		if err := w.Press("BUTTON1", active); err != nil {
			t.Fatal(err)
		}
		select {
		case ev = <-heard:
		default:
		}
	}
	if ev.Name != "button1" || ev.At == 0 || ev.At > monotonic() {
		t.Errorf("heard %+v", ev)
	}
	stop()
	if err := <-end; !errors.Is(err, context.Canceled) {
		t.Error("Watch:", err)
	}
}

func TestLamp(t *testing.T) {
	path := serve(t)
	_, changes := watch(t, world(t, path))
	p, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, low := range []bool{false, true} {
		lamp, err := p.Lamp("LAMP", low)
		if err != nil {
			t.Fatal(err)
		}
		for _, on := range []bool{!low, low} { // high, then low
			if err := lamp.Set(on); err != nil {
				t.Fatal(err)
			}
			if c := <-changes; c.Line != "LAMP" || c.Level != (on != low) {
				t.Errorf("active low %v, on %v: %+v", low, on, c)
			}
		}
		lamp.(interface{ Close() error }).Close()
	}
}

// TestSound speaks a ramp into the microphone, lets the panel send it back to
// the speaker, and listens there.
func TestSound(t *testing.T) {
	path := serve(t)
	w := world(t, path)
	p, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	heard, ends := make(chan int16, 1000), make(chan error, 2)
	listening := make(chan struct{}, 1)
	go func() {
		ends <- w.Listen(ctx, func(frame []int16) {
			select {
			case listening <- struct{}{}:
			default:
			}
			if frame[0] != 0 {
				heard <- frame[0]
			}
		})
	}()
	go func() {
		ends <- p.Sound().Run(ctx, func(mic, speaker []int16) { copy(speaker, mic) })
	}()
	<-listening // both run
	if err := p.Sound().Run(ctx, nil); !errors.Is(err, ErrBusy) {
		t.Errorf("second user of the card: %v, want ErrBusy", err)
	}
	if err := w.Say(make([]int16, 7)); err == nil {
		t.Error("a frame of 7 samples was taken")
	}
	want := []int16{1, 2, 3, 4, 5}
	for _, n := range want {
		frame := make([]int16, drivers.FrameSamples)
		frame[0] = n
		if err := w.Say(frame); err != nil {
			t.Fatal(err)
		}
	}
	var got []int16
	for range want {
		got = append(got, <-heard)
	}
	if !slices.Equal(got, want) {
		t.Errorf("heard %v, want %v", got, want)
	}
	stop()
	for range 2 {
		if err := <-ends; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	}
}

// TestSlowObserver checks that one who does not read neither delays the lines
// nor the others, and knows the levels once it reads again.
func TestSlowObserver(t *testing.T) {
	path := serve(t)
	w := world(t, path)
	slow, err := connect(path, roleWatch, "")
	if err != nil {
		t.Fatal(err)
	}
	defer slow.conn.Close()
	const moves = 5000 // far more than the queues hold
	for i := range moves {
		if err := w.Press("BUTTON1", i%2 == 0); err != nil {
			t.Fatal(err)
		}
	}
	now := state(t, path)
	seen := 1
	for p := (packet{}); p.name != now.name || p.at != now.at; seen++ {
		if p, err = slow.next(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("the slow one was told %d of %d changes", seen, moves)
	if seen >= moves {
		t.Error("the slow observer lost nothing: the test has tested nothing")
	}
}

// state is the button's, as somebody who comes anew is told it.
func state(t *testing.T, path string) packet {
	t.Helper()
	fresh, err := connect(path, roleWatch, "")
	if err != nil {
		t.Fatal(err)
	}
	defer fresh.conn.Close()
	p, err := fresh.next(t.Context())
	if err != nil || p.name != "BUTTON1" {
		t.Fatalf("first level is of %q, %v", p.name, err)
	}
	return p
}

func TestNonsenseMovesNothing(t *testing.T) {
	path := serve(t)
	w := world(t, path)
	_, changes := watch(t, w)
	for _, raw := range badPackets {
		if raw == "" {
			continue
		}
		for _, hello := range []packet{{kind: kindDone}, {kind: kindHello, role: roleOutput, name: "LAMP"}, {kind: kindHello, role: roleWorld}} {
			conn, err := seqpacket.Dial(path)
			if errors.Is(err, seqpacket.ErrCrowded) {
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			_ = conn.TrySend(hello.append(nil))
			_ = conn.TrySend([]byte(raw))
			conn.Close()
		}
	}
	if err := w.Press("BUTTON1", true); err != nil {
		t.Fatal(err)
	}
	if c := <-changes; c.Line != "BUTTON1" {
		t.Errorf("nonsense moved %+v", c)
	}
}
