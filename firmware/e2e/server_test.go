package e2e

import (
	"fmt"
	"strings"
	"testing"

	"doorstation/firmware/control"
)

// servedPanel is a panel whose configuration comes from an nginx.
func servedPanel(t *testing.T) (*panel, *nginx, func(revision string) string) {
	t.Helper()
	s, _, gate := site(t)
	document := func(revision string) string {
		return config{revision: revision, targets: []string{"sip:anna@10.0.0.5"}}.yaml(gate)
	}
	n := startNginx(s.host("config", 6), document("one"))
	p := newPanel(gate)
	p.source = []string{"-server", n.url(), "-allow-http", "-server-every", "1s"}
	p.startDaemon()
	p.registered()
	return p, n, document
}

// The configuration comes from the server, is asked for again with its ETag,
// and a new one is taken over.
func TestConfigurationFromServer(t *testing.T) {
	p, n, document := servedPanel(t)
	s := p.becomes("on revision one", revision("one"))
	if !strings.Contains(fmt.Sprint(s.Config.Warnings), "plain http") {
		t.Errorf("warnings %q, want one about plain HTTP", s.Config.Warnings)
	}
	await(t, "nginx answers 304", func() error {
		if n.requests(304) == 0 {
			return errNothing
		}
		return nil
	})
	n.serve(document("two"))
	p.becomes("on revision two", revision("two"))
}

func revision(name string) func(control.Status) bool {
	return func(s control.Status) bool { return s.Config.Revision == name && !s.Config.Trial }
}

// Whatever the server does, the panel keeps its last good configuration, says
// why, and works; what follows is taken again.
func TestServerGoesBad(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(n *nginx, good string)
		says  string // in the status, after the fault
	}{
		"404":                {func(n *nginx, _ string) { n.answers("gone") }, "404"},
		"500":                {func(n *nginx, _ string) { n.answers("broken") }, "500"},
		"truncated body":     {func(n *nginx, _ string) { n.answers("short") }, ""},
		"200 with rubbish":   {func(n *nginx, _ string) { n.serve("<html>Welcome!</html>") }, ""},
		"unknown key":        {func(n *nginx, good string) { n.serve(good + "\nvolume: 11\n") }, "volume"},
		"wrong type":         {func(n *nginx, good string) { n.serve(good + "\nvideo: {fps: many}\n") }, "fps"},
		"too long a pulse":   {func(n *nginx, good string) { n.serve(strings.Replace(good, "pulse: 1s", "pulse: 45s", 1)) }, "pulse"},
		"a target is no URI": {func(n *nginx, good string) { n.serve(strings.Replace(good, "sip:anna@10.0.0.5", "anna", 1)) }, "anna"},
		"a button twice": {func(n *nginx, good string) {
			n.serve(strings.Replace(good, "doors:", "  - {name: Again, button: button1, stages: [{targets: [\"sip:b@10.0.0.5\"], for: 5s}]}\ndoors:", 1))
		}, "button1"},
		"a code begins another": {func(n *nginx, good string) {
			open := strings.Replace(good, "keypad: {end_key: \"#\"}", "keypad: {end_key: \"\"}", 1)
			n.serve(strings.Replace(open, "codes: [", "codes: [{name: short, digits: \"25\"}, ", 1))
		}, "codes"},
		"a code of 17 digits": {func(n *nginx, good string) {
			n.serve(strings.Replace(good, `"2580"`, `"12345678901234567"`, 1))
		}, "digits"},
		"server gone": {func(n *nginx, _ string) { n.kill() }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			p, n, document := servedPanel(t)
			p.becomes("on revision one", revision("one"))
			c.spoil(n, document("bad"))
			s := p.becomes("complaining", func(s control.Status) bool { return s.Config.Error != "" })
			if s.Config.Revision != "one" || !strings.Contains(s.Config.Error, c.says) {
				t.Errorf("on revision %q, error %q; want one, and %q in the error", s.Config.Revision, s.Config.Error, c.says)
			}
			if name == "server gone" {
				return
			}
			n.answers("good")
			n.serve(document("three"))
			p.becomes("on revision three", func(s control.Status) bool { return revision("three")(s) && s.Config.Error == "" })
		})
	}
}

// A configuration that cannot register goes back by itself.
func TestTrialGoesBack(t *testing.T) {
	p, n, _ := servedPanel(t)
	n.serve(config{revision: "bad", targets: []string{"sip:anna@10.0.0.5"}, password: "not-the-password"}.yaml(p.host))
	p.becomes("back on one", func(s control.Status) bool {
		return s.Config.Revision == "one" && s.Config.Error != "" && s.Registration.State == control.RegistrationOK
	})
}

// A restart without the server runs the last good configuration.
func TestRestartWithoutServer(t *testing.T) {
	p, n, _ := servedPanel(t)
	p.becomes("on revision one", revision("one"))
	p.stopDaemon()
	n.kill()
	p.startDaemon()
	p.becomes("on revision one", revision("one"))
	p.registered()
}
