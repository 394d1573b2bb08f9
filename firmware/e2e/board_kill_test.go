//go:build board

package e2e

import (
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"testing"
	"time"

	"doorstation/board/emulator"
)

// A murder ends or stops programs of the panel in the middle of a pulse.
type murder struct {
	name  string
	do    string        // shell: the deed; $daemon and $guard are the processes
	door  murderDoor    // whose pulse it is
	limit time.Duration // from the deed to the safe line; of the kernel's relay, from the rise
	after string        // shell that follows once the line is safe
}

// A murderDoor is a door of the panel and its line.
type murderDoor struct {
	name, line string
	pulse      time.Duration
	kernel     bool // the kernel's own timer ends its pulse
}

// The pulse of the one door is so long that its own end is not taken for the
// victim's. That of the other has to end by itself.
var (
	frontDoor = murderDoor{name: "front", line: "DOOR1", pulse: 8 * time.Second}
	liftDoor  = murderDoor{name: "lift", line: "DOOR3", pulse: 1500 * time.Millisecond, kernel: true}
)

// stall is how much longer the worst case may take, since this machine does
// other things too.
const stall = 1500 * time.Millisecond

// outOfMemory lets the kernel's own killer find the process.
const outOfMemory = "echo 1000 >/proc/%[1]s/oom_score_adj; echo f >/proc/sysrq-trigger"

// The limits are the design's, and the guard's patience with a silent client: a
// Go program that crashes is silent while it writes its trace. They are for the
// median, to which the emulated processor may add slack.
var murders = []murder{
	{name: "KILL daemon", do: "kill -KILL $daemon", door: frontDoor, limit: 100 * time.Millisecond},
	{name: "KILL guard", do: "kill -KILL $guard", door: frontDoor, limit: 300 * time.Millisecond},
	{name: "SEGV daemon", do: "kill -SEGV $daemon", door: frontDoor, limit: 350 * time.Millisecond},
	{name: "SEGV guard", do: "kill -SEGV $guard", door: frontDoor, limit: 400 * time.Millisecond},
	{name: "STOP daemon", do: "kill -STOP $daemon", door: frontDoor, limit: 350 * time.Millisecond, after: "kill -KILL $daemon"},
	{name: "STOP guard", do: "kill -STOP $guard", door: liftDoor, limit: liftDoor.pulse, after: "kill -KILL $guard"},
	{name: "OOM daemon", do: fmt.Sprintf(outOfMemory, "$daemon"), door: frontDoor, limit: 350 * time.Millisecond},
	{name: "OOM guard", do: fmt.Sprintf(outOfMemory, "$guard"), door: frontDoor, limit: 400 * time.Millisecond},
	{
		name: "KILL both, for good", do: "touch /run/down; kill -KILL $guard $daemon",
		door: liftDoor, limit: liftDoor.pulse, after: "rm /run/down",
	},
}

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
// never moves but for a pulse that somebody asked for. Where the kernel ends the
// pulse, nobody has to be left alive.
func TestBoardKills(t *testing.T) {
	// Boards without the watchdog, which would end a series of crashes.
	for board, words := range map[string][]string{
		"qemu-virt-armhf": nil,
		"qemu-virt-arm64": {"watchdog: {device: /dev/watchdog0, timeout: 10s}", ""},
	} {
		t.Run(board, func(t *testing.T) {
			s := newStreet(t)
			startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword})
			p := bootPanel(s.boardHost("board", 10), boardSetup{
				board: board, words: words, without: []string{"vivid", "snd-aloop"},
				config: config{targets: []string{"sip:anna@10.0.0.5"}, pulse: frontDoor.pulse.String(), doors: []string{
					fmt.Sprintf("  - {name: %s, relay: door3, pulse: %v, codes: [{name: lift, digits: \"3691\"}]}", liftDoor.name, liftDoor.pulse),
				}},
			})
			p.registered()
			p.murderAll(times(t, "BOARD_KILLS", 20) / 2)
			if up, down := p.moves("DOOR2"); up != 1 || down != 0 {
				t.Errorf("DOOR2 rose %d and fell %d times since power-on, want 1 and 0", up, down)
			}
		})
	}
}

// murderAll commits so many murders, each kind in turn, and judges how long the
// lines took to be safe.
func (p *boardPanel) murderAll(rounds int) {
	p.t.Helper()
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 0))
	p.t.Logf("seed %d", seed)
	took := make(map[string][]time.Duration)
	for i := range rounds {
		m := murders[i%len(murders)]
		d := p.murdered(m, time.Duration(random.Int64N(int64(time.Second))))
		took[m.name] = append(took[m.name], d)
		if d > m.limit+stall {
			p.t.Errorf("round %d: %s: the line was safe after %v, want %v at most, and %v for a busy machine", i, m.name, d, m.limit, stall)
		}
	}
	for _, m := range murders {
		all := took[m.name]
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		median := all[len(all)/2]
		if median > m.limit+slack {
			p.t.Errorf("%s: the line was safe after %v (median of %d), want %v at most, and %v for the emulation", m.name, median, len(all), m.limit, slack)
		}
		p.t.Logf("%-20s → line safe: median %v, worst %v of %d, limit %v (emulated, from the command at the console)",
			m.name, median, all[len(all)-1], len(all), m.limit)
	}
}

// murdered opens the door, commits the murder so long after the line has risen,
// and returns how long the line took to be safe. The line rises once.
func (p *boardPanel) murdered(m murder, after time.Duration) time.Duration {
	p.t.Helper()
	line := m.door.line
	round, _ := p.moves(line)
	p.shell("echo daemon=$(pidof doorstationd) guard=$(pidof doorguard) >/tmp/victims")
	p.shell("(until doorctl open " + m.door.name + "; do usleep 50000; done) >/dev/null 2>&1 & echo asking=$! >>/tmp/victims")
	on := p.edge(line, true, round)
	pause(p.t, time.Until(on.At.Add(after)))
	from := time.Now()
	// Who asked has been heard. A daemon that dies before it says so is not asked again.
	if err := p.Tell(". /tmp/victims; kill $asking 2>/dev/null; " + m.do); err != nil {
		p.t.Fatal(err)
	}
	off := p.edge(line, false, round)
	if m.door.kernel {
		from = on.At
	}
	p.shell(". /tmp/victims; " + m.after)
	// The programs are back, and have moved nothing, before the next pulse.
	p.shell("until doorctl status | grep -q 'guard.*connected'; do usleep 50000; done 2>/dev/null")
	if up, down := p.moves(line); up != round+1 || down != round+1 {
		p.t.Fatalf("%s after %v: %s rose %d and fell %d times in %d rounds: %v", m.name, after, line, up, down, round+1, lastEdges(p.Edges()))
	}
	return max(0, off.At.Sub(from))
}

func lastEdges(all []emulator.Edge) []emulator.Edge { return all[max(0, len(all)-8):] }
