//go:build board

package e2e

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

const (
	boardButton1 = "BUTTON1" // rings anna until somebody ends it
	boardButton2 = "BUTTON2" // rings somebody who is not there, and is free again at once
)

// What fingers do: contacts that bounce, a button that is jammed, two at once,
// and presses while the daemon does not look. One press is one call.
func TestBoardButtons(t *testing.T) {
	for _, board := range []string{"qemu-virt-armhf", "imx6ul-evk"} {
		t.Run(board, func(t *testing.T) {
			s := newStreet(t)
			startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word"})
			startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: "10.0.0.5"})
			p := bootPanel(s.boardHost("board", 10), boardSetup{
				board: board, words: []string{"stuck_after: 60s", "stuck_after: 10s"},
				config: config{targets: []string{"sip:anna@10.0.0.5"}, neighbour: "sip:ben@10.0.0.5"},
			})
			p.registered()
			p.storms(5)
			p.bothAtOnce()
			p.queued(24)
			p.jammed()
			p.quiet()
		})
	}
}

// storms presses a bouncing button; each is one press and one call.
func (p *boardPanel) storms(rounds int) {
	p.t.Helper()
	for range rounds {
		before := p.presses(boardButton2)
		p.bounce(boardButton2, false)
		pause(p.t, 100*time.Millisecond)
		p.bounce(boardButton2, true)
		p.settled(boardButton2, before+1)
	}
}

// bounce moves a button's line to a level as a bad contact does: 20 to 60
// changes before it stays there. It prints how long that took, and the longest
// time for which the line was quiet meanwhile: a machine that stops in between
// makes several clean presses of one bad one.
func (p *boardPanel) bounce(button string, level bool) {
	p.t.Helper()
	changes := 20 + 2*rand.IntN(20)
	began := time.Now()
	last, quiet := began, time.Duration(0)
	for i := range changes + 1 {
		p.set(button, level == (i%2 == 0))
		quiet, last = max(quiet, time.Since(last)), time.Now()
		if gap := rand.N(600 * time.Microsecond); gap > 100*time.Microsecond {
			pause(p.t, gap)
		}
	}
	p.t.Logf("%s bounces %d times in %v, quiet for %v at most", button, changes, last.Sub(began), quiet)
}

// bothAtOnce presses two buttons in the same moment: one of them gets a call,
// and the other finger changes nothing in it.
func (p *boardPanel) bothAtOnce() {
	p.t.Helper()
	first, second, calls := p.presses(boardButton1), p.presses(boardButton2), len(p.records())
	p.set(boardButton1, false)
	p.set(boardButton2, false)
	pause(p.t, 100*time.Millisecond)
	p.set(boardButton1, true)
	p.set(boardButton2, true)
	p.counted(boardButton1, first+1)
	p.counted(boardButton2, second+1)
	records := p.records()
	if n := len(records) - calls; n != 1 {
		p.t.Errorf("two buttons at once made %d calls, want 1", n)
	}
	if len(records) > 0 && records[0].Running() && records[0].Button == "button1" {
		p.cancelled(boardButton1)
	}
	p.idle()
}

// cancelled presses the button of the call again, once that counts, and waits
// for its end.
func (p *boardPanel) cancelled(button string) {
	p.t.Helper()
	const ignoredFor = 2 * time.Second // of the second press
	pause(p.t, ignoredFor)
	p.finger(button)
	if r := p.ended(); r.Result != "cancelled" {
		p.t.Errorf("the second press of %s ended the call with %q, want cancelled\n%s", button, r.Result, drawn(r))
	}
}

// queued presses a button while the daemon is stopped, more often than the
// kernel keeps edges. When it goes on, it sees a button that nobody touches, and
// knows of one press at most.
func (p *boardPanel) queued(times int) {
	p.t.Helper()
	before := p.presses(boardButton2)
	p.shell("kill -STOP $(pidof doorstationd)")
	for range times {
		p.set(boardButton2, false)
		pause(p.t, 30*time.Millisecond)
		p.set(boardButton2, true)
		pause(p.t, 30*time.Millisecond)
	}
	p.shell("kill -CONT $(pidof doorstationd)")
	p.registered()
	n := p.presses(boardButton2) - before
	p.t.Logf("%d presses behind its back: it knows of %d", times, n)
	if n > 1 {
		p.t.Errorf("%d presses while the daemon was stopped became %d calls, want one at most", times, n)
	}
	p.idle()
	p.finger(boardButton2)
	p.settled(boardButton2, before+n+1)
}

// jammed holds a button until it counts as stuck. The other one works
// meanwhile; the jammed one works again after it was let go.
func (p *boardPanel) jammed() {
	p.t.Helper()
	before := p.presses(boardButton2)
	p.set(boardButton2, false)
	p.settled(boardButton2, before+1) // it was pressed, after all
	p.shell("until grep -q 'button2.*stuck, ignored' /run/log/doorstationd; do usleep 200000; done")
	first := p.presses(boardButton1)
	p.finger(boardButton1)
	p.counted(boardButton1, first+1)
	p.cancelled(boardButton1)
	p.set(boardButton2, true)
	p.shell("until grep -q 'button2.*released after' /run/log/doorstationd; do usleep 200000; done")
	p.finger(boardButton2)
	p.settled(boardButton2, before+2)
}

func (p *boardPanel) set(line string, high bool) {
	p.t.Helper()
	if err := p.Set(line, high); err != nil {
		p.t.Fatal(err)
	}
}

// presses is how many presses of a button the daemon has seen.
func (p *boardPanel) presses(button string) int {
	p.t.Helper()
	name := map[string]string{boardButton1: "button1", boardButton2: "button2"}[button]
	text := p.shell("grep -c 'button pressed.*" + name + "' /run/log/doorstationd || true")
	n, err := strconv.Atoi(text)
	if err != nil {
		p.t.Fatalf("the count of presses is %q", text)
	}
	return n
}

// counted waits until the daemon has seen so many presses.
func (p *boardPanel) counted(button string, want int) {
	p.t.Helper()
	awaitFor(p.t, boardPatience, button+" is seen pressed", func() error {
		if n := p.presses(button); n != want {
			return fmt.Errorf("%d presses, want %d", n, want)
		}
		return nil
	})
}

// settled waits for the end of the call of a press, and fails if the daemon then
// knows of more.
func (p *boardPanel) settled(button string, want int) {
	p.t.Helper()
	p.counted(button, want)
	p.idle()
	if n := p.presses(button); n != want {
		p.t.Errorf("%d presses of %s, want %d", n, button, want)
	}
}

// idle waits until there is no call.
func (p *boardPanel) idle() {
	p.t.Helper()
	awaitFor(p.t, boardPatience, "no call is left", func() error {
		var s control.Status
		if err := p.doorctl("status", &s); err != nil {
			return err
		}
		if s.Call.State != control.CallIdle {
			return fmt.Errorf("it is %s", s.Call.State)
		}
		return nil
	})
}

// records are the calls on record, the newest first.
func (p *boardPanel) records() []timeline.Record {
	p.t.Helper()
	var records []timeline.Record
	if err := p.doorctl("calls", &records); err != nil {
		p.t.Fatal(err)
	}
	return records
}
