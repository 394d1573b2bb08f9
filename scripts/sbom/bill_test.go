package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// One small program of ours, built and taken apart: its bill names what is
// linked, and no more, and two runs write the same.
func TestBillOfAProgram(t *testing.T) {
	program := filepath.Join(t.TempDir(), "doorguard")
	build := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", program, "doorstation/firmware/doorguard")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	first := writeBill(t, program)
	var b bill
	if err := json.Unmarshal(first, &b); err != nil {
		t.Fatal(err)
	}
	if b.Metadata.Component.Name != "doorguard" || b.Metadata.Component.Version != "v1" {
		t.Errorf("about %q %q", b.Metadata.Component.Name, b.Metadata.Component.Version)
	}
	refs := map[string]bool{"doorguard": true}
	names := map[string]bool{}
	for _, c := range b.Components {
		refs[c.Ref], names[c.Name] = true, true
		if len(c.Licences) != 1 || c.Licences[0].Expression == "" {
			t.Errorf("%s has no licence", c.Name)
		}
	}
	if !names["std"] || !names["golang.org/x/sys"] || names["github.com/emiago/sipgo"] {
		t.Errorf("components %v: want std and x/sys, and no SIP in the guard", names)
	}
	for _, d := range b.Dependencies {
		for _, ref := range append(d.On, d.Ref) {
			if !refs[ref] {
				t.Errorf("dependency on %q, which is no component", ref)
			}
		}
	}
	if again := writeBill(t, program); string(again) != string(first) {
		t.Error("the second run wrote another bill")
	}
}

func writeBill(t *testing.T, program string) []byte {
	t.Helper()
	if err := run("v1", []string{program}); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(program + ".cdx.json")
	if err != nil {
		t.Fatal(err)
	}
	listed, err := os.ReadFile(filepath.Join(filepath.Dir(program), "licences.txt"))
	if err != nil || !strings.Contains(string(listed), "golang.org/x/sys") {
		t.Errorf("licences.txt: %v, or x/sys is not in it", err)
	}
	return raw
}

func TestNoProgramIsAnError(t *testing.T) {
	file := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(file, []byte("no program"), 0o666); err != nil {
		t.Fatal(err)
	}
	if err := run("v1", []string{file}); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("error %v, want one that names the file", err)
	}
}

func TestModulesOfAnotherTreeAreRefused(t *testing.T) {
	parts := []part{{name: "example.org/a", version: "v1.0.0", module: true}}
	if err := agree(map[string]string{"example.org/a": "v1.0.1"}, parts); err == nil {
		t.Error("agreed to a program with another version")
	}
}
