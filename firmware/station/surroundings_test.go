package station

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/callflow/timeline"
	"doorstation/drivers"
	"doorstation/drivers/guard"
	"doorstation/firmware/control"
)

// aroundOwner is an owner whose board has one of each thing around the call.
func aroundOwner() *owner {
	o := bareOwner()
	o.around = newSurroundings(&board.Board{Inputs: []board.Input{
		{Name: "button1", LongPress: board.Duration(3 * time.Second)},
		{Name: "leaf", Contact: "door1"},
		{Name: "leave", Opens: "door1"},
		{Name: "cover", Tamper: true},
	}}, func(func(*scenery)) {})
	o.adopt(&setup{doors: map[string]doorRule{"front": {relay: "door1", heldAfter: time.Minute}}})
	o.rules = o.setup
	o.doors.moved = func(string, string, bool, time.Duration) {}
	return o
}

// told gives what has been recorded, a line for each record: its result, its
// marks, and the answer that a person gets.
func (o *owner) told() []string {
	var lines []string
	for _, p := range o.diary.closed {
		rec := p.rec.Record()
		var names []string
		for _, m := range rec.Marks {
			if m.Name != timeline.Done {
				names = append(names, string(m.Name))
			}
		}
		lines = append(lines, fmt.Sprintf("%s (%s): %s", rec.Result, strings.Join(names, " "), timeline.Why(rec)))
	}
	return lines
}

// leaf moves the door's leaf, and lets it be judged.
func (o *owner) leaf(open bool) {
	o.entered(drivers.Input{Name: "leaf", Active: !open, At: monotonic()})
	o.later(guardsWord)
}

// later lets the time pass.
func (o *owner) later(d time.Duration) { o.lookAround(time.Now().Add(d)) }

func (o *owner) wantTold(t *testing.T, want ...string) {
	t.Helper()
	got := o.told()
	for i, line := range got {
		if at := strings.Index(line, " ms after"); at >= 0 { // a time that was measured
			got[i] = line[:strings.LastIndex(line[:at], " ")] + " …" + line[at:]
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("records:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if o.diary.current() != "" {
		t.Error("a record is still open")
	}
}

func TestForcedDoor(t *testing.T) {
	o := aroundOwner()
	o.leaf(false)
	o.leaf(true)
	o.leaf(false)
	o.wantTold(t, "door-forced (door-forced): front was opened without having been released",
		"door-closed (door-closed): front (forced, open for 0s) is closed again")
}

// A spring opens the door before the guard's word is here that it was released.
func TestDoorQuickerThanTheGuardsWord(t *testing.T) {
	o := aroundOwner()
	o.leaf(false)
	released := monotonic()
	o.entered(drivers.Input{Name: "leaf", At: monotonic()})
	o.later(0)
	o.relayMoved("door1", "front", true, released)
	o.later(guardsWord)
	o.relayMoved("door1", "front", false, monotonic())
	o.wantTold(t, "opened (relay-on door-opened signal relay-off): the door opened … ms after the press")
}

func TestDoorHeldOpen(t *testing.T) {
	o := aroundOwner()
	o.leaf(true) // found so: nobody forced it
	o.later(59 * time.Second)
	o.later(61 * time.Second)
	o.later(5 * time.Minute)
	if o.sound.shown != callflow.SignalDoorHeld {
		t.Errorf("the panel plays %q", o.sound.shown)
	}
	if at := o.seeAround().contacts["door1"]; at.Contact != control.ContactHeld || at.Since.IsZero() {
		t.Errorf("the status shows %+v", at)
	}
	o.leaf(false)
	o.wantTold(t, "door-held (door-held): front has stood open for 1m1s",
		"door-closed (door-closed): front (held, open for 0s) is closed again")
}

// A door that opens by the exit button has one record, from the press to the
// moment in which the door is known to have been used.
func TestLeaving(t *testing.T) {
	o := aroundOwner()
	o.leaf(false)
	o.guarded(guard.InputEdge{Name: "leave", Active: true, At: monotonic()})
	o.relayMoved("door1", "front", true, monotonic())
	o.guarded(guard.InputEdge{Name: "leave", At: monotonic()})
	o.leaf(true)
	o.leaf(false)
	o.relayMoved("door1", "front", false, monotonic())
	o.wantTold(t, "opened (exit-pressed relay-on signal door-opened door-closed relay-off): the door opened … ms after leave was pressed")
}

func TestNobodyWentThrough(t *testing.T) {
	o := aroundOwner()
	o.leaf(false)
	o.relayMoved("door1", "front", true, monotonic())
	o.relayMoved("door1", "front", false, monotonic())
	if o.diary.current() == "" {
		t.Fatal("the record was closed before anybody could know")
	}
	o.later(2 * time.Second)
	o.wantTold(t, "opened (relay-on signal relay-off door-unused): the lock was released … ms after the press, but the door never moved")
}

// The record that waits for somebody to go through ends when he does, or when
// nobody can see him any more.
func TestRecordWaitsForTheDoor(t *testing.T) {
	for name, then := range map[string]func(*owner){
		"opened": func(o *owner) { o.leaf(true) },
		"lost":   func(o *owner) { o.contactLost("leaf") },
	} {
		t.Run(name, func(t *testing.T) {
			o := aroundOwner()
			o.leaf(false)
			o.relayMoved("door1", "front", true, monotonic())
			o.relayMoved("door1", "front", false, monotonic())
			then(o)
			if o.diary.current() != "" || len(o.diary.closed) != 1 {
				t.Errorf("the record is open; closed ones: %q", o.told())
			}
		})
	}
}

func TestExitButtonThatOpensNothing(t *testing.T) {
	o := aroundOwner()
	o.guarded(guard.InputEdge{Name: "cover", Active: true, Blocked: 30 * time.Minute, At: monotonic()})
	o.guarded(guard.InputEdge{Name: "leave", Active: true, Blocked: 30 * time.Minute, At: monotonic()})
	o.guarded(guard.InputEdge{Name: "leave", Blocked: 30 * time.Minute, At: monotonic()})
	o.wantTold(t, "cover-opened (cover-opened): the cover was opened (no door opens for 30m0s)",
		"not-opened (exit-pressed): the door did not open: leave was pressed, and no edge of the relay came")
	if why := o.diary.closed[1].rec.Record().Reason; !strings.HasPrefix(why, "cover open since ") {
		t.Errorf("the reason is %q", why)
	}
}

// refuses is a guard that refuses every pulse.
type refuses struct{}

func (refuses) Pulse(relay string, _ time.Duration, _ string) error {
	return &guard.RefusedError{Relay: relay, Reason: "tamper"}
}

func TestBlockedDoorSaysWhy(t *testing.T) {
	o := aroundOwner()
	o.doors.use(refuses{}, nil)
	o.guarded(guard.InputEdge{Name: "cover", Active: true, Blocked: 27*time.Minute - time.Second, At: monotonic()})
	reply := make(chan error, 1)
	o.localOpen("front", "tester", reply)
	<-o.box.ready
	for _, fn := range o.box.take(nil) {
		fn()
	}
	err := <-reply
	want := o.around.cover.since.Format(time.TimeOnly)
	if err == nil || !strings.HasPrefix(err.Error(), "cover open since "+want+", doors blocked for another 27 min: ") || !errors.Is(err, guard.ErrRefused) {
		t.Errorf("the one who asked hears %v", err)
	}
	if o.sound.shown != callflow.SignalDoorFailed {
		t.Errorf("the panel plays %q", o.sound.shown)
	}
	if told := o.told(); len(told) != 2 || !strings.Contains(told[1], "the door did not open: cover open since") {
		t.Errorf("recorded: %q", told)
	}
}

func TestCoverInTheStatus(t *testing.T) {
	o := aroundOwner()
	shown := func() control.Cover {
		st := control.Status{}
		seen := o.seeAround()
		seen.show(&st, time.Now())
		c := *st.Cover
		if c.Open == c.Since.IsZero() {
			t.Errorf("open %v since %v", c.Open, c.Since)
		}
		c.Since = time.Time{}
		return c
	}
	if c := shown(); c != (control.Cover{}) {
		t.Errorf("at the start: %+v", c)
	}
	o.guarded(guard.InputEdge{Name: "cover", At: monotonic()}) // as it is found
	o.guarded(guard.InputEdge{Name: "cover", Active: true, Blocked: time.Hour, At: monotonic()})
	if c := shown(); c != (control.Cover{Open: true, Blocked: time.Hour}) {
		t.Errorf("opened: %+v", c)
	}
	o.guarded(guard.InputEdge{Name: "cover", Active: true, At: monotonic()}) // the block is over
	if c := shown(); c != (control.Cover{Open: true}) {
		t.Errorf("afterwards: %+v", c)
	}
	o.wantTold(t, "cover-opened (cover-opened): the cover was opened (no door opens for 1h0m0s)")
}

func TestReasonsOfABlock(t *testing.T) {
	now := time.Date(2026, 11, 22, 18, 30, 0, 0, time.UTC)
	for _, c := range []struct {
		cover cover
		want  string
	}{
		{cover{}, ""},
		{cover{open: true, since: now}, ""},
		{cover{open: true, since: now, until: now.Add(26*time.Minute + time.Second)}, "cover open since 18:30:00, doors blocked for another 27 min"},
		{cover{since: now, until: now.Add(time.Minute)}, "the cover was opened, and closed at 18:30:00, doors blocked for another 60 s"},
		{cover{until: now.Add(500 * time.Millisecond)}, "the cover was opened, doors blocked for another 1 s"},
		{cover{until: now.Add(-time.Second)}, ""},
	} {
		if got := c.cover.reason(now); got != c.want {
			t.Errorf("%+v: %q, want %q", c.cover, got, c.want)
		}
	}
}

func TestLongPress(t *testing.T) {
	h := hold{after: 3 * time.Second}
	start := time.Now()
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	h.moved(true, at(0))
	if h.tick(at(2)) || !h.tick(at(3)) || h.tick(at(4)) || !h.long {
		t.Error("a press of three seconds is long once, after three seconds")
	}
	h.moved(false, at(5))
	if h.long || h.tick(at(9)) {
		t.Error("a button that was let go is held down")
	}
	h.moved(true, at(10))
	h.moved(false, at(12))
	if h.tick(at(20)) {
		t.Error("a short press is long")
	}
}

// The press rings as every press does; that it was long is told in its record.
func TestLongPressOfAButton(t *testing.T) {
	o := aroundOwner()
	o.entered(drivers.Input{Name: "button1", Active: true, At: monotonic()})
	o.later(4 * time.Second)
	if seen := o.seeAround(); !seen.held["button1"] {
		t.Error("the status does not show it")
	}
	o.entered(drivers.Input{Name: "button1", At: monotonic()})
	if seen := o.seeAround(); seen.held["button1"] {
		t.Error("the status still shows it")
	}
	if told := o.told(); len(told) != 2 || !strings.HasPrefix(told[0], "not-configured (press debounced signal)") || !strings.HasPrefix(told[1], "long-press (long-press): button1 was held down for 3s") {
		t.Errorf("recorded: %q", told)
	}
}

// A contact that rattles does not fill the flash.
func TestRattlingContact(t *testing.T) {
	o := aroundOwner()
	o.leaf(false)
	for range 100 {
		o.leaf(true)
		o.leaf(false)
	}
	if n := len(o.diary.closed); n != mostRecords {
		t.Errorf("%d records, want %d", n, mostRecords)
	}
	a := allowance{left: 0, at: time.Now()}
	if a.take(a.at.Add(recordEvery-1)) || !a.take(a.at.Add(recordEvery)) || a.take(a.at) {
		t.Error("one record is allowed again after a while, and one only")
	}
}

func TestInputsThatRingNobody(t *testing.T) {
	got := buttons(&board.Board{Inputs: []board.Input{{Name: "b"}, {Name: "leaf", Contact: "door1"}, {Name: "leave", Opens: "door1"}, {Name: "cover", Tamper: true}}})
	if !slices.Equal(got, []string{"b"}) {
		t.Errorf("buttons: %v", got)
	}
}
