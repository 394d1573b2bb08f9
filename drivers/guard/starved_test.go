package guard

import (
	"os"
	"syscall"
	"testing"
	"time"
)

func TestWantsToRun(t *testing.T) {
	for stat, want := range map[string]bool{
		"12 (doorstationd) R 1 12 12": true,
		"12 (doorstationd) D 1 12 12": false,
		"12 (doorstationd) S 1 12 12": false,
		"12 (doorstationd) T 1 12 12": false,
		"12 (a) R (b)) S 1 12":        false,
		"12 (doorstationd)":           false,
		"12 (doorstationd) ":          false,
		"":                            false,
	} {
		if got := wantsToRun([]byte(stat)); got != want {
			t.Errorf("%q: %v", stat, got)
		}
	}
}

func TestHasRun(t *testing.T) {
	for times, want := range map[string]time.Duration{"1500 20 3": 1500, "1500": 1500, "x 20 3": 0, "": 0} {
		if got := hasRun([]byte(times)); got != want {
			t.Errorf("%q: %v, want %v", times, got, want)
		}
	}
}

func TestUsage(t *testing.T) {
	before, wants := usage(ProcessID(os.Getpid()))
	if !wants {
		t.Error("a process that runs does not want to run")
	}
	for ran := before; ran <= before; ran, _ = usage(ProcessID(os.Getpid())) { // asking takes time
	}
	w := newWard(t)
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(w.cmd.Process.Pid, &status, syscall.WUNTRACED, nil); err != nil || !status.Stopped() {
		t.Fatalf("%v, %v", status, err)
	}
	if _, wants := usage(w.id); wants {
		t.Error("a stopped process wants to run")
	}
	if ran, wants := usage(1 << 30); wants || ran != 0 {
		t.Error("a process that does not exist has run")
	}
}

// TestBusyClientIsNotExcused: this process wants to run, and does. It is excused
// once, to see that, and not again.
func TestBusyClientIsNotExcused(t *testing.T) {
	s := &server{guard: New(Panel{Relays: relays})}
	s.guard.Step(0, Connected{Client: 1, Process: ProcessID(os.Getpid())}, nil)
	s.guard.Step(0, event(t, 0, "A pulse 1 door2 900 x"), nil)
	s.doubt(StaleAfter)
	first := s.guard.client.again
	s.doubt(StaleAfter + doubtAgain/2)
	if want := StaleAfter + doubtAgain; first != want || s.guard.client.again != want {
		t.Errorf("excused until %v, then %v, want %v", first, s.guard.client.again, want)
	}
	for began, _ := usage(ProcessID(os.Getpid())); ; {
		if ran, _ := usage(ProcessID(os.Getpid())); ran-began > doubtAgain {
			break
		}
	}
	s.doubt(StaleAfter + doubtAgain)
	if s.guard.client.again != first {
		t.Errorf("excused again until %v", s.guard.client.again)
	}
	s.guard.Step(StaleAfter+doubtAgain, Tick{}, nil)
	if s.guard.relays[1].active {
		t.Error("the relay is still active")
	}
}

// TestStarvedClientKeepsItsPulse: as long as its process is excused, and not for
// longer than StarvedAfter.
func TestStarvedClientKeepsItsPulse(t *testing.T) {
	for _, c := range []struct {
		starved time.Duration // from its last beat
		falls   time.Duration
	}{
		{0, StaleAfter},
		{400 * time.Millisecond, 400 * time.Millisecond},
		{10 * time.Second, StarvedAfter},
	} {
		g := New(Panel{Relays: []Relay{{Name: "door1", Max: 10 * time.Second}}})
		g.Step(0, Connected{Client: 1, Process: 7}, nil)
		g.Step(0, event(t, 0, "A pulse 1 door1 9000 x"), nil)
		var now time.Duration
		for g.relays[0].active && now < time.Minute {
			if now, _ = g.Deadline(); g.Doubts(now) == 7 && now >= g.client.again && now < c.starved {
				g.Excuse(now)
			}
			g.Step(now, Tick{}, nil)
		}
		if late := now - c.falls; late < 0 || late > doubtAgain {
			t.Errorf("starved for %v: the relay fell after %v, want %v", c.starved, now, c.falls)
		}
	}
	g := New(Panel{Relays: relays})
	g.Step(0, Connected{Client: 1, Process: 7}, nil)
	if g.Doubts(StaleAfter) != 0 {
		t.Error("a client that holds nothing is doubted")
	}
}
