//go:build board

package e2e

import (
	"errors"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// The exit button opens from inside while there is no daemon at all. After the
// cover was opened nothing opens any more, that button neither, also after a
// power cut.
func TestBoardExitAndCover(t *testing.T) {
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword})
	p := bootPanel(s.boardHost("board", 10), boardSetup{
		board: "imx6ul-evk", without: []string{"vivid", "snd-aloop"},
		config: config{targets: []string{"sip:anna@10.0.0.5"}},
	})
	p.registered()

	p.shell("touch /run/down; kill -KILL $(pidof doorstationd)")
	p.leaves(0)
	p.shell("rm /run/down")
	p.registered()

	p.set("TAMPER", true)
	p.blocked()
	p.set("TAMPER", false)
	p.shell("sync")
	p.Cut()
	p.on()
	p.registered()
	p.blocked()
	p.quiet()
}

// leaves presses the exit button and waits for the pulse with this index.
func (p *boardPanel) leaves(index int) {
	p.t.Helper()
	const opens = 2 * time.Second // by the board's file
	pressed := p.finger("EXIT1")
	on, off := p.edge("DOOR1", true, index), p.edge("DOOR1", false, index)
	p.t.Logf("exit button → line %v, open for %v", on.At.Sub(pressed), off.At.Sub(on.At))
	if d := off.At.Sub(on.At); d < opens-slack || d > opens+slack {
		p.t.Errorf("the exit button opened for %v, want %v ± %v", d, opens, slack)
	}
}

// blocked waits until the panel says that it is, and fails if its door opens.
func (p *boardPanel) blocked() {
	p.t.Helper()
	before, _ := p.moves("DOOR1")
	awaitFor(p.t, boardPatience, "the doors are blocked", func() error {
		var s control.Status
		if err := p.doorctl("status", &s); err != nil {
			return err
		}
		if s.Cover == nil || s.Cover.Blocked == 0 {
			return errors.New("they are not")
		}
		p.t.Logf("blocked for %v", s.Cover.Blocked)
		return nil
	})
	if out, code, err := p.Run(p.wait(), "doorctl open front"); code == 0 || err != nil {
		p.t.Errorf("a blocked door opens: %s (%v)", out, err)
	}
	p.finger("EXIT1")
	p.shell("usleep 500000")
	if up, _ := p.moves("DOOR1"); up != before {
		p.t.Error("a blocked door opens by the exit button")
	}
}
