package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// flaps is how often the cable is drawn.
const flaps = 30

// The cable is drawn and put back, again and again, once for so long that the
// panel gives its registration up. It registers again each time, and nothing
// grows.
func TestLinkFlaps(t *testing.T) {
	_, proxy, gate := site(t)
	p := startPanel(gate, config{targets: []string{"sip:anna@10.0.0.5"}, account: ", keepalive: 10s"})
	descriptors := p.daemon.descriptors()
	var took []time.Duration
	for n := range flaps {
		gate.unplug()
		if n == flaps/2 {
			p.becomes("unregistered", func(s control.Status) bool { return s.Registration.State != control.RegistrationOK })
		} else {
			pause(t, 1100*time.Millisecond) // the kernel tells of a cable once a second at most
		}
		began := time.Now()
		gate.plug()
		took = append(took, p.registersAfter(began))
	}
	slices.Sort(took)
	t.Logf("registered again after %v in the median, %v at worst", took[flaps/2].Round(time.Millisecond), took[flaps-1].Round(time.Millisecond))
	p.press()
	await(t, "the panel calls", func() error {
		if p.requests("INVITE", proxy.host) == 0 {
			return errNothing
		}
		return nil
	})
	p.ended()
	p.shut()
	await(t, "nothing has grown", func() error {
		if now := p.daemon.descriptors(); now > descriptors+2 {
			return fmt.Errorf("%d file descriptors, %d before", now, descriptors)
		}
		return nil
	})
}

// registersAfter waits until a REGISTER of the panel that left after began is
// granted, and tells how long that took.
func (p *panel) registersAfter(began time.Time) time.Duration {
	p.t.Helper()
	var at time.Time
	p.daemon.until("the panel has registered again", func() error {
		for _, k := range p.wire.all(sip(false, "SIP/2.0 200", "REGISTER")) {
			if k.at.After(began) {
				at = k.at
				return nil
			}
		}
		return errNothing
	})
	p.registered()
	return at.Sub(began)
}

// descriptors counts the process's open files.
func (p *process) descriptors() int {
	p.t.Helper()
	open, err := os.ReadDir(filepath.Join("/proc", fmt.Sprint(p.cmd.Process.Pid), "fd"))
	if err != nil {
		p.t.Fatal(err)
	}
	return len(open)
}
