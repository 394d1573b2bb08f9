package station

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"periph.io/x/conn/v3/gpio"

	"doorstation/board"
	"doorstation/board/compile"
	"doorstation/callflow/timeline"
	"doorstation/drivers"
	"doorstation/drivers/guard"
	"doorstation/drivers/sim"
	"doorstation/firmware/control"
)

// A testPanel is a whole station in this process, on real sockets: its lines,
// its guard and its call.
type testPanel struct {
	*Station
	t     *testing.T
	run   string
	world *sim.World
	log   *logBuffer
	stop  func() // ends all of it and waits
}

// A logBuffer keeps the log of a test for its failure.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// simBoard reads the board of the simulated panel.
func simBoard(t *testing.T) *board.Board {
	t.Helper()
	file := filepath.Join("..", "..", "board", "sim.yaml")
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = compile.Compile(file, raw); err != nil {
		t.Fatal(err)
	}
	b, err := board.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// startPanel starts a station with this configuration and waits until its
// parts run. Its doors have no contacts: no record waits for somebody to go
// through.
func startPanel(t *testing.T, config string) *testPanel {
	t.Helper()
	b := simBoard(t)
	b.Inputs = slices.DeleteFunc(b.Inputs, func(in board.Input) bool { return in.Contact != "" })
	return startBoard(t, b, config)
}

// startBoard is startPanel with another board.
func startBoard(t *testing.T, b *board.Board, config string) *testPanel {
	t.Helper()
	p := &testPanel{t: t, run: shortDir(t), log: &logBuffer{}}
	ctx, stop := context.WithCancel(context.Background())
	var all sync.WaitGroup
	p.stop = func() {
		stop()
		all.Wait()
	}
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("the panel's log:\n%s", p.log)
			if calls := p.Calls(); len(calls) > 0 {
				t.Logf("its last record:\n%s", text(calls[0]))
			}
		}
	})
	socket := filepath.Join(p.run, "sim.sock")
	all.Go(func() {
		if err := sim.Serve(ctx, socket, lines(b), sim.Options{}); err != nil && ctx.Err() == nil {
			t.Errorf("lines: %v", err)
		}
	})
	p.await("the line process", func() bool {
		world, err := sim.Visit(socket)
		p.world = world
		return err == nil
	})
	all.Go(func() { p.guard(ctx, b, socket) })

	file := filepath.Join(p.run, "config.yaml")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	station, err := New(Options{
		Board: b, Run: p.run, Data: filepath.Join(p.run, "data"), File: file, Version: "test",
		Log: slog.New(slog.NewTextHandler(p.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	p.Station = station
	all.Go(func() {
		if err := station.Run(ctx); err != nil && ctx.Err() == nil {
			t.Errorf("station: %v", err)
		}
	})
	p.await("the guard and the SIP line", func() bool {
		return station.Status().Guard.Connected && station.line.agent() != nil
	})
	return p
}

// guard is doorguard without its process.
func (p *testPanel) guard(ctx context.Context, b *board.Board, socket string) {
	var outs []guard.Output
	for _, r := range b.Relays {
		pin, err := sim.OpenOutput(socket, r.Line)
		if err != nil {
			p.t.Errorf("relay %s: %v", r.Name, err)
			return
		}
		low := r.Active == board.Low
		_ = pin.Out(gpio.Level(low))
		outs = append(outs, guard.Output{Name: r.Name, Pin: pin, ActiveLow: low, Max: r.MaxPulse.Time()})
	}
	opt := guard.Options{Socket: filepath.Join(p.run, "guard.sock"), Outputs: outs, TamperBlock: b.TamperBlock.Time(), Log: io.Discard}
	var own []sim.InputLine
	for _, in := range b.Inputs {
		if in.Guarded() {
			opt.Inputs = append(opt.Inputs, guard.Input{Name: in.Name, Opens: in.Opens, For: in.OpensFor.Time(), Tamper: in.Tamper})
			own = append(own, sim.InputLine{Name: in.Name, Line: in.Line, ActiveLow: in.Active == board.Low, Debounce: in.Debounce.Time(), Present: true})
		}
	}
	panel, err := sim.Dial(socket)
	if err != nil {
		p.t.Errorf("inputs of the guard: %v", err)
		return
	}
	opt.Watch = func(func(string)) []drivers.Inputs { return []drivers.Inputs{panel.Inputs(own)} }
	if err := guard.Serve(ctx, opt); err != nil && ctx.Err() == nil {
		p.t.Errorf("guard: %v", err)
	}
}

func lines(b *board.Board) []sim.LineSpec {
	var specs []sim.LineSpec
	for _, in := range b.Inputs {
		specs = append(specs, sim.LineSpec{Name: in.Line, ActiveLow: in.Active == board.Low, StartActive: in.Contact != ""})
	}
	for _, r := range b.Relays {
		specs = append(specs, sim.LineSpec{Name: r.Line, Output: true, ActiveLow: r.Active == board.Low})
	}
	for _, l := range b.Lamps {
		specs = append(specs, sim.LineSpec{Name: l.Line, Output: true, ActiveLow: l.Active == board.Low})
	}
	for _, o := range b.Outputs {
		specs = append(specs, sim.LineSpec{Name: o.Line, Output: true, ActiveLow: o.Active == board.Low})
	}
	return specs
}

// shortDir is a folder whose sockets have short enough paths.
func shortDir(t *testing.T) string {
	dir, err := os.MkdirTemp("", "panel")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

// await waits until a status change makes ok true.
func (p *testPanel) await(what string, ok func() bool) {
	p.t.Helper()
	awaitUntil(p.t, what, ok)
}

// idle waits for the end of the call and of its record, and gives the record.
func (p *testPanel) idle() timeline.Record {
	p.t.Helper()
	var rec timeline.Record
	p.await("the end of the call", func() bool {
		if p.Status().Call.State != control.CallIdle || p.diary.current() != "" {
			return false
		}
		rec = p.Calls()[0]
		return true
	})
	return rec
}

// text is a record as people see it.
func text(rec timeline.Record) string {
	var b strings.Builder
	_ = timeline.Format(&b, rec)
	return b.String()
}
