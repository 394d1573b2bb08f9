package e2e

import (
	"testing"

	"doorstation/callflow/timeline"
)

// A registrar in a difficult mood, played by SIPp: it wants a longer time, a
// digest of several to choose from, and a newer nonce. A clean stop takes our
// own Contact away, with the nonce that is known.
func TestDifficultRegistrar(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	registrar := startSipp(s.host("registrar", 5), "registrar")
	p := startPanel(s.host("panel", 10), config{targets: []string{"sip:anna@10.0.0.5"}, account: ", keepalive: 0s"})
	p.stopDaemon()
	registrar.played()
	p.shut()
}

// A server that registers has no time for a call: 503 with Retry-After. The same
// call goes to the next server at once, and the first is left alone.
func TestOverloadedServer(t *testing.T) {
	t.Parallel()
	s := newStreet(t)
	overloaded := playSipp(s.host("overloaded", 5), "overloaded", nil, "-m", "2")
	second := startKamailio(s.host("second", 4), map[string]string{"panel": panelPassword, "anna": "a-word"})
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: second.host.addr.String(), speaks: 700})
	p := startPanel(s.host("panel", 10), config{
		registrar: "house.example", targets: []string{"sip:anna@house.example"},
		account: `, registrar: "10.0.0.5", servers: ["10.0.0.4"], keepalive: 0s`,
	})
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.hears(700)
	anna.hangUp()
	overloaded.played()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1})
	if n := p.requests("INVITE", overloaded.host); n != 1 {
		t.Errorf("%d INVITE went to the overloaded server, want 1", n)
	}
	if s := p.status().Registration; s.Server != second.host.at(5060).String() {
		t.Errorf("registered at %s, want the second server", s.Server)
	}
}
