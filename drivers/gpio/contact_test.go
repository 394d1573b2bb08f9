package gpio

import (
	"reflect"
	"testing"
	"time"

	"doorstation/drivers"
)

const ms = time.Millisecond

// A step is one look: the edges that were queued (active as their order), the
// level read after them, and what has to be reported.
type step struct {
	now    time.Duration
	edges  []contactEdge
	active bool
	want   []drivers.Input
}

func on(at time.Duration) contactEdge  { return contactEdge{active: true, at: at} }
func off(at time.Duration) contactEdge { return contactEdge{active: false, at: at} }

func pressed(at time.Duration) drivers.Input  { return drivers.Input{Name: "b", Active: true, At: at} }
func released(at time.Duration) drivers.Input { return drivers.Input{Name: "b", Active: false, At: at} }

func list(in ...drivers.Input) []drivers.Input { return in }

func TestContact(t *testing.T) {
	for _, c := range []struct {
		name     string
		debounce time.Duration
		begins   bool
		steps    []step
	}{
		{"kernel debounced press and release", 0, false, []step{
			{5 * ms, []contactEdge{on(4 * ms)}, true, list(pressed(4 * ms))},
			{9 * ms, []contactEdge{off(8 * ms)}, false, list(released(8 * ms))},
		}},
		{"a whole press between two looks", 0, false, []step{
			{90 * ms, []contactEdge{on(4 * ms), off(80 * ms)}, false, list(pressed(4*ms), released(80*ms))},
		}},
		{"sixteen edges are one press", 0, false, []step{
			{99 * ms, []contactEdge{
				on(1), off(2), on(3), off(4), on(5), off(6), on(7), off(8),
				on(9), off(10), on(11), off(12), on(13), off(14), on(15), off(16),
			}, false, list(pressed(1), released(16))},
		}},
		{"an odd number of edges is the level's last", 0, false, []step{
			{99 * ms, []contactEdge{on(1), off(2), on(3)}, true, list(pressed(3))},
		}},
		{"an edge that was lost is found by the level", 0, false, []step{
			{50 * ms, nil, true, list(pressed(50 * ms))},
			{60 * ms, nil, true, nil},
		}},
		{"edges say pressed, the level says not", 0, false, []step{
			{50 * ms, []contactEdge{on(40 * ms)}, false, list(pressed(40*ms), released(50*ms))},
		}},
		{"held at the start presses nothing, its release counts", 0, true, []step{
			{10 * ms, nil, true, nil},
			{20 * ms, []contactEdge{off(19 * ms)}, false, list(released(19 * ms))},
		}},
		{"the late edge of a level that was read already", 0, false, []step{
			{50 * ms, nil, true, list(pressed(50 * ms))},
			{51 * ms, []contactEdge{on(50*ms - 1)}, true, nil},
		}},
		{"bounces count once, from the last", 10 * ms, false, []step{
			{2 * ms, []contactEdge{on(1 * ms), off(2 * ms)}, false, nil},
			{5 * ms, []contactEdge{on(4 * ms)}, true, nil},
			{13 * ms, nil, true, nil},
			{14 * ms, nil, true, list(pressed(4 * ms))},
		}},
		{"a short disturbance is nothing", 10 * ms, false, []step{
			{2 * ms, []contactEdge{on(1 * ms)}, true, nil},
			{9 * ms, []contactEdge{off(8 * ms)}, false, nil},
			{40 * ms, nil, false, nil},
		}},
		{"a stable press in an old queue", 10 * ms, false, []step{
			{90 * ms, []contactEdge{on(1 * ms), off(2 * ms), on(3 * ms), off(60 * ms), on(61 * ms), off(62 * ms)}, false,
				list(pressed(3*ms), released(62*ms))},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			k := contact{name: "b", debounce: c.debounce}
			k.begin(c.begins, 0)
			for i, s := range c.steps {
				if got := k.look(s.edges, s.active, s.now, nil); !reflect.DeepEqual(got, s.want) {
					t.Errorf("look %d: reported %v, want %v", i, got, s.want)
				}
			}
		})
	}
}

func TestStuck(t *testing.T) {
	k := contact{name: "b", stuckAfter: time.Minute}
	k.begin(false, 0)
	at := func(now time.Duration, active bool, want ...drivers.Input) {
		t.Helper()
		if got := k.look(nil, active, now, nil); len(got) != len(want) || len(got) == 1 && got[0] != want[0] {
			t.Errorf("at %v: reported %v, want %v", now, got, want)
		}
	}
	at(time.Second, true, pressed(time.Second))
	if next := k.next(); next != 61*time.Second {
		t.Errorf("will look again at %v, want 1m1s", next)
	}
	if k.jammed(61*time.Second - 1) {
		t.Error("stuck before its time")
	}
	if !k.jammed(61*time.Second) || k.jammed(62*time.Second) {
		t.Error("want it reported as stuck exactly once")
	}
	if next := k.next(); next != never {
		t.Errorf("a stuck input wakes again at %v", next)
	}
	at(70*time.Second, false) // it flickers
	at(70*time.Second+500*ms, true)
	at(80*time.Second, false)
	at(81*time.Second-1, false)
	at(81*time.Second, false, released(80*time.Second))
	at(82*time.Second, true, pressed(82*time.Second)) // and works again
	if !k.jammed(142 * time.Second) {
		t.Error("does not get stuck a second time")
	}
}

func TestStuckFromTheStart(t *testing.T) {
	k := contact{name: "b", stuckAfter: time.Minute}
	k.begin(true, 5*time.Second)
	if k.jammed(65*time.Second-1) || !k.jammed(65*time.Second) {
		t.Error("a button that is held since the start is stuck after a minute")
	}
	contactWithout := contact{name: "door"}
	contactWithout.begin(true, 0)
	if contactWithout.jammed(time.Hour) || contactWithout.next() != never {
		t.Error("a contact gets stuck")
	}
}

// FuzzContact checks, for any edges and levels, that reports alternate, that
// one look gives at most two, and that the last one is the level once it has
// been quiet for long enough.
func FuzzContact(f *testing.F) {
	f.Add([]byte{1, 3, 0x81, 7, 0xff}, uint8(10))
	f.Add([]byte{0x41, 0x01, 0xc1}, uint8(0))
	f.Fuzz(func(t *testing.T, moves []byte, debounce uint8) {
		k := contact{name: "b", debounce: time.Duration(debounce) * ms, stuckAfter: 100 * ms}
		k.begin(false, 0)
		now, last, active := time.Duration(0), false, false
		look := func(edges []contactEdge) {
			got := k.look(edges, active, now, nil)
			if len(got) > 2 {
				t.Fatalf("one look reported %v", got)
			}
			for _, g := range got {
				if g.Active == last || g.At > now {
					t.Fatalf("at %v: reported %+v after active %v", now, g, last)
				}
				last = g.Active
			}
			k.jammed(now)
		}
		var edges []contactEdge
		for _, m := range moves { // bit 7: an edge; bit 6: a look; the rest: time
			now += time.Duration(m&0x3f) * ms
			if m&0x80 != 0 {
				active = !active
				edges = append(edges, contactEdge{active: active, at: now})
			}
			if m&0x40 != 0 {
				look(edges)
				edges = nil
			}
		}
		look(edges)
		now += stuckRelease + time.Second
		look(nil)
		if last != active {
			t.Errorf("reported %v at the end, the level is %v", last, active)
		}
	})
}
