package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// ours are the packages of this module that the guard is made of.
var ours = []string{
	"doorstation/board", "doorstation/drivers", "doorstation/drivers/gpio", "doorstation/drivers/guard",
	"doorstation/drivers/led", "doorstation/drivers/seqpacket", "doorstation/drivers/sim", "doorstation/drivers/watchdog",
	"doorstation/firmware/doorguard",
}

// TestImportGraph keeps everything out of the guard that it has no need of. A
// change of the graph changes this test binary too, so that no old result of
// it is kept.
func TestImportGraph(t *testing.T) {
	cmd := exec.Command("go", "list", "-deps", ".")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	foreign := []string{"golang.org/x/sys/", "periph.io/x/conn/"}
	kept := []string{"net", "crypto", "html", "text/template", "log", "os/exec", "plugin", "encoding/json", "regexp"}
	for _, pkg := range strings.Fields(string(out)) {
		switch first, _, _ := strings.Cut(pkg, "/"); {
		case strings.HasPrefix(pkg, "doorstation/"):
			if !slices.Contains(ours, pkg) {
				t.Errorf("the guard imports %s", pkg)
			}
		case strings.Contains(first, "."):
			if !slices.ContainsFunc(foreign, func(p string) bool { return strings.HasPrefix(pkg, p) }) {
				t.Errorf("the guard imports %s", pkg)
			}
		case slices.ContainsFunc(kept, func(p string) bool { return pkg == p || strings.HasPrefix(pkg, p+"/") }):
			t.Errorf("the guard imports %s", pkg)
		}
	}
}
