//go:build board

package e2e

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/board/emulator"
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
		})
	}
}

// bootSystem switches on a board whose init is systemd, with the panel installed
// in it, and waits for its console.
func bootSystem(h *host, set boardSetup) *boardPanel {
	h.t.Helper()
	p := newBoardPanel(h, set)
	p.opt.System = true
	p.opt.Files = p.systemFiles(set)
	p.on()
	ctx, cancel := context.WithTimeout(h.t.Context(), 3*boardPatience) // it starts much more than our init
	defer cancel()
	if _, err := p.Mark(ctx, "ready", 0); err != nil {
		h.t.Fatal(err)
	}
	return p
}

// systemFiles are the panel's files where its units expect them.
func (p *boardPanel) systemFiles(set boardSetup) []emulator.File {
	p.t.Helper()
	files := append([]emulator.File{
		{Path: "etc/doorstation/board.json", Content: compiledBoard(p.t, set)},
		{Path: "etc/doorstation/panel.yaml", Content: []byte(set.yaml(p.host))},
		{Path: "etc/doorstation/doorstationd.env", Content: []byte("DOORSTATION_ARGS=-verbose -config /etc/doorstation/panel.yaml\n")},
		{Path: "usr/bin/doorctl", From: crossProgram(p.t, set.board, "doorctl")},
		{Path: "install", Content: []byte("systemd-sysusers && systemctl enable doorguard.service doorstationd.service\n")},
	}, set.files...)
	for _, name := range []string{"doorguard", "doorstationd"} {
		files = append(files, emulator.File{Path: "usr/lib/doorstation/" + name, From: crossProgram(p.t, set.board, name)})
	}
	return append(files, shippedUnits(p.t)...)
}

// shippedUnits are the files of scripts/systemd. The units go where an
// administrator puts them, the others where their first line says.
func shippedUnits(t testing.TB) []emulator.File {
	t.Helper()
	found, err := filepath.Glob("../../scripts/systemd/*")
	if err != nil || len(found) == 0 {
		t.Fatalf("no units: %v", err)
	}
	files := make([]emulator.File, 0, len(found))
	for _, from := range found {
		content, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		to := path.Join("/etc/systemd/system", filepath.Base(from))
		if path.Ext(to) != ".service" {
			first, _, _ := strings.Cut(string(content), "\n")
			words := strings.FieldsFunc(first, func(r rune) bool { return strings.ContainsRune("#: ", r) })
			if len(words) == 0 || !path.IsAbs(words[0]) {
				t.Fatalf("%s does not begin with where it goes: %q", from, first)
			}
			to = words[0]
		}
		files = append(files, emulator.File{Path: strings.TrimPrefix(to, "/"), Content: content})
	}
	return files
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

// confined fails unless the kernel holds the programs to what their units allow.
func (p *boardPanel) confined() {
	p.t.Helper()
	for _, c := range []struct{ what, script, want string }{
		{"the daemon's user", `stat -c %U /proc/$(pidof doorstationd)`, "doorstation"},
		{"the daemon's capabilities", `grep CapBnd: /proc/$(pidof doorstationd)/status | cut -f2`, "0000000000000000"},
		{"the daemon's filter of system calls", `grep Seccomp: /proc/$(pidof doorstationd)/status | cut -f2`, "2"},
		{"the daemon's niceness", `cut -d' ' -f19 /proc/$(pidof doorstationd)/stat`, "-10"},
		{"the guard's scheduling, first in first out", `cut -d' ' -f41 /proc/$(pidof doorguard)/stat`, "1"},
		{"the guard's network", `cmp -s /proc/1/net/dev /proc/$(pidof doorguard)/net/dev; echo $?`, "1"},
		{"the guard's watchdog", `ls -l /proc/$(pidof doorguard)/fd | grep -c /dev/watchdog || true`, p.shell("ls /dev | grep -c '^watchdog0$' || true")},
	} {
		if got := p.shell(c.script); got != c.want {
			p.t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
	for _, unit := range []string{"doorguard", "doorstationd"} {
		// Root, where the program is: what is refused is refused by the unit.
		out := p.shell(fmt.Sprintf(`(echo 0 >/sys/fs/cgroup/system.slice/%[1]s.service/cgroup.procs; : </dev/kmsg) 2>&1 || true
mounts=/proc/$(pidof %[1]s)/mounts
grep -q ' / [a-z0-9]* ro,' $mounts && echo kept`, unit))
		if !strings.Contains(out, "not permitted") || !strings.HasSuffix(out, "kept") {
			p.t.Errorf("%s may open the kernel's log, or write to the system: %q", unit, out)
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
	up, down := p.moves("DOOR1")
	p.shell("doorctl open front")
	p.edge("DOOR1", true, up)
	at := time.Now()
	p.shell("systemctl stop doorstationd")
	off := p.edge("DOOR1", false, down)
	p.t.Logf("systemctl stop → line safe %v, stopped %v", off.At.Sub(at), time.Since(at))
	p.wire.first("the end of the registration", func(k packet) bool {
		return k.at.After(at) && sip(true, "REGISTER ", "REGISTER")(k) && headerOf(k.payload, "Expires") == "0"
	})
	p.shell("systemctl stop doorguard")
	for _, unit := range []string{"doorguard", "doorstationd"} {
		p.wantProperties(unit, map[string]string{"ActiveState": "inactive", "Result": "success", "ExecMainStatus": "0"})
	}
	if p.Level("DOOR1") || !p.Level("DOOR2") || p.Level("DOOR3") {
		p.t.Errorf("stopped, with DOOR1 high: %v, DOOR2 (active low) high: %v, DOOR3 high: %v", p.Level("DOOR1"), p.Level("DOOR2"), p.Level("DOOR3"))
	}
}
