//go:build board

package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"doorstation/board/devicetree"
	"doorstation/board/emulator"
)

// TestBoardDetectOnAKernel runs doorctl on an emulated board: periph finds the
// machine and its chips, and the labels are those that the board files of real boards are
// checked with.
func TestBoardDetectOnAKernel(t *testing.T) {
	const board, tree = "imx6ul-evk", "imx6ul-14x14-evk.dtb"
	program := filepath.Join(t.TempDir(), "doorctl")
	build := exec.Command("go", "build", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH=arm", "GOARM=7")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m, err := emulator.Boot(t.Context(), emulator.Options{Board: board, Files: []emulator.File{{Path: "/bin/doorctl", From: program}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	out, code, err := m.Run(t.Context(), "/bin/doorctl board detect -json | tr -d ' \\n'")
	var d detected
	if err != nil || json.Unmarshal([]byte(out), &d) != nil {
		t.Fatalf("%v, %d: %s", err, code, out)
	}
	if len(d.Fits) != 1 || d.Fits[0].Board != board || !slices.Contains(d.Machine.Compatible, "fsl,imx6ul") {
		t.Errorf("machine %+v, fits %+v", d.Machine, d.Fits)
	}
	for _, l := range d.Lines {
		if l.At == "" || l.User != "" {
			t.Errorf("%+v, want it there and free", l)
		}
	}
	labels := make(map[string]int)
	for _, c := range d.Chips {
		labels[c.Label] = len(c.Lines)
	}
	for _, c := range stockChips(t, tree) {
		if lines, ok := labels[c.Label]; c.Label != "" && (!ok || lines != c.Lines) {
			t.Errorf("the tree's chip %v of %d lines is not among the kernel's: %v", c, c.Lines, labels)
		}
	}
}

// stockChips are the chips of a tree as package devicetree reads it.
func stockChips(t *testing.T, name string) []*devicetree.Chip {
	t.Helper()
	kit, err := emulator.Fetch(t.Context(), "armhf")
	if err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(kit.DeviceTree(name))
	if err != nil {
		t.Fatal(err)
	}
	tree, err := devicetree.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return tree.Chips()
}
