package guard

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/drivers/fake"
	"doorstation/drivers/seqpacket"

	"periph.io/x/conn/v3/gpio"
)

// lineWriter hands on what the guard logs, and loses what nobody takes.
type lineWriter chan string

func (w lineWriter) Write(b []byte) (int, error) {
	select {
	case w <- string(b):
	default:
	}
	return len(b), nil
}

// running is a guard in this process, on fake pins: the first relay is active
// high, the second one low.
type running struct {
	path string
	pins [2]*fake.Pin
	log  lineWriter
	stop context.CancelFunc
	end  chan error
}

func start(t *testing.T, wrap func(gpio.PinOut) gpio.PinOut) *running {
	t.Helper()
	dir, err := os.MkdirTemp("", "guard") // short: socket paths have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	ctx, stop := context.WithCancel(context.Background())
	r := &running{path: filepath.Join(dir, "guard.sock"), log: make(lineWriter, 4096), stop: stop, end: make(chan error, 1)}
	r.pins = [2]*fake.Pin{fake.NewPin("A", gpio.High), fake.NewPin("B", gpio.Low)} // found active
	outs := []Output{
		{Name: "door1", Pin: wrap(r.pins[0]), Max: 10 * time.Second},
		{Name: "door2", Pin: wrap(r.pins[1]), Max: 10 * time.Second, ActiveLow: true},
	}
	go func() {
		defer func() {
			if p := recover(); p != nil {
				r.end <- fmt.Errorf("panic: %v", p)
			}
		}()
		r.end <- Serve(ctx, Options{Socket: r.path, Outputs: outs, Log: r.log})
	}()
	t.Cleanup(stop)
	r.await(t, "serves")
	return r
}

// await waits for a line of the log with these words.
func (r *running) await(t *testing.T, words string) {
	t.Helper()
	late := time.After(5 * time.Second)
	for {
		select {
		case line := <-r.log:
			if strings.Contains(line, words) {
				return
			}
		case <-late:
			t.Fatalf("the guard has not logged %q", words)
		}
	}
}

func bare(p gpio.PinOut) gpio.PinOut { return p }

// check says whether both lines are safe, and whether they ever were not.
func (r *running) check(t *testing.T, moved bool) {
	t.Helper()
	if r.pins[0].Read() != gpio.Low || r.pins[1].Read() != gpio.High {
		t.Errorf("lines are %v and %v, want Low and High", r.pins[0].Read(), r.pins[1].Read())
	}
	energised := slices.Contains(r.pins[0].Driven(), gpio.High) || slices.Contains(r.pins[1].Driven(), gpio.Low)
	if energised != moved {
		t.Errorf("a relay was energised: %v, want %v", energised, moved)
	}
}

func TestServeAgainstNonsense(t *testing.T) {
	r := start(t, bare)
	rng := rand.New(rand.NewPCG(3, 4))
	ctx, buf := t.Context(), make([]byte, maxMessage+1)
	served := 0
	for range 10000 {
		conn, err := seqpacket.Dial(r.path)
		if errors.Is(err, seqpacket.ErrCrowded) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if n, err := conn.Recv(ctx, buf); err == nil && strings.HasPrefix(string(buf[:n]), "2 welcome") {
			served++
		}
		switch rng.IntN(4) {
		case 0: // leave at once
		case 1:
			_ = conn.TrySend([]byte("2 beat"))
			fallthrough
		default:
			if raw := nonsense(rng); len(raw) > 0 {
				_ = conn.TrySend(raw)
			}
		}
		conn.Close()
	}
	t.Logf("%d of 10000 bad clients were served first", served)
	if served == 0 {
		t.Error("none was served: the test has tested nothing")
	}
	r.check(t, false)
	r.stop()
	if err := <-r.end; err != nil {
		t.Error(err)
	}
	r.check(t, false)
}

func TestServeEndsSafe(t *testing.T) {
	broken := errors.New("no such device")
	for _, c := range []struct {
		name string
		wrap func(gpio.PinOut) gpio.PinOut
		end  string
	}{
		{"a pin that fails", func(p gpio.PinOut) gpio.PinOut { return wayward{p, func() error { return broken }} }, "no such device"},
		{"a panic", func(p gpio.PinOut) gpio.PinOut { return wayward{p, func() error { panic("bug") }} }, "panic: bug"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := start(t, c.wrap)
			client, err := Dial(r.path)
			if err != nil {
				t.Fatal(err)
			}
			gone := make(chan error, 1)
			go func() { gone <- client.Run(t.Context(), Handler{}) }()
			if err := client.Pulse("door1", time.Second, "x"); !errors.Is(err, ErrGone) {
				t.Errorf("pulse: %v, want ErrGone", err)
			}
			if err := <-gone; !errors.Is(err, ErrGone) {
				t.Errorf("Run: %v, want ErrGone", err)
			}
			if err := <-r.end; err == nil || !strings.Contains(err.Error(), c.end) {
				t.Errorf("guard ended with %v, want %s", err, c.end)
			}
			r.check(t, true)
		})
	}
}

// wayward is a pin which moves, and then does something else, when it is
// driven high.
type wayward struct {
	gpio.PinOut
	then func() error
}

func (w wayward) Out(l gpio.Level) error {
	if err := w.PinOut.Out(l); err != nil || l == gpio.Low || w.Name() != "A" {
		return err
	}
	return w.then()
}

func TestServeChecksItsRelays(t *testing.T) {
	for _, outs := range [][]Output{
		{{Name: "Door", Max: time.Second}},
		{{Name: "door1"}},
		{{Name: "door1", Max: maxDuration + 1}},
		{{Name: "door1", Max: time.Second}, {Name: "door1", Max: time.Second}},
	} {
		pins := make([]*fake.Pin, len(outs))
		for i := range outs {
			pins[i] = fake.NewPin("X", gpio.High)
			outs[i].Pin = pins[i]
		}
		if err := Serve(t.Context(), Options{Socket: filepath.Join(t.TempDir(), "s"), Outputs: outs, Log: make(lineWriter)}); err == nil {
			t.Errorf("%+v was taken", outs)
		}
		for _, p := range pins {
			if p.Read() != gpio.Low {
				t.Errorf("%+v: line was not made safe", outs)
			}
		}
	}
}

func TestClientEndsWithItsContext(t *testing.T) {
	r := start(t, bare)
	client, err := Dial(r.path)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancelCause(t.Context())
	end := make(chan error, 1)
	go func() { end <- client.Run(ctx, Handler{}) }()
	if err := client.Pulse("door2", 5*time.Second, "x"); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("shutdown")
	stop(cause)
	if err := <-end; err != cause {
		t.Errorf("Run ended with %v", err)
	}
	r.await(t, "door2 off")
	r.check(t, true)
}

func TestDialWithoutGuard(t *testing.T) {
	if _, err := Dial(filepath.Join(t.TempDir(), "none")); !errors.Is(err, ErrGone) {
		t.Errorf("error %v, want ErrGone", err)
	}
}
