//go:build board

package e2e

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"doorstation/board/emulator"
)

// bootSystem switches on a board whose init is systemd, with the panel installed
// in it, and waits for its console.
func bootSystem(h *host, set boardSetup) *boardPanel {
	h.t.Helper()
	p := newBoardPanel(h, set)
	p.opt.System = true
	p.opt.Files = p.systemFiles(set)
	p.on()
	p.console(0)
	return p
}

// console waits for the console after so many resets. The service manager starts
// much more than our own init.
func (p *boardPanel) console(resets int) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.t.Context(), 3*boardPatience)
	defer cancel()
	if _, err := p.Mark(ctx, "ready", resets); err != nil {
		p.t.Fatal(err)
	}
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
