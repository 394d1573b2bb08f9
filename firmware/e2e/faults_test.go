package e2e

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// A wrong password: the panel says so, and does not hammer the registrar.
func TestWrongPassword(t *testing.T) {
	_, proxy, gate := site(t)
	p := newPanel(gate)
	p.source = []string{"-config", p.config(config{targets: []string{"sip:anna@10.0.0.5"}, password: "not-the-password"})}
	p.startDaemon()
	s := p.becomes("refused", func(s control.Status) bool { return s.Registration.State == control.RegistrationRefused })
	if s.Registration.Reason == "" {
		t.Error("the status gives no reason")
	}
	pause(t, 3*time.Second)
	if n := p.requests("REGISTER", proxy.host); n > 4 {
		t.Errorf("%d REGISTER in 3 s, want 4 at most", n)
	}
	if strings.Contains(p.daemon.output()+s.Registration.Reason, "not-the-password") {
		t.Error("the password is in the log or the status")
	}
}

// A registrar that is not there: the panel says so, goes on trying, and is
// registered soon after it has come.
func TestRegistrarUnreachable(t *testing.T) {
	s := newStreet(t)
	place := s.host("proxy", 5)
	p := newPanel(s.host("panel", 10))
	p.source = []string{"-config", p.config(config{targets: []string{"sip:anna@10.0.0.5"}})}
	p.startDaemon()
	awaitFor(t, time.Minute, "the panel says that nobody answers", func() error {
		if state := p.status().Registration; state.State != control.RegistrationTrying || state.Reason == "" {
			return fmt.Errorf("its registration is %+v", state)
		}
		return nil
	})
	startKamailio(place, map[string]string{"panel": panelPassword})
	awaitFor(t, 2*time.Minute, "the panel is registered", func() error {
		if state := p.status().Registration; state.State != control.RegistrationOK {
			return errNothing
		}
		return nil
	})
}

// The SIP port is taken: the panel says which, and what to do.
func TestPortInUse(t *testing.T) {
	_, _, gate := site(t)
	go drain(gate.udp(5060))
	p := newPanel(gate)
	p.source = []string{"-config", p.config(config{targets: []string{"sip:anna@10.0.0.5"}})}
	d := p.launch("")
	d.says("5060")
	d.says("address already in use")
}

// A second daemon on one panel gives up with a clear word; the first goes on.
func TestSecondDaemon(t *testing.T) {
	_, _, gate := site(t)
	p := startPanel(gate, config{targets: []string{"sip:anna@10.0.0.5"}})
	second := p.launch("-second")
	if code := second.wait(patience); code == 0 {
		t.Errorf("the second daemon ends with 0, want an error")
	}
	if words := second.output(); !strings.Contains(words, "another doorstationd") {
		t.Errorf("it says %q, want who is there already", words)
	}
	p.registered()
}

// The daemon is killed, stopped, or unplugged in a pulse: the line is safe, and
// nothing opens when it comes back.
func TestDaemonDiesInAPulse(t *testing.T) {
	for name, signal := range map[string]syscall.Signal{"killed": syscall.SIGKILL, "stopped": syscall.SIGSTOP} {
		t.Run(name, func(t *testing.T) {
			p := openedByHand(t)
			p.daemon.signal(signal)
			at := time.Now()
			p.opened(1)
			t.Logf("%s → line safe within %v", name, time.Since(at))
			if held := p.moves(door1)[1].At - p.moves(door1)[0].At; held > 9*time.Second {
				t.Errorf("the line was held for %v, to the pulse's own end", held)
			}
			_ = p.daemon.cmd.Process.Signal(syscall.SIGCONT) // so that it can end
		})
	}
}

// The guard is killed in a pulse: the one that follows makes the line safe
// before anything else.
func TestGuardDiesInAPulse(t *testing.T) {
	p := openedByHand(t)
	p.guard.kill()
	p.startGuard()
	p.opened(1)
	p.becomes("with its guard again", func(s control.Status) bool { return s.Guard.Connected })
}

// openedByHand has a panel whose door is open for the board's longest pulse.
func openedByHand(t *testing.T) *panel {
	t.Helper()
	_, _, gate := site(t)
	p := newPanel(gate)
	text := strings.Replace(config{targets: []string{"sip:anna@10.0.0.5"}}.yaml(gate), "pulse: 1s", "pulse: 10s", 1)
	p.source = []string{"-config", write(t, p.run, "panel.yaml", text)}
	p.startDaemon()
	p.registered()
	if words, code := p.doorctl("open", "front"); code != 0 {
		t.Fatalf("doorctl open: %d\n%s", code, words)
	}
	p.guard.until("the door is drawn", func() error {
		if len(p.moves(door1)) != 1 {
			return errNothing
		}
		return nil
	})
	return p
}

// The network goes and comes back: no door moves, and the panel calls again by
// itself. It calls the neighbour: the first flat may still get the call of
// before, until the panel's CANCEL follows (RFC 3261 section 9.1).
func TestNetworkGoesAndReturns(t *testing.T) {
	s, _, gate := site(t)
	neighbour := s.host("neighbour", 32)
	p := startPanel(gate, config{
		targets: []string{"sip:phone@10.0.0.31:5060"}, neighbour: "sip:phone@10.0.0.32:5060", call: "ring_for: 3s",
	})
	gate.unplug()
	p.press()
	if result := p.ended().Result; result == "talked" {
		t.Errorf("result %q without a network", result)
	}
	gate.plug()
	phone := startSipp(neighbour, "hang_up")
	newHandpiece(neighbour)
	p.finger(button2)
	phone.played()
	if result := p.ended().Result; result != "talked" {
		t.Errorf("result %q once the network is back, want talked", result)
	}
	p.shut()
}
