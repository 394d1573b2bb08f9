package station

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// unconfigured is a panel that rings nobody yet, as an installer finds it.
const unconfigured = `
revision: "1"
panel: {name: Wall}
account: {user: panel, password: secret, domain: 127.0.0.1, registrar: "127.0.0.1:9"}
network: {address: 127.0.0.1, sip_port: 0}
doors:
  - {name: front, relay: door1, pulse: 3s}
`

func TestCheckOfTheWiring(t *testing.T) {
	p := startPanel(t, unconfigured)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	wiring, seen, err := p.Check(ctx, "uid 0 (root)")
	if err != nil {
		t.Fatal(err)
	}
	if wiring.Board != "sim" || len(wiring.Relays) != 2 || len(wiring.Lamps) != 6 || !wiring.Sound || !wiring.Camera {
		t.Errorf("the wiring is %+v", wiring)
	}
	p.await("word of it", func() bool {
		return strings.Contains(strings.Join(p.Status().Problems, "\n"), "checked by uid 0 (root): buttons ring nobody")
	})
	var refusal *control.Error
	if _, _, err := p.Check(t.Context(), ""); !errors.As(err, &refusal) || refusal.Kind != control.Busy {
		t.Errorf("a second check: %v", err)
	}

	for _, active := range []bool{true, false} {
		if err := p.world.Press("BUTTON1", active); err != nil {
			t.Fatal(err)
		}
		got := <-seen
		for got.Name == "exit1" || got.Name == "cover" { // the guard tells their levels when it likes
			got = <-seen
		}
		if got.Name != "button1" || got.Active != active {
			t.Errorf("seen %+v", got)
		}
	}
	if calls := p.Calls(); len(calls) > 0 {
		t.Errorf("the button that was tried made a record:\n%s", text(calls[0]))
	}

	if _, err := p.Try(ctx, control.Trial{Do: control.TryRelay, Name: "door1"}, "uid 0 (root)"); err != nil {
		t.Fatal(err)
	}
	on, off := <-seen, <-seen
	if length := off.At - on.At; !on.Active || off.Active || on.Name != "door1" || length < checkPulse*9/10 || length > 2*checkPulse {
		t.Errorf("the relay did %+v, %+v", on, off)
	}
	rec := p.idle()
	if s := text(rec); !strings.Contains(s, "uid 0 (root), checking the wiring") || !has(rec, timeline.RelayOn) || rec.Result != "opened" {
		t.Errorf("the relay's record:\n%s", s)
	}
	stop()
	for range seen { // until the panel has ended the check
	}
	if _, err := p.Try(t.Context(), control.Trial{Do: control.TryTone}, ""); !errors.As(err, &refusal) || refusal.Kind != control.Unavailable {
		t.Errorf("a try after the check: %v", err)
	}
	if _, _, err := p.Check(t.Context(), ""); err != nil {
		t.Errorf("the next check: %v", err)
	}
}

func TestCheckHasBounds(t *testing.T) {
	p := startPanel(t, unconfigured)
	if _, _, err := p.Check(t.Context(), ""); err != nil {
		t.Fatal(err)
	}
	p.owner.box.post(func() { p.owner.around.check.pulses = checkPulses })
	var refusal *control.Error
	if _, err := p.Try(t.Context(), control.Trial{Do: control.TryRelay, Name: "door2"}, ""); !errors.As(err, &refusal) || refusal.Kind != control.Denied {
		t.Errorf("pulse %d: %v", checkPulses+1, err)
	}
	if p.doors.isOpen("door2") {
		t.Error("and yet the relay is on")
	}
}

func TestCheckKeepsAnOrder(t *testing.T) {
	var c checkup
	if c.saw("button1", true, 1) {
		t.Error("a check that does not run has seen something")
	}
	c.seen = make(chan control.Sighting, 2)
	for n := range 3 { // the third finds no room
		if !c.saw("button1", true, time.Duration(n)) {
			t.Error("a check that runs has seen nothing")
		}
	}
	if a, b := <-c.seen, <-c.seen; a.At != 0 || b.At != 1 || len(c.seen) > 0 {
		t.Errorf("it saw %+v, %+v", a, b)
	}
}
