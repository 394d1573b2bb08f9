package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// A wiredPanel is a fakePanel with wiring. Its relays do as they are asked.
type wiredPanel struct {
	fakePanel
	wiring  control.Wiring
	seen    chan control.Sighting
	found   control.Finding
	refuses map[string]error // by what is tried

	mu    sync.Mutex
	tried []string
}

func (p *wiredPanel) Check(context.Context, string) (control.Wiring, <-chan control.Sighting, error) {
	return p.wiring, p.seen, p.err
}

func (p *wiredPanel) Try(_ context.Context, t control.Trial, _ string) (control.Finding, error) {
	what := strings.TrimSpace(t.Do + " " + t.Name)
	p.mu.Lock()
	if t.Do != control.TryLevels {
		p.tried = append(p.tried, fmt.Sprintf("%s %v", what, t.On))
	}
	p.mu.Unlock()
	if err := p.refuses[what]; err != nil {
		return control.Finding{}, err
	}
	if t.Do == control.TryRelay {
		p.seen <- control.Sighting{Name: t.Name, Active: true, At: time.Second}
		p.seen <- control.Sighting{Name: t.Name, At: 2 * time.Second}
	}
	return p.found, nil
}

func wired() *wiredPanel {
	return &wiredPanel{
		wiring: control.Wiring{
			Board: "sim",
			Inputs: []control.Wire{
				{Name: "cover", Role: control.RoleCover},
				{Name: "button1", Role: control.RoleButton, Label: "1", Terminal: "J8 pin 11"},
				{Name: "contact1", Role: control.RoleContact, Of: "door1"},
			},
			Lamps:  []control.Wire{{Name: "open"}, {Name: "ir1", Role: "ir-lamp"}},
			Relays: []control.Wire{{Name: "door1"}},
			Pulse:  1,
		},
		seen: make(chan control.Sighting, 16),
	}
}

// An installer reads what doorctl prints and does what a script says: a line
// to type, or a thing to do.
type installer struct {
	t     *testing.T
	said  bytes.Buffer
	turns []turn
	typed chan string
	rest  []byte
}

// A turn is what the installer does when the words have been printed.
type turn struct {
	words string
	do    func()
	types string // empty: nothing
}

func (i *installer) Write(b []byte) (int, error) {
	i.said.Write(b)
	for len(i.turns) > 0 && strings.Contains(i.said.String(), i.turns[0].words) {
		next := i.turns[0]
		i.turns = i.turns[1:]
		if next.do != nil {
			next.do()
		}
		if next.types != "" {
			i.typed <- next.types + "\n"
		}
	}
	return len(b), nil
}

// Read is the installer's keyboard.
func (i *installer) Read(b []byte) (int, error) {
	if len(i.rest) == 0 {
		line, more := <-i.typed
		if !more {
			return 0, io.EOF
		}
		i.rest = []byte(line)
	}
	n := copy(b, i.rest)
	i.rest = i.rest[n:]
	return n, nil
}

// checkWith runs board check with an installer.
func checkWith(t *testing.T, p *wiredPanel, turns []turn, args ...string) (code int, said string) {
	t.Helper()
	i := &installer{t: t, turns: turns, typed: make(chan string, 16)}
	defer close(i.typed)
	var problem bytes.Buffer
	code = run(t.Context(), append([]string{"board", "check", "-run", panel(t, p)}, args...), i, i, &problem)
	if len(i.turns) > 0 {
		t.Errorf("it never said %q", i.turns[0].words)
	}
	return code, i.said.String() + problem.String()
}

func TestBoardCheckWithAnInstaller(t *testing.T) {
	p := wired()
	see := func(all ...control.Sighting) func() {
		return func() {
			for _, s := range all {
				p.seen <- s
			}
		}
	}
	code, said := checkWith(t, p, []turn{
		{words: "Is lamp open lit? [y/n]", types: "perhaps"},
		{words: "Is lamp open lit? [y/n] Is lamp open lit? [y/n]", types: "N"},
		{words: "Output ir1 (ir-lamp) was switched over. Has it changed?", types: "y"},
		{words: "Relay door1 opens its door for 1s. Go on? [y/n]", types: "y"},
		{words: "Relay door1 was on for 1s. Did it click", types: "yes"},
		{words: "Press and release button1 (labelled 1, at J8 pin 11)", do: see(
			control.Sighting{Name: "contact1", Active: true},
			control.Sighting{Name: "button1", Active: true, At: time.Second},
			control.Sighting{Name: "button1", At: 1250 * time.Millisecond})},
		{words: "(contact1 became active)"},
		{words: "button1: active for 250ms"},
		{words: "Open and close the door of door1", types: " "},
		{words: "skipped  inputs contact1"},
		{words: "Work the cover's switch: cover", do: see(control.Sighting{Name: "cover"}, control.Sighting{Name: "cover", Active: true, At: time.Second})},
	}, "inputs", "lamps", "relays")
	if code != exitFailed || !strings.Contains(said, "4 good, 1 failed, 1 skipped\n") || !strings.Contains(said, "1 of 6 steps failed") {
		t.Errorf("%d\n%s", code, said)
	}
	if want := "lamp open true, lamp open false, lamp ir1 true, lamp ir1 false, relay door1 false"; strings.Join(p.tried, ", ") != want {
		t.Errorf("tried %q, want %s", p.tried, want)
	}
}

// TestBoardCheckAsksBeforeARelay sees that no relay moves without a yes: a
// keyboard that is gone gives none.
func TestBoardCheckAsksBeforeARelay(t *testing.T) {
	for _, typed := range []string{"n", "no"} {
		p := wired()
		if code, said := checkWith(t, p, []turn{{words: "Go on?", types: typed}}, "relays"); code != exitDone || len(p.tried) > 0 {
			t.Errorf("%s: %d, tried %q\n%s", typed, code, p.tried, said)
		}
	}
	p := wired()
	code, out, _ := doorctl(t, "board", "check", "relays", "-run", panel(t, p))
	if code != exitDone || len(p.tried) > 0 || !strings.Contains(out, "skipped  relays door1: not driven") {
		t.Errorf("%d, tried %q\n%s", code, p.tried, out)
	}
}

func TestBoardCheckStuckInput(t *testing.T) {
	p := wired()
	p.wiring.Inputs = p.wiring.Inputs[1:2]
	p.seen <- control.Sighting{Name: "button1"} // before the step
	code, said := checkWith(t, p, []turn{{words: "Press and release", do: func() {
		p.seen <- control.Sighting{Name: "button1", Active: true}
	}}}, "inputs", "-wait", "50ms")
	if code != exitFailed || !strings.Contains(said, "it became active and stayed so for 50ms") {
		t.Errorf("%d\n%s", code, said)
	}
	code, said = checkWith(t, wired(), nil, "inputs", "-wait", "1ms")
	if code != exitFailed || !strings.Contains(said, "no change within 1ms") {
		t.Errorf("%d\n%s", code, said)
	}
}

// TestBoardCheckForgetsWhatWas sees that a press before its step counts for
// nothing.
func TestBoardCheckForgetsWhatWas(t *testing.T) {
	for range 50 {
		seen := make(chan control.Sighting, 2)
		seen <- control.Sighting{Name: "button1", Active: true}
		seen <- control.Sighting{Name: "button1"}
		w := &walk{out: io.Discard, seen: seen, wait: time.Minute, answer: &asker{in: strings.NewReader("\n"), out: io.Discard}}
		w.input(t.Context(), control.Wire{Name: "button1", Role: control.RoleButton})
		if got := w.steps[0].Result; got != stepSkipped {
			t.Fatalf("the step is %s", got)
		}
	}
}

func TestBoardCheckAlone(t *testing.T) {
	p := wired()
	p.wiring.Sound, p.wiring.Camera = true, true
	p.wiring.Watchdog = "/dev/no-watchdog"
	p.found = control.Finding{Microphone: -30, Speaker: -12, Picture: &control.Picture{
		Width: 640, Height: 480, Frames: 30, For: 2 * time.Second, KeyBytes: 9000, Brightness: 100, JPEG: []byte("jpeg"),
	}}
	var out bytes.Buffer
	one := &tool{out: &out, raw: &out, dir: panel(t, p), json: true, yes: true, picture: filepath.Join(t.TempDir(), "look.jpg"), times: times{edge: time.Minute, tone: 1, meter: 1}}
	failed := one.checkBoard(t.Context(), nil)
	var steps []step
	if err := json.Unmarshal(out.Bytes(), &steps); err != nil {
		t.Fatalf("%v: %s%v", err, out.String(), failed)
	}
	got := make(map[string]string)
	for _, s := range steps {
		got[strings.TrimSpace(s.Part+" "+s.Name)] = s.Result + ": " + s.Detail
	}
	for name, want := range map[string]string{
		"panel board":      "good: sim, doorstationd 1.2",
		"panel guard":      "FAILED: not there",
		"panel line":       "FAILED: refused",
		"panel config":     "FAILED: revision 41",
		"panel part":       "FAILED: camera failed",
		"panel build":      "FAILED: no picture",
		"panel watchdog":   "FAILED: /dev/no-watchdog is not on this machine",
		"inputs":           "skipped: nobody is waited for",
		"lamps open":       "good: driven",
		"relays door1":     "good: on for 1s",
		"sound speaker":    "good: driven",
		"sound microphone": "good: -30 dB at most",
		"camera":           "FAILED: camera failed",
	} {
		if !strings.HasPrefix(got[name], want) {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	if failed == nil || len(steps) != 14 {
		t.Errorf("%v, steps: %d\n%s", failed, len(steps), out.String())
	}
}

func TestJudgePicture(t *testing.T) {
	file := filepath.Join(t.TempDir(), "look.jpg")
	picture := func(brightness float64) control.Picture {
		return control.Picture{Width: 640, Height: 480, Frames: 30, For: 2 * time.Second, KeyBytes: 9000, Brightness: brightness, JPEG: []byte("jpeg")}
	}
	for _, c := range []struct {
		p      control.Picture
		result string
		says   string
	}{
		{picture(100), stepGood, "640x480, 15.0 pictures a second, key frame of 9000 bytes, brightness 100 of 255, kept in " + file},
		{picture(3), stepFailed, "too dark"},
		{picture(250), stepFailed, "too bright"},
		{control.Picture{Width: 640, Height: 480, Frames: 30, For: 2 * time.Second}, stepGood, "15.0 pictures"},
	} {
		w := &walk{out: io.Discard, yes: true, answer: &asker{yes: true}, picture: file}
		w.judgePicture(t.Context(), &c.p)
		if got := w.steps[0]; got.Result != c.result || !strings.Contains(got.Detail, c.says) {
			t.Errorf("%+v, want %s %q", got, c.result, c.says)
		}
	}
	if raw, err := os.ReadFile(file); err != nil || string(raw) != "jpeg" {
		t.Errorf("kept %q, %v", raw, err)
	}
}

func TestWatchdogState(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.MkdirAll(filepath.Join(dir, "watchdog0"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, "watchdog0", name), []byte(text+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ device, state, want string }{
		{"", "", "skipped: the board file names none"},
		{"/dev/watchdog0", "active", "good: Some timer is fed, and resets the board after 10 s"},
		{"/dev/watchdog0", "inactive", "FAILED: /dev/watchdog0 is inactive"},
		{"/dev/watchdog1", "active", "FAILED: /dev/watchdog1 is not on this machine"},
	} {
		write("state", c.state)
		write("identity", "Some timer")
		write("timeout", "10")
		w := &walk{out: io.Discard, watchdogs: dir, wiring: control.Wiring{Watchdog: c.device}}
		w.watchdog()
		if got := w.steps[0].Result + ": " + w.steps[0].Detail; !strings.HasPrefix(got, c.want) {
			t.Errorf("%s %s: %q, want %q", c.device, c.state, got, c.want)
		}
	}
}

func TestBoardCheckCommandLine(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"board check bells", `no part "bells" to check; there are panel, lamps, relays, inputs, sound, camera`},
		{"board check -json", "-json goes with -yes"},
		{"status -yes", "-yes belongs to board check"},
		{"status -wait 3s", "-wait belongs to board check"},
		{"board compile x -picture y", "-picture belongs to board check"},
	} {
		if code, _, says := doorctl(t, strings.Fields(tt.args)...); code != exitUsage || !strings.Contains(says, tt.says) {
			t.Errorf("doorctl %s: %d %q, want 2 and %q", tt.args, code, says, tt.says)
		}
	}
	p := wired()
	p.err = control.Refuse(control.Busy, "the panel is in a call")
	if code, _, says := doorctl(t, "board", "check", "-yes", "-run", panel(t, p)); code != exitFailed || !strings.Contains(says, "the panel is in a call") {
		t.Errorf("in a call: %d %q", code, says)
	}
}

func TestMeter(t *testing.T) {
	for db, want := range map[float64]string{
		0: " 0 dB |##############################|", -48: "-48 dB |###############               |", -96: "-96 dB |                              |",
	} {
		if got := meter(db); strings.TrimLeft(got, " ") != strings.TrimLeft(want, " ") {
			t.Errorf("%v is drawn %q, want %q", db, got, want)
		}
	}
}
