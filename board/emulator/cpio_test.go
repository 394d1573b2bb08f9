package emulator

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// The archive is read by busybox's rules in the guest; here its layout is
// pinned: what is where, each header at a multiple of four.
func TestArchive(t *testing.T) {
	var out bytes.Buffer
	a := newArchive(&out)
	a.file("/etc/doorstation/panel.yaml", 0o640, []byte("revision: 1\n"))
	a.file("etc/services", 0, nil)
	a.link("bin/sh", "busybox")
	if err := a.close(); err != nil {
		t.Fatal(err)
	}
	if out.Len()%512 != 0 {
		t.Errorf("%d bytes, want a multiple of 512", out.Len())
	}
	var names []string
	for at, raw := 0, out.Bytes(); ; {
		if string(raw[at:at+6]) != "070701" {
			t.Fatalf("no header at %d", at)
		}
		field := func(n int) int { return hexField(t, raw[at+6+8*n:]) }
		name := string(raw[at+110 : at+110+field(11)-1])
		if name == "TRAILER!!!" {
			break
		}
		names = append(names, name)
		at = pad4(at+110+field(11)) + field(6)
		at = pad4(at)
	}
	want := []string{"etc", "etc/doorstation", "etc/doorstation/panel.yaml", "etc/services", "bin", "bin/sh"}
	if !slices.Equal(names, want) {
		t.Errorf("entries %q, want %q", names, want)
	}
}

func hexField(t *testing.T, b []byte) int {
	t.Helper()
	n := 0
	for _, c := range string(b[:8]) {
		d := strings.IndexRune("0123456789ABCDEF", c)
		if d < 0 {
			t.Fatalf("%q is no field", b[:8])
		}
		n = 16*n + d
	}
	return n
}

func pad4(n int) int { return (n + 3) &^ 3 }

func TestBoards(t *testing.T) {
	for _, board := range Boards() {
		lines := Lines(board)
		if !slices.Contains(lines, "BUTTON1") || !slices.Contains(lines, "DOOR1") {
			t.Errorf("%s has the lines %q, want BUTTON1 and DOOR1 among them", board, lines)
		}
		if Arch(board) == "" {
			t.Errorf("%s has no architecture", board)
		}
	}
	if _, err := modelOf("toaster"); err == nil || !strings.Contains(err.Error(), "qemu-virt-armhf") {
		t.Errorf("an unknown board: %v, want the names of the known ones", err)
	}
}

// The guest's init is run by busybox's shell; this machine's must find no fault
// in it either.
func TestInitIsShell(t *testing.T) {
	out, err := exec.Command("sh", "-n", filepath.Join("guest", "init")).CombinedOutput()
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
