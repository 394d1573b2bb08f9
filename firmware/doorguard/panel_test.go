package main

import (
	"bufio"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"doorstation/board/compile"
	"doorstation/drivers/sim"

	"golang.org/x/sys/unix"
)

// ever is how long the tests wait for what has to happen at all.
const ever = 5 * time.Second

// panel is a line process, and what a test starts around it.
type panel struct {
	tb      testing.TB
	dir     string
	changes chan sim.Change // of all lines, in order, after the levels at the start
	levels  map[string]bool // active lines at the start of the watch
	world   *sim.World
	fence   bool
}

// boardFile is a board of simulated lines: one relay active high, one low, an
// exit button, and a switch below the cover.
const boardFile = `name: test
model: test
identity: {serial: T-1, mac: 02:00:00:00:00:01}
inputs:
  - {name: exit, driver: sim, line: EXIT, active: low, debounce: 5ms, opens: door1, opens_for: 300ms}
  - {name: cover, driver: sim, line: COVER, active: high, tamper: true}
relays:
  - {name: door1, driver: sim, line: DOOR1, active: high, max_pulse: 10s}
  - {name: door2, driver: sim, line: DOOR2, active: low, max_pulse: 10s}
tamper_block: 30m
`

// newPanel starts a line process for the board, with the longest pulse changed
// to maxPulse, and watches it. active are lines that are found active.
func newPanel(tb testing.TB, maxPulse string, active ...string) *panel {
	tb.Helper()
	touchSources(tb)
	dir, err := os.MkdirTemp("", "panel") // short: socket paths have 107 bytes
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { os.RemoveAll(dir) })
	p := &panel{tb: tb, dir: dir, changes: make(chan sim.Change, 4096)}
	p.writeBoard(maxPulse)
	p.helper("ready", "lines", active...)
	p.watch()
	return p
}

// touchSources looks at what the program is made of. go test does not know that
// this test builds it, and would keep the result of another one.
func touchSources(tb testing.TB) {
	tb.Helper()
	for _, pkg := range ours {
		files, err := filepath.Glob(filepath.Join("../..", strings.TrimPrefix(pkg, "doorstation/"), "*.go"))
		if err != nil || len(files) == 0 {
			tb.Fatalf("%s has no sources: %v", pkg, err)
		}
		for _, file := range files {
			if _, err := os.Stat(file); err != nil {
				tb.Fatal(err)
			}
		}
	}
}

func (p *panel) writeBoard(maxPulse string) {
	p.tb.Helper()
	out, err := compile.Compile("test.yaml", []byte(strings.ReplaceAll(boardFile, "max_pulse: 10s", "max_pulse: "+maxPulse)))
	if err != nil {
		p.tb.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(p.dir, "board.json"), out, 0o600); err != nil {
		p.tb.Fatal(err)
	}
}

// watch begins to collect the changes of the lines.
func (p *panel) watch() {
	p.tb.Helper()
	w, err := sim.Visit(filepath.Join(p.dir, "sim.sock"))
	if err != nil {
		p.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var watching sync.WaitGroup
	watching.Go(func() { _ = w.Watch(ctx, func(c sim.Change) { p.changes <- c }) })
	p.tb.Cleanup(func() { stop(); watching.Wait(); w.Close() })
	p.levels = map[string]bool{}
	p.world = w
	for range 5 { // the fence, and the board's
		c := p.next()
		p.levels[c.Line] = c.Active
	}
}

// next waits for a change.
func (p *panel) next() sim.Change {
	p.tb.Helper()
	select {
	case c := <-p.changes:
		return c
	case <-time.After(ever):
		p.tb.Fatalf("no line has moved for %v", ever)
		return sim.Change{}
	}
}

// expect waits for the next change, which must be this one.
func (p *panel) expect(line string, active bool) sim.Change {
	p.tb.Helper()
	c := p.next()
	if c.Line != line || c.Active != active {
		p.tb.Fatalf("%s moved to active %v, want %s to %v", c.Line, c.Active, line, active)
	}
	return c
}

// still says that no line has moved since the last look.
func (p *panel) still() {
	p.tb.Helper()
	p.fence = !p.fence
	if err := p.world.Press(fence, p.fence); err != nil {
		p.tb.Fatal(err)
	}
	for c := p.next(); c.Line != fence; c = p.next() {
		p.tb.Errorf("%s moved to active %v", c.Line, c.Active)
	}
}

// process is one that a test has started.
type process struct {
	*exec.Cmd
	stdin io.Writer
	lines chan string
	began time.Duration
}

// guard starts a doorguard, which keeps its state beside its sockets, and waits
// until it serves.
func (p *panel) guard() *process {
	p.tb.Helper()
	g := p.spawn(exec.Command(program, "-board", filepath.Join(p.dir, "board.json"), "-run", p.dir, "-state", p.dir))
	g.await(p.tb, "doorguard: serves")
	return g
}

// helper starts this test binary in a role, and waits for a line from it.
func (p *panel) helper(await, role string, rest ...string) *process {
	p.tb.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+strings.Join(append([]string{role, p.dir}, rest...), " "))
	h := p.spawn(cmd)
	h.await(p.tb, await)
	return h
}

// spawn starts a process that ends with the test at the latest.
func (p *panel) spawn(cmd *exec.Cmd) *process {
	p.tb.Helper()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		p.tb.Fatal(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		p.tb.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	proc := &process{Cmd: cmd, stdin: stdin, lines: make(chan string, 4096), began: monotonic()}
	err = cmd.Start()
	w.Close()
	if err != nil {
		p.tb.Fatal(err)
	}
	go func() {
		defer close(proc.lines)
		for s := bufio.NewScanner(r); s.Scan(); {
			proc.lines <- s.Text()
		}
		r.Close()
	}()
	p.tb.Cleanup(func() {
		_ = cmd.Process.Kill() // a stopped process, too
		_ = cmd.Wait()
		if p.tb.Failed() {
			for line := range proc.lines {
				p.tb.Logf("pid %d said: %s", cmd.Process.Pid, line)
			}
		}
	})
	return proc
}

// await waits for a line that begins so, and returns it.
func (p *process) await(tb testing.TB, begin string) string {
	tb.Helper()
	late := time.After(ever)
	var seen []string
	for {
		select {
		case line, ok := <-p.lines:
			if !ok {
				tb.Fatalf("ended without %q; said %q", begin, seen)
			}
			if strings.HasPrefix(line, begin) {
				return line
			}
			seen = append(seen, line)
		case <-late:
			tb.Fatalf("no %q for %v; said %q", begin, ever, seen)
		}
	}
}

// signal sends s, and says when.
func (p *process) signal(tb testing.TB, s syscall.Signal) time.Duration {
	tb.Helper()
	at := monotonic()
	if err := p.Process.Signal(s); err != nil {
		tb.Fatal(err)
	}
	return at
}

// monotonic is the clock of sim.Change.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return time.Duration(ts.Nano())
}
