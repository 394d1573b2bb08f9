package sim

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers"
)

func TestDebounce(t *testing.T) {
	const ms = time.Millisecond
	lines := []InputLine{{Name: "button1", Line: "B1", ActiveLow: true, Debounce: 10 * ms}, {Name: "exit", Line: "X"}}
	type move struct {
		after time.Duration
		line  string
		level bool
	}
	for _, c := range []struct {
		name  string
		moves []move
		want  []drivers.Input // At is the time since the start, in ms
	}{
		{"a press and its end", []move{{0, "B1", false}, {50 * ms, "B1", true}},
			[]drivers.Input{{Name: "button1", Active: true, At: 0}, {Name: "button1", At: 50}}},
		{"bouncing counts once, from its last edge", []move{{0, "B1", false}, {2 * ms, "B1", true}, {3 * ms, "B1", false}},
			[]drivers.Input{{Name: "button1", Active: true, At: 5}}},
		{"a spike is nothing", []move{{0, "B1", false}, {9 * ms, "B1", true}}, nil},
		{"without debounce every edge counts", []move{{0, "X", true}, {ms, "X", false}},
			[]drivers.Input{{Name: "exit", Active: true}, {Name: "exit", At: 1}}},
		{"other lines are not ours", []move{{0, "DOOR1", true}}, nil},
		{"lines do not wait for each other", []move{{0, "B1", false}, {5 * ms, "X", true}},
			[]drivers.Input{{Name: "exit", Active: true, At: 5}, {Name: "button1", Active: true, At: 0}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				changes := make(chan Change)
				ctx, stop := context.WithCancelCause(t.Context())
				end := make(chan error, 1)
				var got []drivers.Input
				go func() { end <- debounce(ctx, lines, changes, func(in drivers.Input) { got = append(got, in) }) }()
				changes <- Change{Line: "B1", Level: true} // levels at the beginning
				changes <- Change{Line: "X", Level: false}
				start := time.Now()
				for _, m := range c.moves {
					time.Sleep(m.after)
					changes <- Change{Line: m.line, Level: m.level, At: time.Duration(time.Since(start).Milliseconds())}
				}
				time.Sleep(time.Second)
				over := errors.New("over")
				stop(over)
				if err := <-end; err != over {
					t.Error(err)
				}
				if !slices.Equal(got, c.want) {
					t.Errorf("reported %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestLatePress is about a busy machine: a press and its end are read in one go,
// and their own times tell that they were no spike.
func TestLatePress(t *testing.T) {
	const ms = time.Millisecond
	for name, c := range map[string]struct {
		held time.Duration
		want []drivers.Input
	}{
		"a press": {40 * ms, []drivers.Input{{Name: "button1", Active: true, At: 100 * ms}, {Name: "button1", At: 140 * ms}}},
		"a spike": {9 * ms, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				changes := make(chan Change)
				ctx, stop := context.WithCancel(t.Context())
				var got []drivers.Input
				go func() {
					lines := []InputLine{{Name: "button1", Line: "B1", Debounce: 10 * ms}}
					_ = debounce(ctx, lines, changes, func(in drivers.Input) { got = append(got, in) })
				}()
				changes <- Change{Line: "B1"}
				changes <- Change{Line: "B1", Level: true, At: 100 * ms}
				changes <- Change{Line: "B1", At: 100*ms + c.held}
				time.Sleep(time.Second)
				stop()
				synctest.Wait()
				if !slices.Equal(got, c.want) {
					t.Errorf("reported %v, want %v", got, c.want)
				}
			})
		})
	}
}

// TestPresentLevelIsReported is about contacts, of which a restart must not
// hide the state.
func TestPresentLevelIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := make(chan Change)
		ctx, stop := context.WithCancel(t.Context())
		end := make(chan error, 1)
		var got []drivers.Input
		lines := []InputLine{{Name: "cover", Line: "C", Present: true}, {Name: "leaf", Line: "L", ActiveLow: true, Present: true}}
		go func() { end <- debounce(ctx, lines, changes, func(in drivers.Input) { got = append(got, in) }) }()
		changes <- Change{Line: "C", Level: true, At: 1}
		changes <- Change{Line: "L", Level: true, At: 2}
		synctest.Wait()
		stop()
		<-end
		if want := []drivers.Input{{Name: "cover", Active: true, At: 1}, {Name: "leaf", At: 2}}; !slices.Equal(got, want) {
			t.Errorf("reported %v, want %v", got, want)
		}
	})
}

// TestHeldAtStartIsNotReported is about a restart while somebody holds a
// button: nothing was pressed.
func TestHeldAtStartIsNotReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		changes := make(chan Change)
		ctx, stop := context.WithCancel(t.Context())
		var got []drivers.Input
		go func() {
			_ = debounce(ctx, []InputLine{{Name: "button1", Line: "B1"}}, changes, func(in drivers.Input) { got = append(got, in) })
		}()
		changes <- Change{Line: "B1", Level: true}
		time.Sleep(time.Second)
		if len(got) != 0 {
			t.Errorf("reported %v", got)
		}
		changes <- Change{Line: "B1", Level: false}
		time.Sleep(time.Second)
		stop()
		synctest.Wait()
		if len(got) != 1 || got[0].Active {
			t.Errorf("its release was reported as %v", got)
		}
	})
}
