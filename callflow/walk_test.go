package callflow

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

var epoch = time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

// walkPlan has two stages and short times, so that a short walk meets
// everything that can end.
var walkPlan = Plan{
	Flat:            "Smith",
	Stages:          []Stage{{Targets: []Target{{URI: "sip:a"}, {URI: "sip:b"}, {URI: "sip:late", After: 2 * time.Second}}, For: 4 * time.Second}, {Targets: []Target{{URI: "sip:c"}}}, {Targets: []Target{{URI: "sip:d"}}, LastResort: true}},
	RingFor:         9 * time.Second,
	TalkFor:         6 * time.Second,
	WarnBefore:      2 * time.Second,
	HangUpAfterOpen: 2 * time.Second,
	EarlyAudio:      true,
	Doors:           []string{"front"},
}

// alphabet is everything that may happen next: every event for the last legs
// that were handed out, for an incoming leg, and for one that never existed.
func alphabet(w *walker) []Event {
	m, caller := &w.m, IncomingLeg|LegID(w.check.deadN+1)
	evs := []Event{
		Tick{}, Pressed{"1", walkPlan}, Pressed{"2", Plan{}}, Shutdown{},
		OpenAsked{"front", "root"}, DoorMoved{"front", true}, DoorMoved{"front", false}, DoorFailed{"front", "gone"},
		Incoming{caller, "sip:guard", walkPlan, Guest{Talk: true}},
	}
	if m.state == Idle {
		evs = append(evs, Incoming{caller, "sip:ear", walkPlan, Guest{Listen: true, AnswerIn: 2 * time.Second}},
			Incoming{caller, "sip:eye", walkPlan, Guest{}})
	}
	legs := []LegID{m.lastLeg, caller}
	if m.lastLeg > 1 {
		legs = append(legs, m.lastLeg-1)
	}
	if second := caller + 64; m.state == Talking {
		vault := walkPlan
		vault.Doors = []string{"vault"}
		evs = append(evs, Incoming{second, "sip:concierge", vault, Guest{Second: true}})
		if m.side.leg != 0 {
			legs = append(legs, m.side.leg)
		}
	}
	for _, id := range legs {
		evs = append(evs, Progress{id, 183, true}, AudioArrived{id}, Answered{id}, Confirmed{id},
			Refused{id, 486, "", false}, HungUp{id, ""}, MediaLost{id, ""}, Digit{id, '1', RoadRTP},
			CodeRight{id, "front", "home"}, CodeRight{id, "vault", "home"}, CodeWrong{id, "", false}, CodeWrong{id, "", true})
		switch m.state {
		case Ringing:
			evs = append(evs, Refused{id, 503, "", true})
		case Talking:
			evs = append(evs, Transferred{id, "sip:porter"})
		}
	}
	return evs
}

// walker carries one path of a walk.
type walker struct {
	m     Machine
	check checker
	now   time.Time
}

// take performs one event and reports a broken rule.
func (w *walker) take(ev Event, buf []Action) ([]Action, error) {
	if _, ok := ev.(Tick); ok && !w.m.Deadline().IsZero() {
		w.now = w.m.Deadline()
	} else {
		w.now = w.now.Add(time.Second)
	}
	acts := w.m.Step(w.now, ev, buf[:0])
	return acts, w.check.step(ev, acts, &w.m)
}

func TestEveryShortWalk(t *testing.T) {
	steps := 0
	buf := make([]Action, 0, 64)
	var path []string
	var walk func(w walker, depth int)
	walk = func(w walker, depth int) {
		for _, ev := range alphabet(&w) {
			next := w
			_, err := next.take(ev, buf)
			steps++
			path = append(path, fmt.Sprintf("%T%v", ev, ev))
			if err != nil {
				t.Fatalf("%v\nafter\n  %s", err, strings.Join(path, "\n  "))
			}
			if depth > 1 {
				walk(next, depth-1)
			}
			path = path[:len(path)-1]
		}
	}
	walk(walker{now: epoch}, 4)
	t.Logf("%d steps", steps)
}

func TestLongRandomWalks(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	buf := make([]Action, 0, 64)
	for range 20_000 {
		w := walker{now: epoch}
		var path []string
		for range 40 {
			if w.check.deadN > 24 { // the checker remembers 32
				break
			}
			evs := alphabet(&w)
			ev := evs[rng.IntN(len(evs))]
			path = append(path, fmt.Sprintf("%T%v", ev, ev))
			if _, err := w.take(ev, buf); err != nil {
				t.Fatalf("%v\nafter\n  %s", err, strings.Join(path, "\n  "))
			}
		}
	}
}

// However a call stands, the clock alone ends it.
func TestTimeEndsEveryCall(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	buf := make([]Action, 0, 64)
	for range 5_000 {
		w := walker{now: epoch}
		for range 6 {
			evs := alphabet(&w)
			_, _ = w.take(evs[rng.IntN(len(evs))], buf)
		}
		for n := 0; w.m.State() != Idle; n++ {
			if n > 8 {
				t.Fatalf("still %v after %d deadlines", w.m.State(), n)
			}
			if _, err := w.take(Tick{}, buf); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func BenchmarkStep(b *testing.B) {
	var m Machine
	buf := make([]Action, 0, 64)
	now := epoch
	b.ReportAllocs()
	for b.Loop() {
		m.Step(now, Pressed{"1", walkPlan}, buf[:0])
		m.Step(now, Answered{m.lastLeg}, buf[:0])
		m.Step(now, HungUp{m.lastLeg, ""}, buf[:0])
	}
}
