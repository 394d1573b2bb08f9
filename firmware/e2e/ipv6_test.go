package e2e

import (
	"testing"

	"doorstation/callflow/timeline"
)

// The main story over IPv6 alone: registrar, phone and panel have both kinds of
// addresses, and the configuration names the new one.
func TestOverIPv6(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			s := newStreet(t)
			place, gate := s.host6("proxy", 5), s.host6("panel", 10)
			startKamailio(place, map[string]string{"panel": panelPassword, "anna": "a-word"})
			domain := place.literal()
			anna := startBaresip(s.host6("anna", 20), handset{
				user: "anna", password: "a-word", domain: domain, speaks: 700, video: true, transport: transport,
			})
			p := startPanel(gate, config{registrar: domain, transport: transport, targets: []string{"sip:anna@" + domain}})
			p.says(1000)
			p.press()
			anna.event("CALL_INCOMING")
			anna.accept()
			anna.event("CALL_ESTABLISHED")
			p.hears(700)
			p.wire.first("our sound", audioTo(anna.host))
			anna.types(wrongCode + endKey)
			p.becomesWrong(1)
			p.shut()
			anna.types(rightCode + endKey)
			p.opened(1)
			anna.hangUp()
			record := p.ended()
			anna.stop()
			wantRecord(t, record, "talked", map[timeline.Name]int{
				timeline.Answered: 1, timeline.CodeWrong: 1, timeline.CodeRight: 1, timeline.HungUp: 1,
			})
			wantTone(t, "anna hears the visitor", anna.recording("dec"), 1000)
			if len(p.videoOf(anna.host)) == 0 {
				t.Error("no picture went to anna")
			}
			if old := p.wire.all(func(k packet) bool { return k.src.Addr().Is4() }); len(old) != 0 {
				t.Errorf("%d packets over IPv4, want none; the first from %v to %v", len(old), old[0].src, old[0].dst)
			}
		})
	}
}
