package guard

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// told are the actions of a kind that the tests of policies look at: signals,
// notes, food, and what is kept.
func told(acts []Action) []string {
	var said []string
	for _, a := range acts {
		switch a := a.(type) {
		case Signal:
			verb := "abort"
			if a.Kill {
				verb = "kill"
			}
			said = append(said, fmt.Sprintf("%s %d: %s", verb, a.Process, a.Why))
		case Note:
			said = append(said, a.Text)
		case Keep:
			said = append(said, fmt.Sprintf("keep %d %v %v", a.State.Reboots, a.State.CoverOpen, a.State.Blocked))
		}
	}
	return said
}

// world drives a Guard by its own deadlines, as Serve does, and notes when it
// says what.
type world struct {
	t      *testing.T
	g      *Guard
	now    time.Duration
	said   []string
	fed    time.Duration // the last time
	beats  bool          // the client beats every BeatEvery
	sick   string
	client ClientID
}

func newWorld(t *testing.T, p Panel) *world {
	w := &world{t: t, g: New(p), fed: -1}
	w.step(Started{})
	return w
}

func (w *world) step(ev Event) {
	acts := w.g.Step(w.now, ev, nil)
	for _, line := range told(acts) {
		w.said = append(w.said, fmt.Sprintf("%v %s", w.now.Round(time.Millisecond), line))
	}
	for _, a := range acts {
		switch a := a.(type) {
		case Feed:
			w.fed = w.now
		case Drop:
			if a.Client == w.client {
				w.client, w.beats = 0, false
			}
		}
	}
}

// comes lets a process connect and beat from now on.
func (w *world) comes(id ProcessID) {
	w.client++
	w.step(Connected{Client: w.client, Process: id})
	w.beats, w.sick = true, ""
}

func (w *world) send(words string) { w.step(Received{Client: w.client, Raw: []byte("2 " + words)}) }

// crash ends a process in the middle of its life: first the one, then the other
// is seen.
func (w *world) crash(id ProcessID) {
	w.step(Exited{Process: id})
	w.step(Left{Client: w.client})
}

// pass lets time pass.
func (w *world) pass(d time.Duration) {
	for end := w.now + d; w.now < end; {
		next := min(end, w.now+BeatEvery)
		if at, ok := w.g.Deadline(); ok && at < next {
			if at < w.now {
				w.t.Fatalf("deadline %v at %v", at, w.now)
			}
			w.now = at
			w.step(Tick{})
			continue
		}
		w.now = next
		if w.beats {
			w.send(strings.TrimSpace("beat " + w.sick))
		}
	}
}

func (w *world) expect(want ...string) {
	w.t.Helper()
	if fmt.Sprint(w.said) != fmt.Sprint(want) {
		w.t.Errorf("said\n  %s\nwant\n  %s", strings.Join(w.said, "\n  "), strings.Join(want, "\n  "))
	}
	w.said = nil
}

func TestSickClientIsEnded(t *testing.T) {
	for _, c := range []struct {
		name string
		life func(w *world)
		want []string
	}{
		{"a healthy one lives", func(w *world) { w.pass(10 * time.Minute) }, nil},
		{
			"a sick one", func(w *world) { w.sick = "sip loop"; w.pass(20 * time.Second) },
			[]string{"100ms process 7: is sick: sip loop", "8s abort 7: sick for 8s: sip loop", "9s kill 7: aborted 1s ago"},
		},
		{
			"one that gets well", func(w *world) { w.sick = "x"; w.pass(7 * time.Second); w.sick = ""; w.pass(time.Minute) },
			[]string{"100ms process 7: is sick: x", "7.1s process 7: is healthy again"},
		},
		{"one that is sick now and then", func(w *world) {
			for range 3 {
				w.sick = "x"
				w.pass(7 * time.Second)
				w.sick = ""
				w.pass(time.Second)
			}
			w.said = nil
		}, nil},
		{
			"one that falls silent", func(w *world) { w.beats = false; w.pass(20 * time.Second) },
			[]string{"8s abort 7: silent for 8s", "9s kill 7: aborted 1s ago"},
		},
		{
			"one whose connection ended", func(w *world) { w.step(Left{Client: w.client}); w.beats = false; w.pass(20 * time.Second) },
			[]string{"8s abort 7: silent for 8s", "9s kill 7: aborted 1s ago"},
		},
		{"one that comes again", func(w *world) {
			w.step(Left{Client: w.client})
			w.pass(7 * time.Second)
			w.comes(7)
			w.pass(time.Minute)
		}, nil},
		{"one that said bye", func(w *world) { w.send("bye"); w.pass(time.Minute) }, nil},
		{"one that said bye, and ended", func(w *world) { w.send("bye"); w.step(Exited{Process: 7}); w.pass(time.Minute) }, nil},
		{"one that ended, and had said bye before", func(w *world) { w.step(Exited{Process: 7}); w.send("bye") }, nil},
		{"one that never beat", func(w *world) {
			w.send("bye")
			w.comes(8)
			w.beats = false
			w.pass(time.Minute)
		}, nil},
		{"one that ends when it is told to", func(w *world) {
			w.sick = "x"
			w.pass(8500 * time.Millisecond)
			w.crash(7)
			w.pass(time.Minute)
		}, []string{"100ms process 7: is sick: x", "8s abort 7: sick for 8s: x", "8.5s process 7 ended without a bye: 1 of 5 in 5m0s"}},
		{"the guard was stopped for a long time, and hears a beat", func(w *world) {
			w.now += time.Minute
			w.step(Tick{})
			w.send("beat")
			w.pass(time.Minute)
		}, nil},
		{"the guard was stopped for a long time, and hears nothing", func(w *world) {
			w.beats = false
			w.now += time.Minute
			w.step(Tick{})
			w.pass(time.Minute)
		}, []string{"1m1s abort 7: silent for 8s", "1m2s kill 7: aborted 1s ago"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Panel{Relays: relays})
			w.comes(7)
			w.send("beat")
			c.life(w)
			w.expect(c.want...)
		})
	}
}

// TestWatchdogIsFed is about when the board is reset.
func TestWatchdogIsFed(t *testing.T) {
	const timeout = 10 * time.Second
	for _, c := range []struct {
		name  string
		life  func(w *world)
		bites time.Duration // 0: never
		want  []string
	}{
		{"a healthy client", func(w *world) { w.comes(7); w.pass(10 * time.Minute) }, 0, nil},
		{
			"nobody comes after boot", func(w *world) { w.pass(10 * time.Minute) }, BootGrace + timeout,
			[]string{"3m0s feeds the watchdog no more, it bites within 10s: the last sign of a healthy client was 3m0s ago", "3m0s keep 1 false 0s"},
		},
		{"the guard starts again, long after boot, and nobody comes", func(w *world) {
			w.now = time.Hour
			w.step(Started{})
			w.pass(10 * time.Minute)
		}, time.Hour + time.Minute, []string{
			"1h0m47.5s feeds the watchdog no more, it bites within 10s: the last sign of a healthy client was 48s ago", "1h0m47.5s keep 1 false 0s",
		}},
		{"a client that never gets well ends the grace of the boot in its time", func(w *world) {
			w.comes(7)
			w.send("beat")
			w.sick = "x"
			w.pass(20 * time.Second)
			w.said = nil
			w.pass(5 * time.Minute)
		}, time.Minute, []string{
			"47.5s feeds the watchdog no more, it bites within 10s: the last sign of a healthy client was 48s ago", "47.5s keep 1 false 0s",
		}},
		{"a client that ended, and is well again", func(w *world) {
			w.comes(7)
			w.pass(time.Second)
			w.crash(7)
			w.beats = false
			w.pass(30 * time.Second)
			w.comes(8)
			w.pass(10 * time.Minute)
		}, 0, []string{"1s process 7 ended without a bye: 1 of 5 in 5m0s"}},
		{"a client that comes back in the last moment", func(w *world) {
			w.comes(7)
			w.pass(time.Second)
			w.step(Left{Client: w.client})
			w.beats = false
			w.pass(55 * time.Second)
			w.said = nil
			w.comes(8)
			w.pass(10 * time.Minute)
		}, 0, []string{"56.1s feeds the watchdog again", "56.1s keep 0 false 0s"}},
		{"an end that was meant", func(w *world) {
			w.comes(7)
			w.pass(time.Second)
			w.send("bye")
			w.pass(4 * time.Minute)
			w.comes(8)
			w.pass(10 * time.Minute)
		}, 0, nil},
		{"an end that was meant, and nothing after it", func(w *world) {
			w.comes(7)
			w.pass(time.Second)
			w.send("bye")
			w.pass(time.Hour)
		}, time.Second + ByeGrace + timeout, []string{
			"5m2.5s feeds the watchdog no more, it bites within 10s: the last sign of a healthy client was 5m2s ago", "5m2.5s keep 1 false 0s",
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, Panel{Relays: relays})
			w.step(Armed{Timeout: timeout})
			c.life(w)
			w.expect(c.want...)
			bites := time.Duration(0)
			if at := w.fed + timeout; at < w.now {
				bites = at
			}
			if early := c.bites - bites; early < 0 || early > timeout/2+BeatEvery {
				t.Errorf("the watchdog bites at %v, want %v or a little before", bites, c.bites)
			}
		})
	}
}

// TestHardwareWithItsOwnTime is about watchdogs that cannot be set: they are fed
// as long as a client is healthy, whatever their time is.
func TestHardwareWithItsOwnTime(t *testing.T) {
	for _, timeout := range []time.Duration{time.Second, 30 * time.Second, time.Minute, 128 * time.Second} {
		w := newWorld(t, Panel{Relays: relays})
		w.step(Armed{Timeout: timeout})
		w.comes(7)
		for range 600 {
			w.pass(time.Second)
			if w.now-w.fed > timeout/2 {
				t.Fatalf("timeout %v: not fed for %v", timeout, w.now-w.fed)
			}
		}
		w.expect()
		w.beats = false
		w.pass(10 * time.Minute)
		healthy := 600 * time.Second
		if most := max(ResetWithin, leastPatience+timeout); w.fed+timeout-healthy > most {
			t.Errorf("timeout %v: bites %v after the last healthy beat, want at most %v", timeout, w.fed+timeout-healthy, most)
		}
	}
}

func TestCrashes(t *testing.T) {
	// crash lets five processes end, one every d.
	five := func(w *world, d time.Duration) {
		for i := range 5 {
			w.comes(ProcessID(10 + i))
			w.pass(d)
			w.crash(ProcessID(10 + i))
		}
	}
	t.Run("five in five minutes", func(t *testing.T) {
		w := newWorld(t, Panel{Relays: relays})
		w.step(Armed{Timeout: 10 * time.Second})
		five(w, 2*time.Second)
		if last := w.said[len(w.said)-2:]; last[0] != "10s resets the board: feeds the watchdog no more, it bites within 10s" || last[1] != "10s keep 1 false 0s" {
			t.Errorf("said %q", w.said)
		}
		w.comes(99) // nobody changes that
		w.pass(time.Minute)
		if w.fed > 10*time.Second {
			t.Errorf("fed at %v", w.fed)
		}
	})
	t.Run("five in six minutes", func(t *testing.T) {
		w := newWorld(t, Panel{Relays: relays})
		w.step(Armed{Timeout: 10 * time.Second})
		five(w, 76*time.Second)
		if last := w.said[len(w.said)-1]; !strings.Contains(last, "4 of 5") {
			t.Errorf("said %q", w.said)
		}
	})
	t.Run("without a watchdog", func(t *testing.T) {
		w := newWorld(t, Panel{Relays: relays})
		five(w, time.Second)
		if last := w.said[len(w.said)-1]; !strings.Contains(last, "has no watchdog") {
			t.Errorf("said %q", w.said)
		}
	})
}

// TestResetsAreForgotten: a client hears how many resets there were, and five
// healthy minutes make it none.
func TestResetsAreForgotten(t *testing.T) {
	w := newWorld(t, Panel{Relays: relays, State: State{Reboots: 3}})
	w.comes(7)
	acts := w.g.Step(w.now, Connected{Client: 50}, nil)
	if busy := string(acts[0].(Reply).Raw); !strings.Contains(busy, "busy") {
		t.Errorf("a second client: %q", busy)
	}
	w.pass(HealthyFor - time.Second)
	w.expect()
	w.sick = "x"
	w.pass(time.Second)
	w.sick = ""
	w.said = nil
	w.pass(HealthyFor - time.Second)
	w.expect("5m0.1s process 7: is healthy again")
	w.pass(2 * time.Second)
	w.expect("10m0.1s keep 0 false 0s")
}

func TestWelcomeTellsResets(t *testing.T) {
	g := New(Panel{Relays: relays, State: State{Reboots: 3}})
	got := script(t, g, "0 A comes")
	if want := "[0 to 1: 2 welcome 0 3]"; fmt.Sprint(got) != want {
		t.Errorf("%v, want %s", got, want)
	}
}
