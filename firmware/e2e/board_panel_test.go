//go:build board

package e2e

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/board/compile"
	"doorstation/board/emulator"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// boardPatience is what a step on an emulated board may take on a busy machine.
const boardPatience = 60 * time.Second

// A boardPanel is the firmware on an emulated board, on a host of the street.
type boardPanel struct {
	*emulator.Machine
	t    testing.TB
	host *host
	wire *capture
	opt  emulator.Options
}

// A boardSetup says what is on a board.
type boardSetup struct {
	board   string
	words   []string // of the board's file, and what stands for them, in turn
	source  string   // the daemon's flags that say where its configuration is; empty: a file with config
	files   []emulator.File
	data    string   // image of the disk; empty: a new one
	cache   bool     // the disk has one, which a power cut empties
	without []string // modules of the kernel
	append  string   // to the kernel's command line
	clock   time.Time
	config
}

// boardHost adds a place for a board, whose network is a tap at the bridge.
func (s *street) boardHost(name string, last byte) *host {
	s.t.Helper()
	h := &host{
		t: s.t, street: s, name: name, namespace: s.name,
		port: fmt.Sprintf("tap%d", last), addr: netip.AddrFrom4([4]byte{10, 0, 0, last}),
	}
	if err := emulator.AddTap(s.t.Context(), s.name, h.port, "br0"); err != nil {
		s.t.Fatal(err)
	}
	return h
}

// Programs for the boards, by the Debian name of the architecture.
var crossFolders = map[string]string{"armhf": "linux-armv7", "arm64": "linux-arm64"}

// crossProgram is the path of one of our programs for the board.
func crossProgram(t testing.TB, board, name string) string {
	t.Helper()
	root := cmp.Or(os.Getenv("BOARD_PROGRAMS"), "../../dist/cross")
	path, err := filepath.Abs(filepath.Join(root, crossFolders[emulator.Arch(board)], name))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("%v: run make cross", err)
	}
	return path
}

// bootPanel switches a board on and waits for nothing but its init.
func bootPanel(h *host, set boardSetup) *boardPanel {
	h.t.Helper()
	p := newBoardPanel(h, set)
	p.on()
	return p
}

// newBoardPanel is a board without power.
func newBoardPanel(h *host, set boardSetup) *boardPanel {
	h.t.Helper()
	p := &boardPanel{t: h.t, host: h, wire: h.capture()}
	p.opt = emulator.Options{
		Board: set.board, Data: cmp.Or(set.data, filepath.Join(scratch(h.t, h.name), "data.img")),
		Network:   emulator.Network{Namespace: h.namespace, Tap: h.port, Address: netip.PrefixFrom(h.addr, 24), Gateway: netip.MustParseAddr("10.0.0.1")},
		DiskCache: set.cache, Files: p.files(set), Without: set.without, Append: set.append, Clock: set.clock,
	}
	h.t.Cleanup(func() {
		if p.Machine != nil {
			p.Close()
		}
	})
	return p
}

// on switches the power on, again after a Cut.
func (p *boardPanel) on() {
	p.t.Helper()
	log, err := os.OpenFile(filepath.Join(artefacts(p.t), p.host.name+"-console.log"), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Cleanup(func() { log.Close() })
	p.opt.Console = log
	if p.Machine != nil {
		p.Close()
	}
	if p.Machine, err = emulator.Boot(p.t.Context(), p.opt); err != nil {
		p.t.Fatal(err)
	}
	p.Watch(p.visitor(p.Machine))
}

// visitor goes through the door whenever it can be opened: its contact opens a
// moment after the relay has risen, and closes as long after its fall.
func (p *boardPanel) visitor(m *emulator.Machine) func(emulator.Edge) {
	const moment = 200 * time.Millisecond
	return func(e emulator.Edge) {
		if e.Line == "DOOR1" {
			time.AfterFunc(moment, func() { _ = m.Set("CONTACT1", e.High) }) // the machine may have ended
		}
	}
}

// files are what the guest gets besides its system.
func (p *boardPanel) files(set boardSetup) []emulator.File {
	p.t.Helper()
	files := append([]emulator.File{
		{Path: "etc/doorstation/board.json", Content: compiledBoard(p.t, set)},
		{Path: "etc/doorstation/panel.yaml", Content: []byte(set.yaml(p.host))},
		emulator.Services("-verbose " + cmp.Or(set.source, "-config /etc/doorstation/panel.yaml")),
	}, set.files...)
	for _, name := range []string{"doorguard", "doorstationd", "doorctl"} {
		files = append(files, emulator.File{Path: "bin/" + name, From: crossProgram(p.t, set.board, name)})
	}
	return files
}

// compiledBoard is the board's file as its programs read it.
func compiledBoard(t testing.TB, set boardSetup) []byte {
	t.Helper()
	source := "../../board/" + set.board + ".yaml"
	raw, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(set.words); i += 2 {
		if !strings.Contains(string(raw), set.words[i]) {
			t.Fatalf("%s has no %q to replace", source, set.words[i])
		}
	}
	compiled, err := compile.Compile(source, []byte(strings.NewReplacer(set.words...).Replace(string(raw))))
	if err != nil {
		t.Fatal(err)
	}
	return compiled
}

// wait bounds a step on the board.
func (p *boardPanel) wait() context.Context {
	ctx, cancel := context.WithTimeout(p.t.Context(), boardPatience)
	p.t.Cleanup(cancel)
	return ctx
}

// ready waits for the end of the guest's init.
func (p *boardPanel) ready() emulator.Mark {
	p.t.Helper()
	m, err := p.Mark(p.wait(), "ready", 0)
	if err != nil {
		p.t.Fatal(err)
	}
	return m
}

// shell runs a script in the guest, which must succeed.
func (p *boardPanel) shell(script string) string {
	p.t.Helper()
	out, code, err := p.Run(p.wait(), script)
	if err != nil {
		p.t.Fatal(err)
	}
	if code != 0 {
		p.t.Fatalf("the guest's %q ends with %d: %s", script, code, out)
	}
	return out
}

// doorctl asks the panel through its own tool, and reads the JSON.
func (p *boardPanel) doorctl(args string, into any) error {
	p.t.Helper()
	out, code, err := p.Run(p.wait(), "doorctl -json "+args+" >/tmp/answer; echo code $?; cat /tmp/answer")
	if err != nil || code != 0 {
		return fmt.Errorf("doorctl %s: %d, %w", args, code, err)
	}
	at := strings.IndexAny(out, "{[")
	if at < 0 {
		return fmt.Errorf("doorctl %s: %s", args, out)
	}
	return json.NewDecoder(strings.NewReader(out[at:])).Decode(into)
}

// registered waits until the panel is registered and has its guard.
func (p *boardPanel) registered() {
	p.t.Helper()
	p.ready()
	awaitFor(p.t, boardPatience, "the board's panel is registered", func() error {
		var s control.Status
		if err := p.doorctl("status", &s); err != nil {
			return err
		}
		if s.Registration.State == control.RegistrationOK && s.Guard.Connected {
			return nil
		}
		return fmt.Errorf("its status is %+v", s)
	})
}

// ended waits for the end of the call and returns its record.
func (p *boardPanel) ended() timeline.Record {
	p.t.Helper()
	var last timeline.Record
	awaitFor(p.t, boardPatience, "the call is over and recorded", func() error {
		var records []timeline.Record
		if err := p.doorctl("calls", &records); err != nil {
			return err
		}
		if len(records) == 0 || records[0].Running() {
			return fmt.Errorf("%d records", len(records))
		}
		last = records[0]
		return nil
	})
	return last
}

// finger is down on a button for longer than its debounce, then up. It returns
// when it went down.
func (p *boardPanel) finger(button string) time.Time {
	p.t.Helper()
	at := time.Now()
	if err := p.Press(button); err != nil {
		p.t.Fatal(err)
	}
	pause(p.t, 150*time.Millisecond)
	if err := p.Release(button); err != nil {
		p.t.Fatal(err)
	}
	return at
}

// edge waits for a change of an output, counted from power-on.
func (p *boardPanel) edge(line string, high bool, index int) emulator.Edge {
	p.t.Helper()
	e, err := p.Edge(p.wait(), line, high, index)
	if err != nil {
		record, _, _ := p.Run(p.wait(), "doorctl timeline")
		p.t.Fatalf("%v\n%s\n%s", err, record, tailOf(p.Console()))
	}
	return e
}

// moves counts the changes of a line to high and to low.
func (p *boardPanel) moves(line string) (up, down int) {
	for _, e := range p.Edges() {
		switch {
		case e.Line != line:
		case e.High:
			up++
		default:
			down++
		}
	}
	return up, down
}

// pictureTo matches the RTP packets of our picture to a host: those of a dynamic
// payload type that are larger than a telephone-event.
func (p *boardPanel) pictureTo(h *host) func(packet) bool {
	return func(k packet) bool {
		return k.sent && !k.tcp && k.dst.Addr() == h.addr && len(k.payload) > 16 && k.payload[0]>>6 == 2 && k.payload[1]&0x7f >= 96
	}
}

func tailOf(text string) string { return text[max(0, len(text)-3000):] }
