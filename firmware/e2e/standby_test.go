package e2e

import (
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// The only server dies, and somebody presses: the flat's phone is rung by its
// address.
func TestFlatIsRungWithoutAServer(t *testing.T) {
	s, proxy, gate := site(t)
	phone := startSipp(s.host("phone", 31), "hang_up")
	newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{"sip:anna@" + proxy.host.addr.String()}, direct: []string{phone.uri()}})
	proxy.kill()
	p.press()
	p.calls(control.CallTalking)
	record := p.ended()
	phone.played()
	wantRecord(t, record, "talked", map[timeline.Name]int{timeline.Refused: 1, timeline.Answered: 1})
}

// The first account's server is not there at all: the call goes by the standby
// account, to the phone of the same name in its domain.
func TestStandbyAccount(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	p := startPanel(gate, config{registrar: "10.0.0.9", targets: []string{"sip:anna@10.0.0.9"},
		extra: []string{"standby: {user: panel, password: " + panelPassword + ", domain: " + domain + "}"}})
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.hears(700)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1})
}
