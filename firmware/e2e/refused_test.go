package e2e

import (
	"strings"
	"testing"
	"time"

	"doorstation/firmware/control"
)

// The preferred server takes no registrations: it asks to be left alone for a
// time, or sends the panel to the other server of its domain, where the panel is
// registered.
func TestRegistrationGoesToTheOtherServer(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"503 with Retry-After": `append_to_reply("Retry-After: 600\r\n"); sl_send_reply("503", "Not now");`,
		"301 in the domain":    `append_to_reply("Contact: <sip:two.house.example:5060>\r\n"); sl_send_reply("301", "Moved");`,
		"302 in the domain":    `append_to_reply("Contact: <sip:two.house.example>\r\n"); sl_send_reply("302", "Elsewhere");`,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k, gate, c := preparePair(t, "udp")
			k.first.kill()
			k.first.atOnce = `if (is_method("REGISTER")) { ` + answer + ` exit; }`
			k.first.start()
			k.panel = startPanel(gate, c)
			t.Logf("registered at the second server after %v", k.panel.registeredAt(k.second).Round(time.Millisecond))
			k.panel.wire.first("the answer of the one that took none", func(k packet) bool {
				return sip(false, "SIP/2.0 "+name[:3], "REGISTER")(k)
			})
			if n := k.panel.requests("REGISTER", k.first.host); n != 1 {
				t.Errorf("%d REGISTERs to the server that took none, want 1", n)
			}
		})
	}
}

// A server sends the panel out of its domain: it does not go there, and says why.
func TestRegistrationIsSentOutOfTheDomain(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	thief := startKamailio(s.host("thief", 6), map[string]string{"panel": panelPassword})
	proxy := &kamailio{
		host: s.host("proxy", 5), users: map[string]string{"panel": panelPassword},
		atOnce: `if (is_method("REGISTER")) { append_to_reply("Contact: <sip:10.0.0.6>\r\n"); sl_send_reply("302", "Elsewhere"); exit; }`,
	}
	proxy.start()
	p := newPanel(s.host("panel", 10))
	p.source = []string{"-config", p.config(config{targets: []string{"sip:anna@10.0.0.5"}})}
	p.startDaemon()
	p.becomes("complaining of the redirection", func(s control.Status) bool {
		return s.Registration.State != control.RegistrationOK && strings.Contains(s.Registration.Reason, "elsewhere")
	})
	if n := p.requests("REGISTER", thief.host); n != 0 {
		t.Errorf("%d REGISTERs went out of the domain, want none", n)
	}
}
