package e2e

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"doorstation/board/compile"
	"doorstation/callflow/timeline"
	"doorstation/drivers/sim"
	"doorstation/firmware/control"
)

// Lines of the simulated board, board/sim.yaml.
const (
	button1 = "BUTTON1"
	button2 = "BUTTON2"
	door1   = "DOOR1"
)

// A panel is the firmware under test: line process, guard and daemon, built
// from this source, on a host of their own.
type panel struct {
	t      testing.TB
	host   *host
	run    string // folder of the sockets
	board  string
	source []string // the daemon's flags that say where its configuration is

	lines, guard, daemon *process
	world                *sim.World
	wire                 *capture
	client               *control.Client

	mu    sync.Mutex
	edges []sim.Change
	heard []int16 // by the visitor, from the speaker
}

// startPanel runs a panel with the configuration and waits until it is
// registered.
func startPanel(h *host, c config) *panel {
	h.t.Helper()
	p := newPanel(h)
	p.source = []string{"-config", p.config(c)}
	p.startDaemon()
	p.registered()
	return p
}

// newPanel runs line process and guard, and what watches them.
func newPanel(h *host) *panel {
	h.t.Helper()
	p := &panel{t: h.t, host: h}
	dir, err := os.MkdirTemp("", "panel") // a socket's path has 108 bytes at most
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { os.RemoveAll(dir) })
	p.run = dir
	p.board = p.compileBoard()
	p.wire = h.capture()
	p.startLines()
	p.startGuard()
	return p
}

// program is the path of one of our programs; the test fails with the
// compiler's words when it does not build.
func program(t testing.TB, name string) string {
	t.Helper()
	path := filepath.Join(os.Getenv(programsEnv), name)
	if words, err := os.ReadFile(path + ".error"); err == nil {
		t.Fatalf("%s does not build:\n%s", name, words)
	}
	return path
}

func (p *panel) compileBoard() string {
	p.t.Helper()
	const source = "../../board/sim.yaml"
	raw, err := os.ReadFile(source)
	if err != nil {
		p.t.Fatal(err)
	}
	compiled, err := compile.Compile(source, raw)
	if err != nil {
		p.t.Fatal(err)
	}
	return write(p.t, p.run, "board.json", string(compiled))
}

func (p *panel) startLines() {
	p.t.Helper()
	p.lines = p.host.start(p.host.name+"-lines", program(p.t, "sim"), "lines", "-board", p.board, "-run", p.run, "-noise", "0")
	p.lines.until("the line process listens", func() (err error) {
		p.world, err = sim.Visit(filepath.Join(p.run, "sim.sock"))
		return err
	})
	ctx, cancel := context.WithCancel(context.Background())
	var watchers sync.WaitGroup
	watchers.Go(func() { _ = p.world.Watch(ctx, p.sawEdge) })
	watchers.Go(func() { _ = p.world.Listen(ctx, p.hear) })
	p.t.Cleanup(func() { cancel(); watchers.Wait(); p.world.Close() })
}

func (p *panel) sawEdge(c sim.Change) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.edges = append(p.edges, c)
}

func (p *panel) hear(frame []int16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.heard = append(p.heard, frame...)
}

func (p *panel) startGuard() {
	p.t.Helper()
	p.guard = p.host.start(p.host.name+"-guard", program(p.t, "doorguard"), "-board", p.board, "-run", p.run)
	p.guard.until("the guard listens", func() error {
		_, err := os.Stat(filepath.Join(p.run, "guard.sock"))
		return err
	})
}

// startDaemon runs doorstationd and waits until it answers.
func (p *panel) startDaemon() {
	p.t.Helper()
	p.daemon = p.launch("")
	p.daemon.until("the panel answers", func() (err error) {
		if p.client, err = control.Dial(filepath.Join(p.run, control.SocketName)); err != nil {
			return err
		}
		_, err = p.client.Status(context.Background())
		return err
	})
}

// launch runs doorstationd and waits for nothing. A suffix tells its log from
// that of another.
func (p *panel) launch(suffix string) *process {
	p.t.Helper()
	data := filepath.Join(p.run, "data")
	if err := os.MkdirAll(data, 0o700); err != nil {
		p.t.Fatal(err)
	}
	return p.host.start(p.host.name+"-daemon"+suffix, program(p.t, "doorstationd"),
		append([]string{"-verbose", "-board", p.board, "-run", p.run, "-data", data}, p.source...)...)
}

// config writes the configuration file.
func (p *panel) config(c config) string {
	p.t.Helper()
	return write(p.t, p.run, "panel.yaml", c.yaml(p.host))
}

// status is the panel's state, as doorctl sees it.
func (p *panel) status() control.Status {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	s, err := p.client.Status(ctx)
	if err != nil {
		p.t.Fatalf("status: %v\n%s", err, p.daemon.tail())
	}
	return s
}

// becomes waits for a state of the panel.
func (p *panel) becomes(what string, is func(control.Status) bool) control.Status {
	p.t.Helper()
	var s control.Status
	p.daemon.until("the panel is "+what, func() error {
		if s = p.status(); is(s) {
			return nil
		}
		return fmt.Errorf("its status is %+v\n%s", s, p.daemon.tail())
	})
	return s
}

func (p *panel) registered() {
	p.t.Helper()
	p.becomes("registered", func(s control.Status) bool {
		return s.Registration.State == control.RegistrationOK && s.Guard.Connected
	})
}

func (p *panel) calls(state string) {
	p.t.Helper()
	p.becomes(state, func(s control.Status) bool { return s.Call.State == state })
}

// press presses the button of the first flat.
func (p *panel) press() { p.t.Helper(); p.finger(button1) }

// finger is down on a button for longer than its debounce, then up.
func (p *panel) finger(button string) {
	p.t.Helper()
	for _, active := range []bool{true, false} {
		if err := p.world.Press(button, active); err != nil {
			p.t.Fatal(err)
		}
		pause(p.t, 40*time.Millisecond)
	}
}

// says speaks a tone into the microphone until the returned function is called.
func (p *panel) says(hz float64) (stop func()) {
	tone := sine(hz, 1)
	ctx, cancel := context.WithCancel(context.Background())
	var speaker sync.WaitGroup
	speaker.Go(func() {
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for n := 0; ; n = (n + 160) % rate {
			select {
			case <-ctx.Done():
				return
			case <-pace.C:
				_ = p.world.Say(tone[n : n+160])
			}
		}
	})
	stop = func() { cancel(); speaker.Wait() }
	p.t.Cleanup(stop)
	return stop
}

// soundSoFar is everything the visitor has heard, and forgets it.
func (p *panel) soundSoFar() []int16 {
	p.mu.Lock()
	defer p.mu.Unlock()
	sound := p.heard
	p.heard = nil
	return sound
}

// hears waits until the visitor has heard hz for a while.
func (p *panel) hears(hz float64) {
	p.t.Helper()
	p.daemon.until(fmt.Sprintf("the visitor hears %.0f Hz", hz), func() error {
		p.mu.Lock()
		defer p.mu.Unlock()
		if got := toneSeconds(p.heard, hz); got < 0.5 {
			return fmt.Errorf("%.1f s of it in %s", got, describe(p.heard))
		}
		return nil
	})
}

// moves are the changes of a line since the panel began: active and not active
// in turn, without its first level.
func (p *panel) moves(line string) []sim.Change {
	p.mu.Lock()
	defer p.mu.Unlock()
	var moves []sim.Change
	active := false
	for _, c := range p.edges {
		if c.Line == line && c.Active != active {
			active = c.Active
			moves = append(moves, c)
		}
	}
	return moves
}

// opened waits until the door's line has been drawn and released n times.
func (p *panel) opened(n int) {
	p.t.Helper()
	p.guard.until(fmt.Sprintf("%s was drawn and released %d times", door1, n), func() error {
		if got := len(p.moves(door1)); got != 2*n {
			return fmt.Errorf("it moved %d times\n%s", got, p.daemon.tail())
		}
		return nil
	})
}

// shut fails when the door's line has ever moved.
func (p *panel) shut() {
	p.t.Helper()
	if moves := p.moves(door1); len(moves) != 0 {
		p.t.Errorf("%s moved: %v; nothing in this test may open a door", door1, moves)
	}
}

// ended waits for the end of the call and returns its record.
func (p *panel) ended() timeline.Record {
	p.t.Helper()
	var last timeline.Record
	p.daemon.until("the call is over and recorded", func() error {
		if state := p.status().Call.State; state != control.CallIdle {
			return errors.New("it is still " + state)
		}
		records, err := p.client.Calls(context.Background())
		if err != nil {
			return err
		}
		if len(records) == 0 || records[0].Running() {
			return errors.New("its record is not closed")
		}
		last = records[0]
		return nil
	})
	return last
}

// marks are the marks of a name in a record.
func marks(r timeline.Record, name timeline.Name) []timeline.Mark {
	return slices.DeleteFunc(slices.Clone(r.Marks), func(m timeline.Mark) bool { return m.Name != name })
}

// wantRecord fails unless the record has this result, and each name this often
// or, with -1, at least once.
func wantRecord(t testing.TB, r timeline.Record, result string, counts map[timeline.Name]int) {
	t.Helper()
	if r.Result != result {
		t.Errorf("the call's result is %q (%s), want %q\n%s", r.Result, r.Reason, result, drawn(r))
	}
	for name, want := range counts {
		got := len(marks(r, name))
		if got != want && (want >= 0 || got == 0) {
			t.Errorf("%d marks %q, want %d (-1: any)\n%s", got, name, want, drawn(r))
		}
	}
}

func drawn(r timeline.Record) string {
	var b strings.Builder
	_ = timeline.Format(&b, r)
	return b.String()
}

// doorctl runs the tool on the panel's host.
func (p *panel) doorctl(args ...string) (string, int) {
	p.t.Helper()
	name := fmt.Sprintf("doorctl-%s-%d", args[0], time.Now().UnixNano())
	c := p.host.start(name, program(p.t, "doorctl"), append([]string{"-run", p.run}, args...)...)
	code := c.wait(patience)
	return c.output(), code
}

// stopDaemon ends the daemon in an orderly way.
func (p *panel) stopDaemon() {
	p.t.Helper()
	p.daemon.signal(syscall.SIGTERM)
	p.daemon.wait(patience)
}
