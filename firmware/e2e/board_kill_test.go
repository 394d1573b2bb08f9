//go:build board

package e2e

import (
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"doorstation/board/emulator"
)

// A murder ends or stops a program of the panel in the middle of a pulse.
type murder struct {
	signal, program string
	limit           time.Duration // from the signal to the safe line
	after           string        // shell that follows once the line is safe
}

// The limits are the design's, and the guard's patience with a silent client: a
// Go program that crashes is silent while it writes its trace. They are for the
// median, to which the emulated processor may add slack; the worst may take
// stall longer, since this machine does other things too.
var murders = []murder{
	{signal: "KILL", program: "doorstationd", limit: 100 * time.Millisecond},
	{signal: "SEGV", program: "doorstationd", limit: 350 * time.Millisecond},
	{signal: "STOP", program: "doorstationd", limit: 350 * time.Millisecond, after: "kill -KILL $(pidof doorstationd)"},
	{signal: "KILL", program: "doorguard", limit: 300 * time.Millisecond},
	{signal: "SEGV", program: "doorguard", limit: 400 * time.Millisecond},
}

// A pulse is so long that its own end is not taken for the victim's; stall is
// much shorter.
const (
	longPulse = "8s"
	stall     = 1500 * time.Millisecond
)

// times is how often a test repeats itself: few times as a rule, as often as
// the environment says for the full count.
func times(t *testing.T, variable string, few int) int {
	t.Helper()
	text := os.Getenv(variable)
	if text == "" {
		return few
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s=%q is no number", variable, text)
	}
	return n
}

// Whoever dies at whatever moment of a pulse, the relay's pin becomes safe, and
// never moves but for a pulse that somebody asked for.
func TestBoardKills(t *testing.T) {
	const board = "qemu-virt-armhf"
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword})
	p := bootPanel(s.boardHost("board", 10), boardSetup{board: board, config: config{targets: []string{"sip:anna@10.0.0.5"}, pulse: longPulse}})
	p.registered()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)

	took := make(map[string][]time.Duration)
	for i := range times(t, "BOARD_KILLS", 20) {
		m := murders[i%len(murders)]
		name := m.signal + " " + m.program
		d := p.murdered(i, m, time.Duration(random.Int64N(int64(2*time.Second))))
		took[name] = append(took[name], d)
		if d > m.limit+stall {
			t.Errorf("round %d: %s: the line was safe after %v, want %v at most, and %v for a busy machine", i, name, d, m.limit, stall)
		}
	}
	for _, m := range murders {
		name := m.signal + " " + m.program
		all := took[name]
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		if median := all[len(all)/2]; median > m.limit+slack {
			t.Errorf("%s: the line was safe after %v (median of %d), want %v at most, and %v for the emulation", name, median, len(all), m.limit, slack)
		}
		t.Logf("%-18s → line safe: median %v, worst %v of %d (emulated, from the command at the console)", name, all[len(all)/2], all[len(all)-1], len(all))
	}
	if up, down := p.moves("DOOR2"); up != 1 || down != 0 {
		t.Errorf("DOOR2 rose %d and fell %d times since power-on, want 1 and 0", up, down)
	}
}

// murdered opens the door, commits the murder so long after the line has risen,
// and returns how long the line took to be safe. The line rises once.
func (p *boardPanel) murdered(round int, m murder, after time.Duration) time.Duration {
	p.t.Helper()
	pid := p.shell("pidof " + m.program)
	p.shell("(until doorctl open front; do usleep 100000; done) >/dev/null 2>&1 &")
	on := p.edge("DOOR1", true, round)
	pause(p.t, time.Until(on.At.Add(after)))
	at := time.Now()
	if err := p.Tell("kill -" + m.signal + " " + pid); err != nil {
		p.t.Fatal(err)
	}
	off := p.edge("DOOR1", false, round)
	if m.after != "" {
		p.shell(m.after)
	}
	// The program is back, and has moved nothing, before the next pulse.
	p.shell("until doorctl status | grep -q 'guard.*connected'; do usleep 100000; done 2>/dev/null")
	if up, down := p.moves("DOOR1"); up != round+1 || down != round+1 {
		p.t.Fatalf("round %d, %v: DOOR1 rose %d and fell %d times: %v", round, m, up, down, lastEdges(p.Edges()))
	}
	return max(0, off.At.Sub(at))
}

func lastEdges(all []emulator.Edge) []emulator.Edge { return all[max(0, len(all)-8):] }
