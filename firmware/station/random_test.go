package station

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// awaitUntil polls ok, which no event tells about, for up to 20 s.
func awaitUntil(t *testing.T, what string, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	over := time.After(20 * time.Second)
	for !ok() {
		select {
		case <-over:
			t.Fatalf("waited 20 s for %s", what)
		case <-tick.C:
		}
	}
}

const randomConfig = `
revision: random
panel: {name: Test}
network: {address: 127.0.0.1, sip_port: 0, rtp_min: 42000, rtp_max: 43999}
account: {user: panel, domain: 127.0.0.1, registrar: "127.0.0.1:9"}
flats:
  - name: Smith
    button: button1
    stages: [{targets: ["%s", "%s"]}]
doors:
  - name: front
    relay: door1
    pulse: 100ms
    codes: [{name: home, digits: "1234"}]
keypad: {tries_per_hour: 1000}
call: {ring_for: 10s}
`

// A dice throws the script of one phone's call.
type dice struct{ rng *rand.Rand }

func (d dice) chance(percent int) bool { return d.rng.IntN(100) < percent }

// wait lets a little time pass, often none.
func (d dice) wait() {
	if d.chance(50) {
		<-time.After(time.Duration(d.rng.IntN(4000)) * time.Microsecond)
	}
}

// play goes through one call of one phone: provisionals in any order, an
// answer or a refusal, digits by either road, right and wrong, a hang-up.
func (d dice) play(c *scriptCall) {
	for range d.rng.IntN(4) {
		d.wait()
		switch d.rng.IntN(3) {
		case 0:
			c.respond(180, "Ringing", "")
		case 1:
			c.respond(183, "Session Progress", c.sdp())
		case 2:
			c.rtp("1234") // before the answer: means nothing
		}
	}
	d.wait()
	if d.chance(30) {
		c.cancelOr(func() {
			status := []int{480, 486, 603, 404, 500}[d.rng.IntN(5)]
			c.respond(status, "No", "")
		})
		return
	}
	if !c.answer() {
		return
	}
	for range d.rng.IntN(3) {
		d.wait()
		d.type_(c)
	}
	d.wait()
	if !c.over() {
		c.bye()
	}
}

func (d dice) type_(c *scriptCall) {
	code := []string{"1234", "9999", "12", "1234567"}[d.rng.IntN(4)]
	if d.chance(50) {
		c.rtp(code)
	} else {
		c.info(code)
	}
}

// cancelOr does fn unless the panel has cancelled.
func (c *scriptCall) cancelOr(fn func()) {
	c.mu.Lock()
	gone := c.cancelled
	c.cancelled = true
	c.mu.Unlock()
	if !gone {
		fn()
	}
}

// Whatever two phones, a visitor and an administrator do, the record of every
// call shows no door outside the rules, and the panel is idle afterwards.
func TestRandomCalls(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	var calls atomic.Uint64
	script := func(c *scriptCall) { dice{rand.New(rand.NewPCG(seed, calls.Add(1)))}.play(c) }
	a, b := newScriptPhone(t, script), newScriptPhone(t, script)
	p := startPanel(t, fmt.Sprintf(randomConfig, a.uri(), b.uri()))

	opened, refused, last := 0, 0, ""
	for n := range 1000 {
		d := dice{rng}
		if err := p.Press("button1"); err != nil {
			t.Fatal(err)
		}
		p.await("the press", func() bool {
			calls := p.Calls()
			return len(calls) > 0 && calls[0].ID != last
		})
		if d.chance(5) {
			_ = p.Press("button1")
		}
		if d.chance(3) {
			if err := p.Open("front", "tester"); err != nil {
				// A starved machine misses heart-beats, and the guard then
				// does what it must; that may not become a habit.
				t.Logf("call %d: local command: %v", n, err)
				refused++
			}
		}
		p.await("the phones", func() bool { return a.running.Load()+b.running.Load() == 0 })
		rec := p.idle()
		last = rec.ID
		if err := lawful(rec); err != nil {
			t.Fatalf("call %d: %v\n%s", n, err, text(rec))
		}
		if strings.Contains(text(rec), string(timeline.RelayOn)) {
			opened++
		}
	}
	t.Logf("the door opened in %d of 1000 calls", opened)
	if refused > 5 {
		t.Errorf("%d local commands were refused", refused)
	}
	if opened < 50 {
		t.Error("the door hardly ever opened: the test has lost its subject")
	}
}

// lawful reads a record and knows the rules, not the code.
func lawful(rec timeline.Record) error {
	answered := make(map[uint32]bool) // legs, until they hang up
	everAnswered := make(map[uint32]bool)
	granted, on := 0, false
	for i, m := range rec.Marks {
		switch m.Name {
		case timeline.Answered:
			answered[m.Leg], everAnswered[m.Leg] = true, true
		case timeline.HungUp:
			answered[m.Leg] = false
		case timeline.CodeRight:
			if !answered[m.Leg] {
				return fmt.Errorf("a code counted on leg %d, which is not answered", m.Leg)
			}
			granted++
		case timeline.OpenAsked:
			granted++
		case timeline.DoorAsked:
			if granted--; granted < 0 {
				return fmt.Errorf("the guard was asked (mark %d) without a code or a command", i)
			}
		case timeline.RelayOn:
			if on {
				return fmt.Errorf("the relay rose twice")
			}
			on = true
		case timeline.RelayOff:
			on = false
		case timeline.FirstAudioOut:
			if !everAnswered[m.Leg] {
				return fmt.Errorf("leg %d heard the visitor before its answer", m.Leg)
			}
		}
	}
	switch {
	case on:
		return fmt.Errorf("the relay is still on at the end")
	case rec.Result == "":
		return fmt.Errorf("the record has no result")
	}
	return nil
}
