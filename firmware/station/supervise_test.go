package station

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestPartIsStartedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &supervisor{log: slog.New(slog.DiscardHandler)}
		ctx, stop := context.WithCancel(t.Context())
		var starts []time.Duration
		began := time.Now()
		go s.run(ctx, part{name: "camera", run: func(context.Context) error {
			starts = append(starts, time.Since(began))
			if len(starts) == 2 {
				panic("no picture")
			}
			return errors.New("unplugged")
		}})
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		want := []time.Duration{0, 50 * time.Millisecond, 150 * time.Millisecond, 350 * time.Millisecond, 750 * time.Millisecond}
		if len(starts) != len(want) {
			t.Fatalf("started at %v, want %v", starts, want)
		}
		for i := range want {
			if starts[i] != want[i] {
				t.Errorf("start %d came after %v, want %v", i, starts[i], want[i])
			}
		}
		if p := s.parts()[0]; p.Restarts != 5 || !strings.Contains(p.Error, "unplugged") {
			t.Errorf("the part is told as %+v", p)
		}
	})
}

func TestNeededPartEndsAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &supervisor{log: slog.New(slog.DiscardHandler)}
		gone := errors.New("gone")
		began, ended := make(chan struct{}), false
		err := s.run(t.Context(),
			part{name: "call", need: true, run: func(context.Context) error { <-began; return gone }},
			part{name: "other", run: func(ctx context.Context) error { close(began); <-ctx.Done(); ended = true; return nil }})
		if !errors.Is(err, gone) || !strings.HasPrefix(err.Error(), "call: ") {
			t.Errorf("ended with %v, want call: gone", err)
		}
		if !ended {
			t.Error("the other part was left running")
		}
	})
}

func TestMailboxKeepsOrder(t *testing.T) {
	b := newMailbox()
	var got []int
	for i := range 5 {
		b.post(func() { got = append(got, i) })
	}
	<-b.ready
	for _, fn := range b.take(nil) {
		fn()
	}
	for i, n := range got {
		if i != n {
			t.Fatalf("done in order %v", got)
		}
	}
	select {
	case <-b.ready:
		t.Error("ready without work")
	default:
	}
}
