//go:build board

package e2e

import (
	"testing"
	"time"

	"doorstation/board/emulator"
	"doorstation/firmware/control"
)

const (
	// bites is the boards' watchdog time, and restarted how long a hang of the
	// daemon alone may last.
	bites     = 10 * time.Second
	restarted = 10 * time.Second
)

// The kernel, or the guard, stands still in the middle of a pulse: the watchdog
// resets the board, which comes up with its relays safe and registers again.
// The other board has no watchdog that this kernel drives.
func TestBoardHalts(t *testing.T) {
	for _, board := range []string{"qemu-virt-arm64", "imx6ul-evk"} {
		t.Run(board, func(t *testing.T) {
			p := haltBoard(t, board)
			for i, deed := range []struct{ what, do string }{
				{"kernel", "echo c >/proc/sysrq-trigger"},
				{"guard", "kill -STOP $(pidof doorguard)"},
			} {
				p.halted(i, deed.what, deed.do)
			}
		})
	}
}

// haltBoard boots a board whose kernel does not restart itself when it panics,
// without what takes time and is not looked at.
func haltBoard(t *testing.T, board string) *boardPanel {
	t.Helper()
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword})
	p := bootPanel(s.boardHost("board", 10), boardSetup{
		board: board, append: "panic=0", without: []string{"vivid", "snd-aloop"},
		config: config{targets: []string{"sip:anna@10.0.0.5"}, pulse: frontDoor.pulse.String()},
	})
	p.registered()
	return p
}

// halted lets something stand still in a pulse and waits for the panel's return.
// The line is high until the reset at worst. On the i.MX6UL it is so until the
// guard has it again: QEMU's controller forgets its registers at a reset, but
// not the levels of its pins, which a real one makes inputs.
func (p *boardPanel) halted(round int, what, do string) {
	p.t.Helper()
	line := frontDoor.line
	up, down := p.moves(line)
	p.shell("(until doorctl open front; do usleep 50000; done) >/dev/null 2>&1 &")
	p.edge(line, true, up)
	pause(p.t, time.Second)
	at := time.Now()
	if err := p.Tell(do); err != nil {
		p.t.Fatal(err)
	}
	bite, reset := p.event("WATCHDOG", round), p.event("RESET", round)
	safe := p.edge(line, false, down)
	p.t.Logf("%s stands still: watchdog after %v; %s safe after %v", what, bite.At.Sub(at), line, safe.At.Sub(at))
	if d := bite.At.Sub(at); d > bites+stall {
		p.t.Errorf("%s stands still: the watchdog fired after %v, want %v at most", what, d, bites)
	}
	if _, err := p.Mark(p.wait(), "ready", round+1); err != nil {
		p.t.Fatal(err)
	}
	p.registered()
	p.t.Logf("reset → registered again %v", time.Since(reset.At))
	if rises, falls := p.moves(line); rises != up+1 || falls != down+1 {
		p.t.Errorf("%s rose %d and fell %d times for one pulse and a reset: %v", line, rises-up, falls-down, lastEdges(p.Edges()))
	}
	if p.Level(line) || !p.Level("DOOR2") {
		p.t.Errorf("after the reset %s is high: %v, DOOR2 (active low) is high: %v", line, p.Level(line), p.Level("DOOR2"))
	}
}

// event waits for an event of the machine, counted from power-on.
func (p *boardPanel) event(name string, index int) emulator.Event {
	p.t.Helper()
	e, err := p.Event(p.wait(), name, index)
	if err != nil {
		p.t.Fatalf("%v\n%s", err, tailOf(p.Console()))
	}
	return e
}

// A daemon that hangs is ended by the guard and started again, in time.
func TestBoardHangs(t *testing.T) {
	p := haltBoard(t, "qemu-virt-arm64")
	before, err := p.Mark(p.wait(), "doorstationd started", 0)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Now()
	p.shell("kill -STOP $(pidof doorstationd)")
	again, err := p.Mark(p.wait(), "doorstationd started", 1)
	if err != nil {
		t.Fatalf("%v; before: %v", err, before)
	}
	t.Logf("daemon hangs → started again %v", again.At.Sub(at))
	if d := again.At.Sub(at); d > restarted+stall {
		t.Errorf("the daemon was started again %v after it hung, want %v at most", d, restarted)
	}
	p.registered()
	p.quiet()
}

// A daemon that crashes again and again costs the board a reset; after three of
// them it runs the last good configuration, and says so.
func TestBoardCrashLoop(t *testing.T) {
	const resets = 3
	p := haltBoard(t, "qemu-virt-arm64")
	for i := range resets {
		p.shell(`while :; do
	until doorctl status | grep -q 'guard.*connected'; do usleep 50000; done 2>/dev/null
	kill -SEGV $(pidof doorstationd); usleep 300000
done >/dev/null 2>&1 &`)
		reset := p.event("RESET", i)
		t.Logf("reset %d, %v after power-on", i+1, reset.At.Sub(p.Started))
		if _, err := p.Mark(p.wait(), "ready", i+1); err != nil {
			t.Fatal(err)
		}
		p.registered()
	}
	var s control.Status
	if err := p.doorctl("status", &s); err != nil {
		t.Fatal(err)
	}
	if s.Config.From != "last good" {
		t.Errorf("after %d resets the configuration is from %q, want the last good one", resets, s.Config.From)
	}
	if up, down := p.moves(frontDoor.line); up+down != 0 {
		t.Errorf("%s rose %d and fell %d times, want never", frontDoor.line, up, down)
	}
}
