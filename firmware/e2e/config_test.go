package e2e

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
)

// A config is what a test wants of the panel's configuration; the rest is as
// below.
type config struct {
	revision  string   // default "e2e"
	targets   []string // phones of the first stage
	then      []string // of the second, none by default
	direct    []string // phones of the last resort, none by default
	stageFor  string   // default 30s
	call      string   // inside of call: {…}
	password  string   // of the account, default the right one
	registrar string   // default 10.0.0.5
	transport string   // default udp
	account   string   // further settings of account: {…}
	keypad    string   // further settings of keypad: {…}
	neighbour string   // phone of a second flat with button2, none by default
	pulse     string   // of the door, default 1s
	doors     []string // lines of further ones
	extra     []string // further lines
}

const (
	panelPassword = "a-long-password"
	rightCode     = "2580"
	wrongCode     = "1111"
	endKey        = "#"
)

func (c config) yaml(h *host) string {
	registrar := cmp.Or(c.registrar, "10.0.0.5")
	stageFor := cmp.Or(c.stageFor, "30s")
	lines := []string{
		"revision: " + cmp.Or(c.revision, "e2e"),
		"panel: {name: Gate}",
		fmt.Sprintf("network: {address: %q}", h.addr),
		fmt.Sprintf("account: {user: panel, password: %s, domain: %q, transport: %s, spread: 0s%s}",
			cmp.Or(c.password, panelPassword), registrar, cmp.Or(c.transport, "udp"), c.account),
		"flats:",
		"  - name: First floor",
		"    button: button1",
		"    stages:",
		stage(c.targets, stageFor),
	}
	if len(c.then) > 0 {
		lines = append(lines, stage(c.then, stageFor))
	}
	if len(c.direct) > 0 {
		lines = append(lines, `    direct: ["`+strings.Join(c.direct, `", "`)+`"]`)
	}
	if c.neighbour != "" {
		lines = append(lines, "  - name: Second floor", "    button: button2", "    stages:",
			stage([]string{c.neighbour}, stageFor))
	}
	lines = append(lines,
		"doors:",
		fmt.Sprintf("  - {name: front, relay: door1, pulse: %s, codes: [{name: residents, digits: %q}]}", cmp.Or(c.pulse, "1s"), rightCode))
	lines = append(append(lines, c.doors...),
		fmt.Sprintf("keypad: {end_key: %q%s}", endKey, c.keypad),
		fmt.Sprintf("call: {%s}", c.call))
	return strings.Join(append(lines, c.extra...), "\n")
}

func stage(targets []string, length string) string {
	quoted := make([]string, len(targets))
	for i, uri := range targets {
		quoted[i] = fmt.Sprintf("%q", uri)
	}
	return fmt.Sprintf("      - {targets: [%s], for: %s}", strings.Join(quoted, ", "), length)
}

// site is a street with a registrar, which every panel needs, and a place for
// the panel.
func site(t testing.TB) (*street, *kamailio, *host) {
	t.Helper()
	s := newStreet(t)
	k := startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word", "ben": "another"})
	return s, k, s.host("panel", 10)
}
