//go:build board

package e2e

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// systemBoards are the boards that the service manager is run on: system calls, and
// so their filters, differ between 32 and 64 bit.
var systemBoards = []string{"qemu-virt-armhf", "qemu-virt-arm64"}

// The service manager's patience with a daemon that hangs, by its unit:
// WatchdogSec and TimeoutAbortSec.
const notified = 12*time.Second + 2*time.Second

// The panel as its units run it, under the real service manager: nothing that a
// unit takes away is missing, and what it is to take away is gone.
func TestBoardSystemd(t *testing.T) {
	for _, board := range systemBoards {
		t.Run(board, func(t *testing.T) {
			s := newStreet(t)
			startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word"})
			anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: "10.0.0.5", speaks: 600, video: true})
			viewer := newScripted(s.host("viewer", 31))
			newHandpiece(viewer.host)
			p := bootSystem(s.boardHost("board", 10), boardSetup{
				board: board,
				config: config{targets: []string{"sip:anna@10.0.0.5", viewer.uri()}, pulse: "5s", doors: []string{
					"  - {name: lift, relay: door3, pulse: 500ms, codes: [{name: lift, digits: \"3691\"}]}",
				}},
			})
			p.started()
			p.confined()
			p.wholeCall(anna, viewer)
			p.shell("doorctl open lift")
			p.edge("DOOR3", true, 0)
			p.edge("DOOR3", false, 0)
			p.missesNothing()
			p.hungUnderGuard()
			p.hungWithoutGuard()
			p.stoppedInPulse()
			if up, down := p.moves("DOOR2"); up != 1 || down != 0 {
				t.Errorf("DOOR2 rose %d and fell %d times since power-on, want 1 and 0", up, down)
			}
			p.rebootedInPulse()
		})
	}
}

// started waits for the registration, and fails unless both units are active since
// their first start.
func (p *boardPanel) started() {
	p.t.Helper()
	safe := p.edge("DOOR2", true, 0) // active low: the guard has made it safe
	p.t.Logf("power-on → relays driven safe %v", safe.At.Sub(p.Started))
	p.registered()
	registration := p.wire.first("the registrar's 200", sip(false, "SIP/2.0 200", "REGISTER"))
	p.t.Logf("power-on → registered %v", registration.at.Sub(p.Started))
	p.active()
	for _, unit := range []string{"doorguard", "doorstationd"} {
		p.wantProperties(unit, map[string]string{"ActiveState": "active", "SubState": "running", "NRestarts": "0", "UnitFileState": "enabled"})
	}
}

// active waits until the daemon has told the service manager that it is well. That
// comes after its registration; until then its watchdog does not run.
func (p *boardPanel) active() {
	p.t.Helper()
	p.shell("until systemctl -q is-active doorstationd; do usleep 300000; done")
}

// properties asks the service manager about a unit.
func (p *boardPanel) properties(unit string, names ...string) map[string]string {
	p.t.Helper()
	got := make(map[string]string)
	for line := range strings.Lines(p.shell("systemctl show -p " + strings.Join(names, ",") + " " + unit)) {
		if name, value, found := strings.Cut(strings.TrimSpace(line), "="); found {
			got[name] = value
		}
	}
	return got
}

// wantProperties fails unless a unit is so.
func (p *boardPanel) wantProperties(unit string, want map[string]string) {
	p.t.Helper()
	got := p.properties(unit, slices.Sorted(maps.Keys(want))...)
	for name, value := range want {
		if got[name] != value {
			p.t.Errorf("%s: %s is %q, want %q\n%s", unit, name, got[name], value, p.shell("journalctl -u "+unit+" -n 20 -o cat"))
		}
	}
}

// missesNothing fails if a program says that it may not do something.
func (p *boardPanel) missesNothing() {
	p.t.Helper()
	said := p.shell("journalctl -u doorguard -u doorstationd -o cat | grep -i -E 'not permitted|denied|read-only|not supported|part lost' | head -n 5")
	if said != "" {
		p.t.Errorf("the programs miss something that their units take away:\n%s", said)
	}
}

// wholeCall is one call from the finger to the open door: the viewer takes the
// picture and never answers, anna answers and opens.
func (p *boardPanel) wholeCall(anna *baresip, viewer *scripted) {
	p.t.Helper()
	p.finger("BUTTON1")
	asked := viewer.request("INVITE")
	viewer.respond(viewer.response(asked, "183 Session Progress", "viewer", viewer.answer()))
	anna.event("CALL_INCOMING")
	p.edge("LAMP_CALLING", true, 0)
	p.shownTo(viewer.host, 15)
	anna.accept()
	viewer.respond(viewer.response(viewer.request("CANCEL"), "200 OK", "viewer", ""),
		viewer.response(asked, "487 Request Terminated", "viewer", ""))
	anna.event("CALL_ESTABLISHED")
	p.wire.first("the picture of the kernel's camera", p.pictureTo(anna.host))
	if n := p.shell("ls -l /proc/$(pidof doorstationd)/fd | grep -c /dev/snd/pcm || true"); n != "2" {
		p.t.Errorf("the daemon has %s ends of the sound card open in a call, want 2", n)
	}
	anna.types(rightCode + endKey)
	p.edge("DOOR1", true, 0)
	anna.hangUp()
	p.edge("DOOR1", false, 0)
	wantRecord(p.t, p.ended(), "talked", map[timeline.Name]int{
		timeline.Press: 1, timeline.EarlyAnswer: 1, timeline.Answered: 1, timeline.CodeRight: 1, timeline.RelayOn: 1, timeline.RelayOff: 1,
	})
	p.wantEarlyPicture(viewer.host)
}

// hungUnderGuard lets the daemon hang: the guard, within its unit, may end it.
func (p *boardPanel) hungUnderGuard() {
	p.t.Helper()
	took := p.hung()
	if took > restarted+stall {
		p.t.Errorf("the daemon was started again %v after it hung, want %v at most", took, restarted)
	}
	p.registered()
}

// hungWithoutGuard lets the daemon hang while there is no guard: the service
// manager's own watchdog ends it, and brings the guard back with it.
func (p *boardPanel) hungWithoutGuard() {
	p.t.Helper()
	p.shell("systemctl stop doorguard")
	took := p.hung()
	if took > notified+2*stall { // a new sandbox takes the emulated processor long
		p.t.Errorf("without a guard the daemon was started again %v after it hung, want %v at most", took, notified)
	}
	if n := p.shell("journalctl -u doorstationd -o cat | grep -c 'Watchdog timeout'"); n != "1" {
		p.t.Errorf("the service manager's watchdog ran out %s times, want once", n)
	}
	p.registered()
}

// hung stops the daemon in its tracks and gives the time until the service
// manager has started it again, by the guest's clock.
func (p *boardPanel) hung() time.Duration {
	p.t.Helper()
	p.active()
	const start = "ExecMainStartTimestampMonotonic" // microseconds
	at, err := time.ParseDuration(p.shell("pidof doorstationd >/tmp/hung; kill -STOP $(cat /tmp/hung); cut -d' ' -f1 /proc/uptime") + "s")
	if err != nil {
		p.t.Fatal(err)
	}
	p.shell(`until systemctl show -p MainPID doorstationd | grep -v -x -e MainPID=0 -e MainPID=$(cat /tmp/hung); do usleep 500000; done`)
	again, err := time.ParseDuration(p.properties("doorstationd", start)[start] + "us")
	if err != nil {
		p.t.Fatal(err)
	}
	p.t.Logf("daemon hangs → started again %v", again-at)
	return again - at
}

// stoppedInPulse stops both units while a door is open: the line falls with the
// daemon, which takes its registration back, and both end with status 0.
func (p *boardPanel) stoppedInPulse() {
	p.t.Helper()
	at := p.endedInPulse("systemctl stop doorstationd")
	p.shell("systemctl stop doorstationd") // waits for its end
	p.t.Logf("systemctl stop → stopped %v", time.Since(at))
	p.shell("systemctl stop doorguard")
	for _, unit := range []string{"doorguard", "doorstationd"} {
		p.wantProperties(unit, map[string]string{"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"})
	}
	if p.Level("DOOR1") || !p.Level("DOOR2") || p.Level("DOOR3") {
		p.t.Errorf("stopped, with DOOR1 high: %v, DOOR2 (active low) high: %v, DOOR3 high: %v", p.Level("DOOR1"), p.Level("DOOR2"), p.Level("DOOR3"))
	}
}

// rebootedInPulse starts the units anew, and the whole board while a door is open:
// the line falls before the reset, and the panel is there again after it.
func (p *boardPanel) rebootedInPulse() {
	p.t.Helper()
	p.shell("systemctl start doorguard doorstationd")
	p.registered()
	at := p.endedInPulse("systemctl reboot")
	reset := p.event("RESET", 0)
	p.t.Logf("systemctl reboot → reset %v", reset.At.Sub(at))
	p.console(1)
	p.registered()
	p.t.Logf("reset → registered again %v", time.Since(reset.At))
	if up, down := p.moves("DOOR1"); p.Level("DOOR1") || up != down {
		p.t.Errorf("DOOR1 rose %d and fell %d times", up, down)
	}
}

// endedInPulse lets a command end the daemon while a door is open, and waits until
// the line is safe and the registration taken back. It returns when that began.
func (p *boardPanel) endedInPulse(command string) time.Time {
	p.t.Helper()
	up, down := p.moves("DOOR1")
	p.shell("doorctl open front")
	p.edge("DOOR1", true, up)
	at := time.Now()
	if err := p.Tell(command); err != nil {
		p.t.Fatal(err)
	}
	off := p.edge("DOOR1", false, down)
	p.t.Logf("%s → line safe %v", command, off.At.Sub(at))
	p.wire.first("the end of the registration", func(k packet) bool {
		return k.at.After(at) && sip(true, "REGISTER ", "REGISTER")(k) && headerOf(k.payload, "Expires") == "0"
	})
	return at
}
