package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

type fakePanel struct {
	calls []timeline.Record
	err   error
}

func (p *fakePanel) Status() control.Status {
	return control.Status{
		Name: "Main entrance", Version: "1.2", Uptime: 3 * time.Hour,
		Registration: control.Registration{State: control.RegistrationRefused, Server: "192.0.2.1", Reason: "403 \x1b[2JForbidden"},
		Config:       control.Config{Revision: "41", Trial: true, Error: "revision 42: doors[0].pulse", Warnings: []string{"plain HTTP"}},
		Doors:        []control.Door{{Name: "front", Open: true}, {Name: "back"}},
		Buttons:      []control.Button{{Name: "button1", Flat: "Berger"}, {Name: "button2", Held: true}},
		Exits:        []control.Exit{{Name: "exit1", Door: "front"}}, Cover: &control.Cover{Open: true, Blocked: time.Minute},
		Outputs: []control.Output{{Name: "sounder", Role: "sounder", Error: "no such line"}},
		Parts:   []control.Part{{Name: "camera", State: control.PartFailed, Error: "lost", Restarts: 3}},
		Missing: []string{"no picture: built without cgo"},
		Phones:  []control.Phone{{Target: "sip:201@pbx", Takes: control.PreviewStill, Since: time.Date(2026, 11, 22, 18, 2, 0, 0, time.Local)}},
	}
}
func (p *fakePanel) Calls() []timeline.Record              { return p.calls }
func (p *fakePanel) Press(string) error                    { return p.err }
func (p *fakePanel) Open(string, string) error             { return p.err }
func (p *fakePanel) Watch(context.Context) <-chan struct{} { return nil }

// panel runs p and gives its run folder.
func panel(t *testing.T, p control.Panel) string {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, control.SocketName)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- control.Serve(ctx, path, p, slog.New(slog.DiscardHandler)) }()
	t.Cleanup(func() {
		cancel()
		<-ended
	})
	for {
		if c, err := control.Dial(path); err == nil {
			c.Close()
			return dir
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatal(err)
		default:
		}
	}
}

func doorctl(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, problem bytes.Buffer
	code = run(t.Context(), args, strings.NewReader(""), &out, &problem)
	return code, out.String(), problem.String()
}

func record(id string, names ...timeline.Name) timeline.Record {
	b := timeline.New(id, time.Date(2026, 11, 22, 18, 0, 0, 0, time.UTC), 0)
	b.Of("button1", "Berger")
	for i, name := range names {
		b.Add(time.Duration(i)*time.Millisecond, name, 0, "")
	}
	return b.Finish(time.Second, "talked", "")
}

func TestWrongCommandLines(t *testing.T) {
	for _, tt := range []struct{ args, says string }{
		{"", "say what to do"},
		{"opne front", `no command "opne"`},
		{"press", "the name of a button"},
		{"open", "the name of a door"},
		{"open front back", "the name of a door"},
		{"status now", "no words"},
		{"timeline a b", "at most the ID"},
		{"config", `no command "config"`},
		{"config chek x", `no command "config chek"`},
		{"config check", "the name of a file"},
		{"board compile", "the name of a file"},
		{"-frobnicate status", "frobnicate"},
		{"status -run", "run"},
		{"status -board x.yaml", "-board belongs to config check and board detect"},
	} {
		code, out, says := doorctl(t, strings.Fields(tt.args)...)
		if code != exitUsage || out != "" || !strings.Contains(says, tt.says) || !strings.Contains(says, "doorctl help") {
			t.Errorf("doorctl %s: %d, %q, %q; want 2 and %q", tt.args, code, out, says, tt.says)
		}
	}
	for _, args := range []string{"help", "-h", "status -help"} {
		if code, out, _ := doorctl(t, strings.Fields(args)...); code != exitDone || out != usage {
			t.Errorf("doorctl %s: %d", args, code)
		}
	}
}

func TestWithoutAPanel(t *testing.T) {
	dir := t.TempDir()
	for _, args := range [][]string{{"status"}, {"press", "button1"}, {"open", "front"}, {"calls"}, {"timeline"}} {
		code, _, says := doorctl(t, append(args, "-run", dir)...)
		if code != exitFailed || !strings.Contains(says, "start doorstationd") || !strings.Contains(says, "-run") {
			t.Errorf("%v: %d %q, want 1 and what to do", args, code, says)
		}
	}
}

func TestWordsOfTheStatus(t *testing.T) {
	since := time.Date(2026, 11, 22, 18, 2, 0, 0, time.Local)
	for want, got := range map[string]string{
		"closed":              door(control.Door{}),
		"released":            door(control.Door{Open: true}),
		"released and closed": door(control.Door{Open: true, Contact: control.ContactClosed}),
		"released and open, since Sun 22 Nov 18:02:00":                    door(control.Door{Open: true, Contact: control.ContactOpen, Since: since}),
		"open for too long, since Sun 22 Nov 18:02:00":                    door(control.Door{Contact: control.ContactHeld, Since: since}),
		"open, and was forced":                                            door(control.Door{Contact: control.ContactForced}),
		"closed or not: its contact cannot be read":                       door(control.Door{Contact: control.ContactLost}),
		"open since Sun 22 Nov 18:02:00; no door opens for another 27m0s": cover(control.Cover{Open: true, Since: since, Blocked: 27 * time.Minute}),
		" closed": " " + cover(control.Cover{}),
	} {
		if strings.TrimSpace(got) != strings.TrimSpace(want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	dir := panel(t, &fakePanel{})
	code, out, says := doorctl(t, "-run", dir, "status")
	if code != exitDone {
		t.Fatalf("%d %s", code, says)
	}
	for _, want := range []string{
		"panel     Main entrance, doorstationd 1.2, up 3h0m0s",
		"line      refused with 192.0.2.1: 403 ·[2JForbidden",
		"config    revision 41, on trial until the panel has registered with it: revision 42: doors[0].pulse",
		"guard     not there, no door can open; start doorguard",
		"call      none", "door      front is released", "door      back is closed",
		"button    button1 rings Berger", "button    button2 rings nobody, held down now",
		"exit      exit1 opens front", "cover     open; no door opens for another 1m0s", "output    sounder (sounder) is off: no such line",
		"phone     sip:201@pbx: still picture since Sun 22 Nov 18:02:00",
		"part      camera failed, restarts: 3: lost", "warning   plain HTTP", "missing   no picture: built without cgo",
	} {
		if !strings.Contains(out, want+"\n") {
			t.Errorf("no line %q in\n%s", want, out)
		}
	}
	_, out, _ = doorctl(t, "status", "-json", "-run", dir)
	var s control.Status
	if err := json.Unmarshal([]byte(out), &s); err != nil || s.Registration.Reason != "403 \x1b[2JForbidden" {
		t.Errorf("as JSON: %v, %s", err, out)
	}
}

func TestPressAndOpen(t *testing.T) {
	p := &fakePanel{}
	dir := panel(t, p)
	for _, tt := range []struct{ args, says string }{
		{"press button1", "pressed button1\n"},
		{"open front", "opened front\n"},
		{"open front -json", "{\n  \"opened\": \"front\"\n}\n"},
	} {
		if code, out, says := doorctl(t, append(strings.Fields(tt.args), "-run", dir)...); code != exitDone || out != tt.says {
			t.Errorf("%s: %d %q %q, want %q", tt.args, code, out, says, tt.says)
		}
	}
	p.err = control.Refuse(control.NotFound, "there is no such name; doorctl status lists them")
	for args, want := range map[string]string{"press x": "x was not pressed: there is", "open x": "x was not opened: there is"} {
		if code, out, says := doorctl(t, append(strings.Fields(args), "-run", dir)...); code != exitFailed || out != "" || !strings.Contains(says, want) {
			t.Errorf("%s: %d %q %q, want 1 and %q", args, code, out, says, want)
		}
	}
}

func TestCallsAndTimeline(t *testing.T) {
	p := &fakePanel{}
	dir := panel(t, p)
	if code, _, says := doorctl(t, "-run", dir, "timeline"); code != exitFailed || !strings.Contains(says, "no call yet") {
		t.Errorf("no call: %d %q", code, says)
	}
	if _, out, _ := doorctl(t, "-run", dir, "calls"); out != "no call yet\n" {
		t.Errorf("no call: %q", out)
	}
	if _, out, _ := doorctl(t, "-run", dir, "calls", "-json"); out != "[]\n" {
		t.Errorf("no call as JSON: %q", out)
	}
	p.calls = []timeline.Record{record("7f31", timeline.Press, timeline.RelayOn), record("7f22", timeline.Press), record("7f2")}
	_, out, _ := doorctl(t, "-run", dir, "calls")
	if lines := strings.Split(out, "\n"); len(lines) != 4 || !strings.HasPrefix(lines[0], "7f31 ") || !strings.Contains(lines[0], "Berger") || !strings.Contains(lines[0], "the door opened") {
		t.Errorf("calls:\n%s", out)
	}
	for word, want := range map[string]string{"": "call 7f31 ", "7f22": "call 7f22 ", "7f3": "call 7f31 ", "7f2": "call 7f2 "} {
		args := append([]string{"-run", dir, "timeline"}, strings.Fields(word)...)
		if code, out, says := doorctl(t, args...); code != exitDone || !strings.HasPrefix(out, want) {
			t.Errorf("timeline %s: %d %q %.30s", word, code, says, out)
		}
	}
	for word, want := range map[string]string{"9": "not among the last 3", "7f": "3 calls begin with"} {
		if code, _, says := doorctl(t, "-run", dir, "timeline", word); code != exitFailed || !strings.Contains(says, want) {
			t.Errorf("timeline %s: %d %q, want 1 and %q", word, code, says, want)
		}
	}
	_, out, _ = doorctl(t, "-run", dir, "timeline", "-json", "7f31")
	var rec timeline.Record
	if err := json.Unmarshal([]byte(out), &rec); err != nil || rec.ID != "7f31" {
		t.Errorf("as JSON: %v %s", err, out)
	}
}

const goodConfig = `
revision: "41"
panel: {name: Main entrance}
account: {user: panel, password: secret-word, domain: sip.example}
flats:
  - {name: Berger, button: button1, stages: [{targets: ["sip:berger@sip.example"], for: 20s}]}
doors:
  - {name: front, relay: door1, pulse: 3s, codes: [{name: resident, digits: "48*16*"}]}
`

func TestConfigCheck(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	const sim = "../../board/sim.yaml"
	good := write("good.yaml", goodConfig)
	long := write("long.yaml", strings.Replace(goodConfig, "pulse: 3s", "pulse: 45s", 1))
	bad := write("bad.yaml", strings.Replace(strings.Replace(goodConfig, "panel: {name", "panel: {nmae", 1), `"48*16*"`, `"48x16*"`, 1))
	compiled := write("sim.json", "")
	if code, out, says := doorctl(t, "board", "compile", sim); code != exitDone {
		t.Fatalf("board compile: %d %s", code, says)
	} else if err := os.WriteFile(compiled, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}
	// On this board the button opens the door by itself, and rings nobody.
	raw, err := os.ReadFile(compiled)
	if err != nil {
		t.Fatal(err)
	}
	exit := write("exit.json", strings.NewReplacer(`"name": "button1",`, `"name": "button1", "opens": "door1", "opens_for": "3s",`, `"long_press": "3s",`, ``).Replace(string(raw)))
	for _, tt := range []struct {
		name string
		args []string
		code int
		says []string
	}{
		{"good", []string{good, "-board", sim}, exitDone, []string{"good: revision 41, flats: 1, doors: 1, codes: 1"}},
		{"good by the compiled board", []string{good, "-board", compiled}, exitDone, []string{"good"}},
		{"good without a board", []string{good}, exitDone, []string{"checked without a board", "-board"}},
		{"a pulse that this board forbids", []string{long, "-board", sim}, exitFailed, []string{long, "doors[0].pulse", "45s", "10s", "a panel would refuse"}},
		{"an exit button as a flat's", []string{good, "-board", exit}, exitFailed, []string{"flats[0].button", "button1"}},
		{"two faults", []string{bad}, exitFailed, []string{"nmae", "doors[0].codes[0].digits"}},
		{"no file", []string{filepath.Join(dir, "none.yaml")}, exitFailed, []string{"cannot be read"}},
		{"no board file", []string{good, "-board", filepath.Join(dir, "none.yaml")}, exitFailed, []string{"board file cannot be read"}},
		{"a board that is none", []string{good, "-board", good}, exitFailed, []string{good}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			code, out, says := doorctl(t, append([]string{"config", "check"}, tt.args...)...)
			for _, want := range tt.says {
				if !strings.Contains(out+says, want) {
					t.Errorf("%q is not said in\n%s%s", want, out, says)
				}
			}
			if code != tt.code || strings.Contains(out+says, "secret-word") || strings.Contains(out+says, "16*") {
				t.Errorf("exit status %d, want %d, and no secret in\n%s%s", code, tt.code, out, says)
			}
		})
	}
	code, out, _ := doorctl(t, "config", "check", "-json", "-board", sim, long)
	var result checked
	if err := json.Unmarshal([]byte(out), &result); err != nil || code != exitFailed || result.Good || result.Board != "sim" || len(result.Faults) != 1 || result.Faults[0].Field != "doors[0].pulse" {
		t.Errorf("as JSON: %d %v %s", code, err, out)
	}
}

type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestAFailedWriteIsNoSuccess(t *testing.T) {
	dir := panel(t, &fakePanel{calls: []timeline.Record{record("a")}})
	for _, args := range []string{"status", "calls", "timeline", "open front", "status -json", "open front -json"} {
		var says bytes.Buffer
		if code := run(t.Context(), append(strings.Fields(args), "-run", dir), nil, fullDisk{}, &says); code != exitFailed || says.Len() == 0 {
			t.Errorf("%s: %d %q, want 1", args, code, says.String())
		}
	}
}
