package guard

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers/fake"

	"periph.io/x/conn/v3/gpio"
)

// hound is a watchdog that tells what happens to it.
type hound struct {
	timeout time.Duration
	events  chan string
	refuses error
}

func (h *hound) Timeout() time.Duration { return h.timeout }
func (h *hound) HasReset() bool         { return true }
func (h *hound) Feed() error            { h.events <- "fed"; return h.refuses }
func (h *hound) Stop() error            { h.events <- "stopped"; return nil }

// kennel starts a guard with a watchdog.
func kennel(ctx context.Context, t *testing.T, h *hound, pin gpio.PinOut) (end chan error, log lineWriter, path string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "guard")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	end, log, path = make(chan error, 1), make(lineWriter, 64), filepath.Join(dir, "guard.sock")
	go func() {
		end <- Serve(ctx, Options{
			Socket: path, Outputs: []Output{{Name: "door1", Pin: pin, Max: time.Second}}, Log: log,
			Watchdog: func() (Watchdog, error) { h.events <- "opened"; return h, nil },
		})
	}()
	return end, log, path
}

func want(t *testing.T, h *hound, events ...string) {
	t.Helper()
	for _, e := range events {
		if got := <-h.events; got != e {
			t.Fatalf("the watchdog is %s, want %s", got, e)
		}
	}
}

func TestWatchdogOfARunningGuard(t *testing.T) {
	h := &hound{timeout: 40 * time.Millisecond, events: make(chan string)}
	ctx, stop := context.WithCancel(t.Context())
	end, _, _ := kennel(ctx, t, h, fake.NewPin("A", gpio.Low))
	want(t, h, "opened", "fed", "fed", "fed")
	stop()
	for got := range h.events { // one meal may be on its way
		if got == "stopped" {
			break
		}
	}
	if err := <-end; err != nil {
		t.Error(err)
	}
}

// TestCrashingGuardFeedsNothing: one that ends soon after each start has not
// opened the watchdog.
func TestCrashingGuardFeedsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		s := &server{events: make(chan Event), failed: make(chan error, 1), journal: newJournal(make(lineWriter, 64))}
		opened := make(chan time.Time, 1)
		s.opt.Unfed = 2 * time.Second
		s.opt.Watchdog = func() (Watchdog, error) {
			opened <- time.Now()
			return nil, errors.New("not fitted")
		}
		began := time.Now()
		s.watchdog(ctx)
		if d := (<-opened).Sub(began); d != s.opt.Unfed {
			t.Errorf("opened after %v, want %v", d, s.opt.Unfed)
		}
		stop()
		s.watchdog(ctx) // and ends before that
		synctest.Wait()
		if len(opened) != 0 {
			t.Error("opened by a guard that has ended")
		}
		s.journal.close()
	})
}

func TestWatchdogGoesOnAfterAFault(t *testing.T) {
	h := &hound{timeout: 40 * time.Millisecond, events: make(chan string, 1024)}
	broken := errors.New("no such device")
	end, _, path := kennel(t.Context(), t, h, wayward{fake.NewPin("A", gpio.Low), func() error { return broken }})
	want(t, h, "opened", "fed")
	c, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = c.Run(t.Context(), Handler{}) }()
	if err := c.Pulse("door1", time.Second, "x"); !errors.Is(err, ErrGone) {
		t.Errorf("pulse: %v, want ErrGone", err)
	}
	if err := <-end; !errors.Is(err, broken) {
		t.Errorf("ended with %v", err)
	}
	for len(h.events) > 0 {
		if got := <-h.events; got == "stopped" {
			t.Error("the watchdog was stopped by a fault")
		}
	}
}

func TestWatchdogIsLost(t *testing.T) {
	h := &hound{timeout: time.Minute, events: make(chan string), refuses: errors.New("bus is gone")}
	ctx, stop := context.WithCancel(t.Context())
	end, log, _ := kennel(ctx, t, h, fake.NewPin("A", gpio.Low))
	want(t, h, "opened", "fed", "stopped")
	var said string
	for line := range log {
		if said += line; line == "doorguard: watchdog: bus is gone\n" {
			break
		}
	}
	if !strings.Contains(said, "was the cause of this start") {
		t.Errorf("said %q", said)
	}
	stop()
	if err := <-end; err != nil {
		t.Error(err)
	}
}
