package e2e

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// The registrar gives the panel a name, and calls have it as Contact: what a
// phone sends to the name comes to the panel by the registrar.
func TestCallsByTheRegistrarsName(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) { callByName(t, transport) })
	}
}

func callByName(t *testing.T, transport string) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	wire := anna.host.capture()
	p := startPanel(gate, config{
		targets: []string{"sip:anna@" + domain}, transport: transport, account: ", gruu: true",
		extra: []string{fmt.Sprintf("inbound: {allow: [\"sip:anna@%s\"]}", domain)},
	})

	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.calls(control.CallTalking)
	p.hears(700)
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.CodeRight: 1})
	invite := wire.first("the panel's INVITE", sip(false, "INVITE ", "INVITE"))
	wantByName(t, p, wire, 1, headerOf(invite.payload, "Contact"))

	anna.dial("sip:panel@" + domain)
	anna.event("CALL_ESTABLISHED")
	p.calls(control.CallTalking)
	p.hears(700)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Incoming: 1})
	ok := wire.first("the panel's 200", sip(false, "SIP/2.0 200", "INVITE"))
	wantByName(t, p, wire, 2, headerOf(ok.payload, "Contact"))
}

// wantByName fails unless the panel's Contact is a name of the registrar's, the
// phone's nth BYE went to it, and came to the panel's address.
func wantByName(t *testing.T, p *panel, phone *capture, nth int, contact string) {
	t.Helper()
	name := strings.Trim(contact, "<>")
	if !strings.HasPrefix(name, "sip:panel@10.0.0.5;gr=urn:uuid:") {
		t.Errorf("the panel's Contact is %s", contact)
	}
	if sent := phone.all(sip(true, "BYE ", "BYE")); len(sent) != nth || !strings.HasPrefix(string(sent[nth-1].payload), "BYE "+name+" ") {
		t.Errorf("the phone's BYE went elsewhere than to %s:\n%s", name, texts(sent))
	}
	if came := p.wire.all(sip(false, "BYE ", "BYE")); len(came) != nth || !toAddress.Match(came[nth-1].payload) {
		t.Errorf("want %v at the panel, there came\n%s", toAddress, texts(came))
	}
}

// toAddress begins a BYE to what the panel has registered.
var toAddress = regexp.MustCompile(`^BYE sip:panel@10\.0\.0\.10:\d+(;transport=tcp)?;ob `)

func texts(all []packet) string {
	var b strings.Builder
	for _, k := range all {
		fmt.Fprintf(&b, "%s\n", k.payload)
	}
	return b.String()
}
