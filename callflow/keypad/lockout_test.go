package keypad

import (
	"encoding/json"
	"errors"
	"fmt"
	"testing"
	"time"
)

func block(l *Lockout, now time.Time, name string, n int) {
	for range n {
		l.wrong(now, name, DefaultTriesPerHour)
	}
}

func TestBlocksDouble(t *testing.T) {
	l := NewLockout()
	now := monday
	for i := range DefaultTriesPerHour {
		if wait := l.Blocked(now, "a"); wait != 0 {
			t.Fatalf("blocked for %v after %d wrong codes", wait, i)
		}
		l.wrong(now, "a", DefaultTriesPerHour)
	}
	for i, want := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 30 * time.Minute, 30 * time.Minute} {
		if got := l.Blocked(now, "a"); got != want {
			t.Fatalf("block %d lasts %v, want %v", i, got, want)
		}
		if l.Blocked(now.Add(want-1), "a") == 0 || l.Blocked(now, "b") != 0 {
			t.Fatalf("block %d ends early, or hits another callee", i)
		}
		now = now.Add(want)
		if l.Blocked(now, "a") != 0 {
			t.Fatalf("block %d does not end", i)
		}
		for l.Blocked(now, "a") == 0 { // as many as the hour now allows
			l.wrong(now, "a", DefaultTriesPerHour)
		}
	}
	now = now.Add(LastBlock + TryWindow)
	block(l, now, "a", DefaultTriesPerHour)
	if got := l.Blocked(now, "a"); got != FirstBlock {
		t.Errorf("after an hour without a wrong code the block lasts %v, want %v", got, FirstBlock)
	}
}

func TestTheHourSlides(t *testing.T) {
	l := NewLockout()
	for i := range 100 { // nine in any hour
		now := monday.Add(time.Duration(i) * TryWindow / 9)
		l.wrong(now, "a", DefaultTriesPerHour)
		if wait := l.Blocked(now, "a"); wait != 0 {
			t.Fatalf("blocked for %v by nine wrong codes an hour", wait)
		}
	}
}

func TestABlockedPadDoesNotLook(t *testing.T) {
	l := NewLockout()
	block(l, monday, "flat", DefaultTriesPerHour)
	rules := rulesOf(0, 4, code("front", "resident", "1234"))
	rules.TriesPerCall, rules.TriesPerHour = 3, DefaultTriesPerHour
	p := New(rules, l, "flat")
	if got := typed(p, monday, "1234"); got != "4 locked" {
		t.Errorf("the right code while blocked: %q", got)
	}
	if got := l.Blocked(monday, "flat"); got != FirstBlock {
		t.Errorf("a code while blocked changed the block to %v", got)
	}
	if got := typed(New(rules, l, "other"), monday, "1234"); got != "4 right front/resident" {
		t.Errorf("another callee: %q", got)
	}
	if got := typed(New(rules, l, "flat"), monday, "1234 12341 "); got != "4 locked, 8 locked, 9 locked end" {
		t.Errorf("while blocked: %q, want the call's end", got)
	}
	if got := typed(New(rules, l, "flat"), monday.Add(FirstBlock), "1234"); got != "4 right front/resident" {
		t.Errorf("after the block: %q", got)
	}
}

// Digits whose first came while blocked are not looked at, though the block
// ends before their last.
func TestABlockCoversTheWholeCode(t *testing.T) {
	l := NewLockout()
	block(l, monday, "flat", DefaultTriesPerHour)
	p := New(rulesOf(0, 4, code("front", "resident", "1234")), l, "flat")
	if got := typed(p, monday.Add(FirstBlock-3*time.Second), "1234"); got != "4 locked" {
		t.Errorf("a code begun while blocked: %q", got)
	}
}

func TestTheCallThatReachesTheLimitIsBlockedAtOnce(t *testing.T) {
	l := NewLockout()
	rules := rulesOf(0, 4, code("front", "resident", "1234"))
	rules.TriesPerHour = 2
	if got := typed(New(rules, l, "flat"), monday, "999999991234"); got != "4 wrong, 8 wrong, 12 locked" {
		t.Errorf("%q", got)
	}
	if got := typed(New(rules, l, "flat"), monday.Add(40*time.Second), "12349999"); got != "4 right front/resident, 8 wrong" {
		t.Errorf("after the block: %q", got)
	}
	if got := l.Blocked(monday.Add(48*time.Second), "flat"); got != 2*FirstBlock {
		t.Errorf("a right code gave tries of the hour back: blocked for %v", got)
	}
}

func restart(t *testing.T, l *Lockout, now time.Time) *Lockout {
	t.Helper()
	raw, err := l.Marshal()
	if err != nil {
		t.Fatal(err)
	}
	again := NewLockout()
	if err := again.Unmarshal(raw, now); err != nil {
		t.Fatal(err)
	}
	return again
}

func TestTheLockoutSurvivesARestart(t *testing.T) {
	l := NewLockout()
	block(l, monday, "flat", DefaultTriesPerHour-1)
	l = restart(t, l, monday.Add(time.Minute))
	block(l, monday.Add(time.Minute), "flat", 1)
	for range 3 {
		l = restart(t, l, monday.Add(time.Minute))
		if got := l.Blocked(monday.Add(time.Minute), "flat"); got != FirstBlock {
			t.Fatalf("after a restart blocked for %v, want %v", got, FirstBlock)
		}
	}
	after := monday.Add(time.Minute + FirstBlock)
	l = restart(t, l, after)
	if got := l.Blocked(after, "flat"); got != 0 {
		t.Errorf("after a restart later than the block still blocked for %v", got)
	}
	block(l, after, "flat", 1)
	if got := l.Blocked(after, "flat"); got != 2*FirstBlock {
		t.Errorf("the next block lasts %v, want %v", got, 2*FirstBlock)
	}
}

// A clock that was set back, by days or to 1970, neither unlocks nor locks for
// longer than the block.
func TestAClockSetBack(t *testing.T) {
	for _, back := range []time.Duration{time.Second, time.Hour, 20 * time.Hour, 400 * 24 * time.Hour, time.Duration(monday.UnixNano())} {
		for _, restarted := range []bool{false, true} {
			l := NewLockout()
			block(l, monday, "flat", DefaultTriesPerHour)
			now := monday.Add(-back)
			if restarted {
				l = restart(t, l, now)
			}
			if got := l.Blocked(now, "flat"); got != FirstBlock {
				t.Errorf("back by %v (restarted %v): blocked for %v, want %v", back, restarted, got, FirstBlock)
			}
			if got := l.Blocked(now.Add(FirstBlock), "flat"); got != 0 {
				t.Errorf("back by %v (restarted %v): still blocked for %v", back, restarted, got)
			}
			block(l, now.Add(FirstBlock), "flat", 1)
			if got := l.Blocked(now.Add(FirstBlock), "flat"); got != 2*FirstBlock {
				t.Errorf("back by %v (restarted %v): the next block lasts %v: tries were forgotten", back, restarted, got)
			}
			later := now.Add(FirstBlock + 2*TryWindow)
			block(l, later, "flat", 1)
			if got := l.Blocked(later, "flat"); got != 0 {
				t.Errorf("back by %v (restarted %v): tries are remembered for ever", back, restarted)
			}
		}
	}
}

// While the process lives, its monotonic clock counts, whatever the wall says.
func TestTheWallClockDoesNotCountWhileTheProcessLives(t *testing.T) {
	l := NewLockout()
	now := time.Now()
	block(l, now, "flat", DefaultTriesPerHour)
	again := restart(t, l, now)
	for _, one := range []*Lockout{l, again} {
		c := one.callees["flat"]
		if c.until.Sub(now) != FirstBlock || c.until.String() == c.until.Round(0).String() {
			t.Errorf("the block's end, %v, has no monotonic reading", c.until)
		}
	}
}

// However many callees are tried, a live block is never pushed out.
func TestManyCallees(t *testing.T) {
	l := NewLockout()
	block(l, monday, "victim", DefaultTriesPerHour)
	for i := range 3 * MaxCallees {
		l.wrong(monday, fmt.Sprint("flat ", i), DefaultTriesPerHour)
	}
	if len(l.callees) != MaxCallees+1 {
		t.Errorf("%d callees are remembered, want %d and one for the others", len(l.callees), MaxCallees)
	}
	if l.Blocked(monday, "victim") == 0 || l.Blocked(monday, "flat 0") != 0 {
		t.Error("the count of one callee has changed by another's")
	}
	if l.Blocked(monday, "flat 9999") == 0 {
		t.Error("callees beyond the bound go uncounted")
	}
	l = restart(t, l, monday)
	if len(l.callees) != MaxCallees+1 || l.Blocked(monday, "victim") == 0 {
		t.Errorf("a full lock-out does not survive a restart: %d callees", len(l.callees))
	}
	later := monday.Add(2 * TryWindow)
	l.wrong(later, "new", DefaultTriesPerHour)
	if len(l.callees) != 1 {
		t.Errorf("%d callees are left when all but one are idle", len(l.callees))
	}
}

func TestDirty(t *testing.T) {
	l := NewLockout()
	p := New(rulesOf(0, 4, code("front", "resident", "1234")), l, "flat")
	typed(p, monday, "1234")
	if l.Dirty() {
		t.Error("a right code is to be stored")
	}
	typed(p, monday, "9999")
	if !l.Dirty() {
		t.Error("a wrong code is not to be stored")
	}
	l.Stored()
	if l.Dirty() {
		t.Error("stored, and still dirty")
	}
}

func TestABadStateChangesNothing(t *testing.T) {
	many, _ := json.Marshal(savedState{Version: 1, Callees: func() map[string]savedCallee {
		m := map[string]savedCallee{}
		for i := range MaxCallees + 2 {
			m[fmt.Sprint(i)] = savedCallee{Tries: []int64{monday.UnixMilli()}}
		}
		return m
	}()})
	tries, _ := json.Marshal(savedState{Version: 1, Callees: map[string]savedCallee{"a": {Tries: make([]int64, maxTries+1)}}})
	for _, raw := range []string{"", "{", "[]", "null", `{"version":2}`, `{"version":1,"callees":{"a":{"block_ms":-1}}}`,
		`{"version":1,"callees":{"a":{"block_ms":1800001}}}`, `{"version":1,"callees":{"a":{"tries":["x"]}}}`, string(many), string(tries)} {
		l := NewLockout()
		block(l, monday, "flat", DefaultTriesPerHour)
		if err := l.Unmarshal([]byte(raw), monday); !errors.Is(err, ErrState) {
			t.Errorf("%.60s: %v, want ErrState", raw, err)
		}
		if l.Blocked(monday, "flat") != FirstBlock {
			t.Errorf("%.60s unlocked", raw)
		}
	}
}

// Whatever a stored state says, a block lasts no longer than the longest.
func FuzzUnmarshal(f *testing.F) {
	l := NewLockout()
	block(l, monday, "flat", DefaultTriesPerHour+2)
	raw, err := l.Marshal()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte(`{"version":1,"callees":{"flat":{"tries":[9223372036854775807,-9223372036854775808],"until":9223372036854775807,"block_ms":1800000}}}`))
	f.Add([]byte(`{"version":1,"callees":{"flat":{"tries":[],"until":-9223372036854775808}}}`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		l := NewLockout()
		if l.Unmarshal(raw, monday) != nil {
			return
		}
		for name := range l.callees {
			if got := l.Blocked(monday, name); got < 0 || got > LastBlock {
				t.Fatalf("%q is blocked for %v", name, got)
			}
		}
		if _, err := l.Marshal(); err != nil {
			t.Fatal(err)
		}
		l.wrong(monday, "flat", DefaultTriesPerHour)
		if got := l.Blocked(monday.Add(LastBlock), "flat"); got != 0 {
			t.Fatalf("blocked for %v beyond the longest block", got)
		}
	})
}
