package guard

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers"
)

func TestExitAndCover(t *testing.T) {
	served := []string{"0 A comes"}
	after := func(lines ...string) []string { return append(served[:1:1], lines...) }
	blocked := "note cover: the cover was opened; no relay opens for 2s"
	for _, c := range []struct {
		name  string
		state State
		after []string
		then  string
		want  []string
	}{
		{"an exit button opens without a client", State{}, nil, "5 exit on", []string{"5 relay 1 on: exit: exit"}},
		{
			"and the client hears of it",
			State{},
			served, "5 exit on",
			[]string{"5 relay 1 on: exit: exit", "5 to 1: 2 input exit on 5000000 0"},
		},
		{
			"its release is told, and does nothing",
			State{},
			after("5 exit on"), "6 exit off",
			[]string{"6 to 1: 2 input exit off 6000000 0"},
		},
		{"its pulse ends", State{}, []string{"0 exit on"}, "300 tick", []string{"300 relay 1 off: pulse over"}},
		{
			"one that is found pressed opens nothing",
			State{},
			served, "5 exit found on",
			[]string{"5 to 1: 2 input exit on 5000000 0"},
		},
		{"its release then opens nothing", State{}, []string{"5 exit found on"}, "6 exit off", nil},
		{"one that is found again as it was is nothing new", State{}, after("5 exit on", "6 exit found on"), "7 exit found on", nil},
		{
			"a press makes a pulse longer",
			State{},
			after("0 A pulse 1 door2 100 x"), "50 exit on",
			[]string{"50 relay 1 for 300ms", "50 to 1: 2 input exit on 50000000 0"},
		},
		{"a press does not make it shorter", State{}, after("0 A pulse 1 door2 900 x", "50 exit on", "200 A beat", "400 A beat", "600 A beat"), "899 tick", nil},
		{
			"presses in a row end at the hard limit",
			State{},
			[]string{"0 exit on", "250 exit off", "250 exit on", "500 exit off", "500 exit on", "750 exit off", "750 exit on"},
			"995 tick",
			[]string{"995 relay 1 off: hard limit"},
		},
		{
			"and rest",
			State{},
			[]string{"0 exit on", "250 exit off", "250 exit on", "500 exit off", "500 exit on", "750 exit off", "750 exit on", "995 exit off"},
			"1500 exit on",
			[]string{"1500 note exit pressed: door2 does not open: was ended by the hard limit less than 1s ago"},
		},
		{
			"a client that goes takes nothing from who leaves",
			State{},
			after("0 A pulse 1 door2 900 x", "100 exit on"), "200 A leaves",
			[]string{"200 relay 0 still off", "200 drop 1: client gone"},
		},
		{
			"but the rest of its own pulse",
			State{},
			after("0 A pulse 1 door2 900 x", "100 exit on", "200 A leaves"), "400 tick",
			[]string{"400 relay 1 off: pulse over"},
		},
		{"nor does a silent one", State{}, after("0 A pulse 1 door2 200 x", "10 exit on"), "250 tick", nil},

		{
			"an opened cover ends pulses and says so",
			State{},
			after("0 A pulse 1 door1 400 x", "0 exit on"), "10 cover on",
			[]string{"10 relay 0 off: the cover was opened", "10 relay 1 off: the cover was opened", "10 " + blocked, "10 to 1: 2 input cover on 10000000 2000", "10 keep 0 true 2s"},
		},
		{
			"no pulse while it is blocked",
			State{},
			after("10 cover on", "1000 A beat"), "1010 A pulse 1 door1 100 x",
			[]string{"1010 to 1: 2 refuse 1 the cover was opened: blocked for 1s"},
		},
		{
			"no exit while it is blocked",
			State{},
			[]string{"10 cover on"},
			"1010 exit on",
			[]string{"1010 note exit pressed: door2 does not open: the cover was opened: blocked for 1s"},
		},
		{
			"closing it again does not help",
			State{},
			after("10 cover on", "20 cover off"), "50 A pulse 1 door1 100 x",
			[]string{"50 to 1: 2 refuse 1 the cover was opened: blocked for 2s"},
		},
		{
			"the block ends",
			State{},
			after("10 cover on", "1999 A beat"), "2010 tick",
			[]string{"2010 to 1: 2 input cover on 10000000 0", "2010 note relays may open again", "2010 keep 0 true 0s"},
		},
		{
			"then relays open, though the cover is open",
			State{},
			after("10 cover on", "1999 A beat", "2010 tick"), "2011 A pulse 1 door1 100 x",
			[]string{"2011 relay 0 on: pulse: x", "2011 to 1: 2 accept 1"},
		},
		{
			"another opening blocks anew",
			State{},
			[]string{"10 cover on", "1000 cover off"},
			"1500 cover on",
			[]string{"1500 relay 0 still off", "1500 relay 1 still off", "1500 " + blocked, "1500 keep 0 true 2s"},
		},
		{
			"a client that comes hears all",
			State{},
			[]string{"5 exit found off", "10 cover on"},
			"1010 A comes",
			[]string{"1010 to 1: 2 welcome 0 0", "1010 to 1: 2 input exit off 5000000 1000", "1010 to 1: 2 input cover on 10000000 1000"},
		},
		{
			"a cover that is found open was opened",
			State{},
			nil, "10 cover found on",
			[]string{"10 relay 0 still off", "10 relay 1 still off", "10 " + blocked, "10 keep 0 true 2s"},
		},
		{"a cover that is found closed was not", State{}, nil, "10 cover found off", nil},
		{"a cover that was open before the restart is no news", State{CoverOpen: true}, []string{"0 start"}, "10 cover found on", nil},
		{
			"one that was closed meanwhile can be opened again",
			State{CoverOpen: true},
			[]string{"0 start", "5 cover found off"},
			"10 cover on",
			[]string{"10 relay 0 still off", "10 relay 1 still off", "10 " + blocked, "10 keep 0 true 2s"},
		},
		{
			"the rest of a block outlives a restart",
			State{CoverOpen: true, Blocked: time.Second},
			[]string{"0 start", "0 A comes"},
			"900 A pulse 1 door1 100 x",
			[]string{"900 to 1: 2 refuse 1 the cover was opened: blocked for 1s"},
		},
		{
			"and ends",
			State{Blocked: time.Second},
			[]string{"0 start", "0 A comes"},
			"1000 A pulse 1 door1 100 x",
			[]string{"1000 note relays may open again", "1000 relay 0 on: pulse: x", "1000 to 1: 2 accept 1", "1000 keep 0 false 0s"},
		},
		{
			"a block that was kept is never longer than the board's",
			State{Blocked: time.Hour},
			[]string{"0 start"},
			"2000 tick",
			[]string{"2000 note relays may open again", "2000 keep 0 false 0s"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := New(Panel{Relays: relays, Inputs: inputs, TamperBlock: 2 * time.Second, State: c.state})
			script(t, g, c.after...)
			got := script(t, g, c.then)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("did\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

// TestTamperIsOnlyReported is about boards without tamper_block.
func TestTamperIsOnlyReported(t *testing.T) {
	g := New(Panel{Relays: relays, Inputs: inputs})
	got := script(t, g, "0 A comes", "5 cover on", "6 A pulse 1 door1 100 x")
	want := "[0 to 1: 2 welcome 0 0 5 to 1: 2 input cover on 5000000 0 6 relay 0 on: pulse: x 6 to 1: 2 accept 1]"
	if fmt.Sprint(got) != want {
		t.Errorf("did %v, want %s", got, want)
	}
}

// TestBlockIsKeptSeldom: half an hour is a handful of writes, and what is kept is
// never less than the rest.
func TestBlockIsKeptSeldom(t *testing.T) {
	w := newWorld(t, Panel{Relays: relays, Inputs: inputs, TamperBlock: 30 * time.Minute})
	w.step(event(t, 0, "cover on"))
	writes, rest := 0, 30*time.Minute
	for range 32 {
		for _, line := range w.said {
			var state State
			var at, kept string
			if n, _ := fmt.Sscanf(line, "%s keep %d %t %s", &at, &state.Reboots, &state.CoverOpen, &kept); n != 4 {
				continue
			}
			d, err := time.ParseDuration(kept)
			if err != nil || d < rest {
				t.Errorf("kept %s at %s, the rest is %v", kept, at, rest)
			}
			writes++
		}
		w.said = nil
		w.pass(time.Minute)
		rest -= time.Minute
	}
	if writes != 7 {
		t.Errorf("%d writes, want 7", writes)
	}
}

// flaky are inputs that are lost after each report.
type flaky struct{ levels []bool }

func (f *flaky) Watch(ctx context.Context, report func(drivers.Input)) error {
	if len(f.levels) == 0 {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	report(drivers.Input{Name: "other", Active: true})
	report(drivers.Input{Name: "exit", Active: f.levels[0]})
	report(drivers.Input{Name: "exit", Active: !f.levels[0]})
	f.levels = f.levels[1:]
	return errors.New("line is lost")
}

// TestInputsAreLost: they are taken up again after a while, and what is found
// then is no press. The loss is told once.
func TestInputsAreLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := make(lineWriter, 64)
		s := &server{events: make(chan Event), failed: make(chan error, 1), journal: newJournal(log)}
		s.opt.Inputs = inputs
		s.opt.Watch = func(func(string)) []drivers.Inputs { return []drivers.Inputs{&flaky{levels: []bool{true, false}}} }
		ctx, stop := context.WithCancel(t.Context())
		began := time.Now()
		s.watch(ctx)
		for i, want := range []Moved{{Active: true, First: true}, {}, {First: true}, {Active: true}} {
			if got := (<-s.events).(Moved); got != want {
				t.Errorf("%d: %+v, want %+v", i, got, want)
			}
		}
		if d := time.Since(began); d != retryAfter {
			t.Errorf("taken up again after %v", d)
		}
		time.Sleep(retryAfter)
		stop()
		synctest.Wait()
		s.journal.close()
		if len(log) != 1 {
			t.Errorf("%d lines of log", len(log))
		}
	})
}
