package station

import (
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

var (
	built     = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	noBattery = time.Date(1970, 1, 1, 0, 0, 8, 0, time.UTC)
	farAhead  = time.Date(2039, 5, 1, 0, 0, 0, 0, time.UTC)
)

// A clockBench is a clock whose system's clock is set by the test.
type clockBench struct {
	*clock
	sys  time.Time
	kept bool
}

// newClockBench starts a panel that has saved this time; zero: none.
func newClockBench(t *testing.T, sys, saved time.Time) *clockBench {
	t.Helper()
	b := &clockBench{sys: sys}
	b.clock = &clock{
		log: slog.New(slog.DiscardHandler), path: filepath.Join(t.TempDir(), clockFile), built: built,
		system: func() time.Time { return b.sys }, kept: func() bool { return b.kept },
	}
	if !saved.IsZero() {
		b.saved = time.Time{}
		before := &clock{log: b.log, path: b.path, system: func() time.Time { return saved }, kept: func() bool { return true }}
		before.save(false)
	}
	b.open()
	return b
}

func (b *clockBench) pass(d time.Duration) { b.sys = b.sys.Add(d) }

func (b *clockBench) says(t *testing.T, want time.Time, from timeSource) {
	t.Helper()
	if now, source := b.read(); !now.Equal(want) || source != from {
		t.Errorf("with the system's clock at %v: %v from %s, want %v from %s", b.sys, now, source, want, from)
	}
}

func TestClockTakesTheBestTime(t *testing.T) {
	later := built.AddDate(1, 2, 3)
	for name, c := range map[string]struct {
		sys, saved time.Time
		kept       bool
		want       time.Time
		from       timeSource
	}{
		"right":                        {sys: later, want: later, from: timeOfSystem},
		"right, after years":           {sys: built.AddDate(8, 0, 0), saved: built.AddDate(7, 0, 0), want: built.AddDate(8, 0, 0), from: timeOfSystem},
		"1970":                         {sys: noBattery, want: built, from: timeOfFloor},
		"1970, a later time saved":     {sys: noBattery, saved: later, want: later, from: timeOfFloor},
		"1970, an earlier time saved":  {sys: noBattery, saved: built.AddDate(-1, 0, 0), want: built, from: timeOfFloor},
		"before the saved time":        {sys: built.AddDate(0, 1, 0), saved: later, want: later, from: timeOfFloor},
		"2039":                         {sys: farAhead, want: built, from: timeOfFloor},
		"2039, a time saved":           {sys: farAhead, saved: later, want: later, from: timeOfFloor},
		"1901, after 32 bits":          {sys: time.Unix(-1<<31, 0), want: built, from: timeOfFloor},
		"2039, kept by a daemon":       {sys: farAhead, kept: true, want: farAhead, from: timeOfKeeper},
		"the moment of the build":      {sys: built, want: built, from: timeOfSystem},
		"the first moment not to hold": {sys: built.Add(believable), want: built, from: timeOfFloor},
	} {
		t.Run(name, func(t *testing.T) {
			b := newClockBench(t, c.sys, c.saved)
			b.kept = c.kept
			b.says(t, c.want, c.from)
			if trouble := b.trouble(); (trouble != "") != (c.from == timeOfFloor) {
				t.Errorf("told as %q", trouble)
			}
			b.pass(time.Hour)
			b.says(t, c.want.Add(time.Hour), c.from)
		})
	}
}

func TestClockTakesAServersTime(t *testing.T) {
	b := newClockBench(t, noBattery, time.Time{})
	truth := built.AddDate(0, 6, 0)
	for _, wrong := range []time.Time{built.Add(-time.Second), built.Add(serverMost + time.Second), noBattery} {
		if err := b.set(wrong); err == nil || !strings.Contains(err.Error(), wrong.Format(time.DateTime)) {
			t.Errorf("a server that says %v: %v", wrong, err)
		}
	}
	b.says(t, built, timeOfFloor)
	if err := b.set(truth); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Minute)
	b.says(t, truth.Add(time.Minute), timeOfServer)

	// It is the floor of the next start, until a server sets it right.
	b.open()
	b.truth = time.Time{}
	b.says(t, truth, timeOfFloor)
	if err := b.set(built.AddDate(0, 1, 0)); err != nil {
		t.Fatal(err)
	}
	b.open()
	b.truth = time.Time{}
	b.says(t, built.AddDate(0, 1, 0), timeOfFloor)
}

// A build that does not know its own age believes everybody.
func TestClockOfAnUnknownBuild(t *testing.T) {
	b := newClockBench(t, noBattery, time.Time{})
	b.built = time.Time{}
	b.open()
	b.says(t, noBattery, timeOfSystem)
	if err := b.set(built); err != nil {
		t.Error(err)
	}
	b.says(t, built, timeOfServer)
}

// What nobody has proved is not saved: a clock that runs ahead would be the
// floor for ever.
func TestClockSavesSeldomAndOnlyWhatIsProved(t *testing.T) {
	b := newClockBench(t, built.AddDate(3, 0, 0), time.Time{})
	saved := func() string {
		raw, _ := os.ReadFile(b.path)
		return string(raw)
	}
	b.save(false)
	if got := saved(); got != "" {
		t.Fatalf("saved %s without proof", got)
	}
	b.save(true)
	first := saved()
	if first == "" {
		t.Fatal("not saved with a proof")
	}
	b.pass(saveEvery - time.Second)
	b.save(true)
	if got := saved(); got != first {
		t.Error("saved again within a day")
	}
	b.pass(time.Second)
	b.save(true)
	if got := saved(); got == first {
		t.Error("not saved again after a day")
	}

	// Without any clock, the time that has passed since the floor is known.
	b = newClockBench(t, noBattery, time.Time{})
	b.pass(saveEvery)
	b.save(false)
	b.sys = noBattery
	b.open()
	b.says(t, built.Add(saveEvery), timeOfFloor)
}

func TestDamagedSavedTime(t *testing.T) {
	for _, raw := range []string{"", "x", "99999999999999999999", "-"} {
		b := newClockBench(t, noBattery, time.Time{})
		if err := os.WriteFile(b.path, []byte(raw), 0o600); err != nil {
			t.Fatal(err)
		}
		b.open()
		b.says(t, built, timeOfFloor)
	}
}

func FuzzSavedTime(f *testing.F) {
	for _, raw := range []string{"", "0", "1795348800", "-1", " 1795348800\n", "1e9", "99999999999999999999"} {
		f.Add([]byte(raw))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		at, err := parseSaved(raw)
		if err != nil {
			return
		}
		again, err := parseSaved(strconv.AppendInt(nil, at.Unix(), 10))
		if err != nil || !again.Equal(at) {
			t.Errorf("%q is %v, and written again %v, %v", raw, at, again, err)
		}
	})
}

// Where the system's clock is too far ahead to be believed, it has every second
// turn; one that is behind is wrong for certain.
func TestCertificatesAreJudgedInTurns(t *testing.T) {
	for _, c := range []struct {
		sys   time.Time
		turns string
	}{{farAhead, "FSFS"}, {noBattery, "FFFF"}, {built.AddDate(1, 0, 0), "SSSS"}} {
		b := newClockBench(t, c.sys, time.Time{})
		turns := ""
		for range 4 {
			turn := "F"
			if b.forTLS().Equal(b.sys) {
				turn = "S"
			}
			turns += turn
			b.pass(tlsTurn)
		}
		if turns != c.turns {
			t.Errorf("with the system's clock at %v: %s, want %s", c.sys, turns, c.turns)
		}
	}
}

// The kernel's word can be had, whatever it is.
func TestSystemClockKept(t *testing.T) {
	c := openClock(filepath.Join(t.TempDir(), clockFile), time.Now().Add(-time.Hour), slog.New(slog.DiscardHandler))
	if _, ok := c.now(); !ok {
		t.Errorf("this machine's clock is not believed: %s", c.trouble())
	}
}
