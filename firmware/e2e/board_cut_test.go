//go:build board

package e2e

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// The power is cut while the panel keeps one new configuration after the other,
// and while it counts wrong codes; with it goes what the disk had not been told
// to keep. The panel always comes back with the old one or the new one, forgets
// no wrong code that it has judged, registers, and never moves a relay but to
// make it safe.
func TestBoardPowerCuts(t *testing.T) {
	s := newStreet(t)
	startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword})
	phone := newScripted(s.host("phone", 31))
	c := &cutter{t: t, home: s.boardHost("board", 10), phone: phone, piece: newHandpiece(phone.host)}
	c.server = startNginx(s.host("server", 6), c.document(0))
	seed := uint64(time.Now().UnixNano())
	c.random = rand.New(rand.NewPCG(seed, 0))
	t.Logf("seed %d", seed)
	c.boardPanel = bootPanel(c.home, boardSetup{
		board: "qemu-virt-arm64", // the quickest to boot
		cache: true, without: []string{"vivid", "snd-aloop"},
		source: "-server " + c.server.url() + " -allow-http -server-every 1s",
	})
	c.registered()

	cuts, inWrites, lost := times(t, "BOARD_CUTS", 3), 0, 0
	for n := range cuts {
		what, write := "configuration", c.configurations
		if n%2 == 1 {
			what, write = "lock-out", c.wrongCodes
		}
		began := time.Now()
		check := write()
		wrote := time.Since(began)
		loss, err := c.CutCache(c.random)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("cut %d of %s: %d writes pending, %d of them lost", n, what, loss.Pending, loss.Lost)
		if loss.Pending > 0 {
			inWrites++
		}
		lost += loss.Lost
		c.quiet()
		c.server.answers("gone") // what it then knows, it has kept
		c.on()
		c.registered()
		check()
		c.server.answers("good")
		t.Logf("written for %v, power-on → registered again %v", wrote, time.Since(c.Started))
	}
	c.quiet()
	t.Logf("%d cuts, %d of them with writes on their way, %d writes lost", cuts, inWrites, lost)
}

// A cutter is a panel whose power is cut, and who makes it write.
type cutter struct {
	*boardPanel
	t      *testing.T
	home   *host
	server *nginx
	phone  *scripted
	piece  *handpiece
	random *rand.Rand
	served int // number of the last configuration at the server
}

func (c *cutter) document(n int) string {
	return config{targets: []string{c.phone.uri()}, revision: fmt.Sprintf("r%d", n), keypad: ", tries_per_hour: 1000"}.yaml(c.home)
}

// configurations lets the panel take and keep a new configuration every second,
// and returns in the middle of it. What it returns checks which one is kept.
func (c *cutter) configurations() (check func()) {
	c.t.Helper()
	oldest := c.revision()
	pause(c.t, time.Duration(c.random.Int64N(int64(time.Second))))
	from, _ := c.writes()
	c.served++
	c.server.serve(c.document(c.served))
	c.amid(from, 4)
	newest := c.served
	return func() {
		c.t.Helper()
		if got := c.revision(); got < oldest || got > newest {
			c.t.Errorf("revision r%d after the cut, want r%d to r%d", got, oldest, newest)
		}
	}
}

// wrongCodes makes a call with two wrong codes, and returns while the second one
// is being counted. What it returns checks the count.
func (c *cutter) wrongCodes() (check func()) {
	c.t.Helper()
	before := c.tries()
	c.finger("BUTTON1")
	invite := c.phone.request("INVITE")
	c.phone.respond(c.phone.response(invite, "200 OK", "phone", c.phone.answer()))
	c.phone.request("ACK")
	audio := netip.AddrPortFrom(c.home.addr, c.home.at(mediaPort(c.t, bodyOf([]byte(invite)), "audio")).Port())
	awaitFor(c.t, boardPatience, "the panel talks", func() error {
		if records := c.records(); len(records) == 0 || len(marks(records[0], timeline.FirstAudioOut)) == 0 {
			return fmt.Errorf("%d records: %v", len(records), records)
		}
		return nil
	})
	c.piece.types(audio, wrongCode+endKey, damages["untouched"])
	awaitFor(c.t, boardPatience, "the wrong code is judged", func() error {
		if records := c.records(); len(records) == 0 || len(marks(records[0], timeline.CodeWrong)) != 1 {
			return fmt.Errorf("%d records: %v", len(records), records)
		}
		return nil
	})
	from, _ := c.writes()
	c.piece.types(audio, wrongCode+endKey, func(key [][]byte) [][]byte { return key[3:4] }) // it is counted at once
	c.amid(from, 2)
	return func() {
		c.t.Helper()
		const most = 100 // are kept of one callee
		if got := c.tries(); got < min(before+1, most) || got > before+2 {
			c.t.Errorf("%d wrong codes are remembered after the cut, want %d or %d", got, before+1, before+2)
		}
	}
}

// amid returns when the disk has been asked for some more writes than from, up
// to most, and the last of them has not been flushed yet, as far as can be seen;
// or when nothing more is written.
func (c *cutter) amid(from, most int) {
	c.t.Helper()
	const over = 2500 * time.Millisecond // without a write
	seen, flushed := c.writes()
	want, since := from+1+c.random.IntN(most), time.Now()
	if seen > from {
		return // they have begun before we could look
	}
	for time.Since(since) < over {
		writes, flushes := c.writes()
		if writes >= want && writes > seen && flushes == flushed {
			return
		}
		if writes > seen {
			since = time.Now()
		}
		seen, flushed = writes, flushes
	}
}

func (c *cutter) writes() (writes, flushes int) {
	c.t.Helper()
	writes, flushes, err := c.Writes()
	if err != nil {
		c.t.Fatal(err)
	}
	return writes, flushes
}

// revision is the number of the configuration in force.
func (c *cutter) revision() int {
	c.t.Helper()
	var s control.Status
	if err := c.doorctl("status", &s); err != nil {
		c.t.Fatal(err)
	}
	var n int
	if _, err := fmt.Sscanf(s.Config.Revision, "r%d", &n); err != nil {
		c.t.Fatalf("revision %q: %v", s.Config.Revision, err)
	}
	return n
}

// tries is how many wrong codes the panel has on its disk.
func (c *cutter) tries() int {
	c.t.Helper()
	var kept struct {
		Callees map[string]struct{ Tries []int64 }
	}
	text := c.shell("cat /data/station/lockout.json 2>/dev/null || echo '{}'")
	if err := json.Unmarshal([]byte(text), &kept); err != nil {
		c.t.Fatalf("lock-out on disk: %v in %q", err, text)
	}
	n := 0
	for _, callee := range kept.Callees {
		n += len(callee.Tries)
	}
	return n
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
