package emulator

import (
	"bytes"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// An Edge is a change of an output as the pin of the GPIO controller shows it.
type Edge struct {
	Line string
	High bool
	At   time.Time // when this process read it: 1 to 15 ms after the pin moved
}

func (e Edge) String() string {
	level := "low"
	if e.High {
		level = "high"
	}
	return e.Line + " " + level
}

// A Machine is an emulated board that runs. Its methods may be called from
// several goroutines.
type Machine struct {
	Started time.Time // when its power went on

	board   string
	model   *model
	dir     string
	cached  string // image of a disk that has a cache; empty: the disk has none
	cmd     *exec.Cmd
	stdin   io.WriteCloser
	stderr  buffer
	console *console
	qmp     *qmp
	qtest   *qtest
	ended   chan struct{}

	mu       sync.Mutex
	inputs   map[string]bool // levels that the world gives to inputs
	outputs  map[string]bool
	edges    []Edge
	events   []Event
	watchers []func(Edge)
	commands int
	news     chan struct{}
}

func newMachine(m *model, dir string, opt Options) *Machine {
	inputs := make(map[string]bool)
	for _, name := range m.idleHigh {
		inputs[name] = true
	}
	return &Machine{
		board: opt.Board, model: m, dir: dir, console: newConsole(opt.Console), ended: make(chan struct{}),
		inputs: inputs, outputs: make(map[string]bool), news: make(chan struct{}),
	}
}

// Board is the board's name.
func (m *Machine) Board() string { return m.board }

// idle puts the levels of the world on all inputs.
func (m *Machine) idle() error {
	m.mu.Lock()
	inputs := maps.Clone(m.inputs)
	m.mu.Unlock()
	for name, high := range inputs {
		if err := m.qtest.drive(m.model.lines[name], high); err != nil {
			return err
		}
	}
	return nil
}

// Press pulls a button's line low, and Release lets it go.
func (m *Machine) Press(line string) error { return m.Set(line, false) }

// Release lets a button go: its line is pulled high.
func (m *Machine) Release(line string) error { return m.Set(line, true) }

// Set puts a level on an input line, from outside the guest.
func (m *Machine) Set(line string, high bool) error {
	n, ok := m.model.lines[line]
	if !ok {
		return fmt.Errorf("emulator: this board has no line %q", line)
	}
	m.mu.Lock()
	m.inputs[line] = high
	m.mu.Unlock()
	return m.qtest.drive(n, high)
}

// Level is the level of a line: as last driven by us, or as last seen of the
// guest. Outputs are low when power goes on.
func (m *Machine) Level(line string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if high, driven := m.outputs[line]; driven {
		return high
	}
	return m.inputs[line]
}

// Watch calls f for each edge from now on, one after the other; f must not wait.
func (m *Machine) Watch(f func(Edge)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.watchers = append(m.watchers, f)
}

// Edges are the changes of all outputs since power went on, in their order.
func (m *Machine) Edges() []Edge {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Edge(nil), m.edges...)
}

// Edge waits for the edge with this index among those that match.
func (m *Machine) Edge(ctx context.Context, line string, high bool, index int) (Edge, error) {
	for {
		m.mu.Lock()
		news, seen := m.news, 0
		for _, e := range m.edges {
			if e.Line == line && e.High == high {
				if seen == index {
					m.mu.Unlock()
					return e, nil
				}
				seen++
			}
		}
		m.mu.Unlock()
		if err := m.wait(ctx, news); err != nil {
			return Edge{}, fmt.Errorf("emulator: waiting for edge %d of %s: %w; seen: %v", index, Edge{Line: line, High: high}, err, m.Edges())
		}
	}
}

// Events are what QMP has reported so far.
func (m *Machine) Events() []Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	return append([]Event(nil), m.events...)
}

// Event waits for the event with this index among those of the name.
func (m *Machine) Event(ctx context.Context, name string, index int) (Event, error) {
	for {
		m.mu.Lock()
		news, seen := m.news, 0
		for _, e := range m.events {
			if e.Name == name {
				if seen == index {
					m.mu.Unlock()
					return e, nil
				}
				seen++
			}
		}
		m.mu.Unlock()
		if err := m.wait(ctx, news); err != nil {
			return Event{}, fmt.Errorf("emulator: waiting for event %d of %s: %w; seen: %v", index, name, err, m.Events())
		}
	}
}

func (m *Machine) wait(ctx context.Context, news <-chan struct{}) error {
	select {
	case <-news:
		return nil
	case <-m.ended:
		return errGone
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// moved is told every change of an output.
func (m *Machine) moved(line int, high bool, at time.Time) {
	name := ""
	for n, number := range m.model.lines {
		if number == line {
			name = n
		}
	}
	if name == "" {
		name = "line " + strconv.Itoa(line)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e := Edge{Line: name, High: high, At: at}
	m.outputs[name] = high
	m.edges = append(m.edges, e)
	for _, f := range m.watchers {
		f(e)
	}
	m.wake()
}

// happened is told every event of the machine.
func (m *Machine) happened(e Event) {
	m.mu.Lock()
	m.events = append(m.events, e)
	m.wake()
	m.mu.Unlock()
	if e.Name == "RESET" && m.qtest != nil {
		go func() { _ = m.idle() }() // the controller has forgotten its inputs
	}
}

// wake tells those who wait; the lock is held.
func (m *Machine) wake() {
	close(m.news)
	m.news = make(chan struct{})
}

// Console is what the guest has written so far.
func (m *Machine) Console() string { return m.console.String() }

// Mark waits for the mark of this index among those that begin with prefix.
func (m *Machine) Mark(ctx context.Context, prefix string, index int) (Mark, error) {
	return m.console.mark(ctx, prefix, index)
}

// Run runs a script of up to 2 kB in the guest's shell, once its init is ready,
// and returns what it printed and its exit status.
func (m *Machine) Run(ctx context.Context, script string) (string, int, error) {
	if _, err := m.Mark(ctx, "ready", 0); err != nil {
		return "", 0, err
	}
	m.mu.Lock()
	m.commands++
	n := m.commands
	m.mu.Unlock()
	// One line of a terminal holds 4095 characters, and none of control. The
	// answer's lines bear a tag, since other programs write between them.
	text := base64.StdEncoding.EncodeToString([]byte(script))
	command := fmt.Sprintf(`( eval "$(echo %s | base64 -d)" ) >/tmp/run 2>&1; echo "<end>" $? >>/tmp/run; sed "s/^/<%d>/" /tmp/run`, text, n)
	if len(command) > 4000 {
		return "", 0, fmt.Errorf("emulator: a script of %d bytes is too long for the console", len(script))
	}
	if err := m.Tell(command); err != nil {
		return "", 0, err
	}
	out, status, err := m.console.answer(ctx, fmt.Sprintf("<%d>", n))
	if err != nil {
		return "", 0, err
	}
	code, err := strconv.Atoi(status)
	if err != nil {
		return "", 0, fmt.Errorf("emulator: the guest's shell answers %q", status)
	}
	return out, code, nil
}

// Tell gives one line to the guest's shell and waits for nothing: nothing but
// the line's own way is added to what is measured.
func (m *Machine) Tell(line string) error {
	if _, err := io.WriteString(m.stdin, line+"\n"); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return nil
}

// Cut cuts the power: the guest has no chance to write anything. It returns
// when the machine is gone; a second Cut does nothing.
func (m *Machine) Cut() {
	if m.cmd == nil || m.cmd.Process == nil {
		return
	}
	select {
	case <-m.ended:
		return
	default:
	}
	_ = syscall.Kill(-m.cmd.Process.Pid, syscall.SIGKILL)
	<-m.ended
}

// Close cuts the power and removes what the machine needed, but for the data
// disk.
func (m *Machine) Close() {
	m.Cut()
	if m.qmp != nil {
		m.qmp.conn.Close()
	}
	if m.qtest != nil {
		m.qtest.conn.Close()
	}
	os.RemoveAll(m.dir)
}

// A buffer keeps what QEMU itself says.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}
