package main

import (
	"bytes"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// demonstrate runs `sim demo` and gives what it printed.
func demonstrate(t *testing.T, flags ...string) (string, error) {
	t.Helper()
	args := append([]string{"demo", "-board", filepath.Join("..", "..", "board", "sim.yaml")}, flags...)
	cmd := exec.CommandContext(t.Context(), filepath.Join(built, "sim"), args...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, t.Output()
	err := cmd.Run()
	return out.String(), err
}

func TestDemo(t *testing.T) {
	out, err := demonstrate(t)
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	at := 0
	for _, step := range []string{"register", "press", "ring", "early picture", "answer", "talk", "wrong code", "right code", "door opens", "goes in", "door closes", "hang up", "relay-on"} {
		found := strings.Index(out[at:], step)
		if found < 0 {
			t.Fatalf("step %q is missing, or not in its place:\n%s", step, out)
		}
		at += found
	}
}

// Without the guard everything works but the door: its step comes from the line
// and from nothing that the panel says.
func TestDemoWithoutGuard(t *testing.T) {
	out, err := demonstrate(t, "-without-guard")
	if err == nil {
		t.Fatalf("a door opened without a guard:\n%s", out)
	}
	if !strings.Contains(out, "right code") || !strings.Contains(out, "FAILED  door opens") {
		t.Errorf("it failed, but not at the door:\n%s", out)
	}
}
