//go:build board

package e2e

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// The power is cut at random moments while the panel takes and keeps one new
// configuration after the other. It always comes back with the old one or the
// new one, registered, and its relays never move but to be safe.
func TestBoardPowerCuts(t *testing.T) {
	const board = "qemu-virt-arm64" // the quickest to boot
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword})
	home := s.boardHost("board", 10)
	document := func(n int) string {
		return config{targets: []string{"sip:anna@10.0.0.5"}, revision: fmt.Sprintf("r%d", n)}.yaml(home)
	}
	server := startNginx(s.host("server", 6), document(0))
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)

	p := bootPanel(home, boardSetup{board: board, source: "-server " + server.url() + " -allow-http"})
	p.registered()
	before := p.revision()
	for n := range times(t, "BOARD_CUTS", 3) {
		server.serve(document(n + 1))
		p.shell("kill -TERM $(pidof doorstationd)") // it comes back, and fetches
		after := time.Duration(random.Int64N(int64(1500 * time.Millisecond)))
		pause(t, after)
		p.Cut()
		p.quiet()
		p.on()
		p.registered()
		got := p.revision()
		if want := []string{before, fmt.Sprintf("r%d", n+1)}; !slices.Contains(want, got) {
			t.Errorf("cut %d, %v after the order: revision %q, want one of %q", n, after, got, want)
		}
		before = got
	}
	p.quiet()
}

// revision is that of the configuration in force.
func (p *boardPanel) revision() string {
	p.t.Helper()
	var s control.Status
	if err := p.doorctl("status", &s); err != nil {
		p.t.Fatal(err)
	}
	return s.Config.Revision
}

// quiet fails unless the relays have only been made safe since power-on.
func (p *boardPanel) quiet() {
	p.t.Helper()
	if up, down := p.moves("DOOR1"); up+down != 0 {
		p.t.Errorf("DOOR1 rose %d and fell %d times since power-on, want never", up, down)
	}
	if up, down := p.moves("DOOR2"); up != 1 || down != 0 {
		p.t.Errorf("DOOR2 rose %d and fell %d times since power-on, want 1 and 0", up, down)
	}
}
