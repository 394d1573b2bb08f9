package e2e

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstation/firmware/control"
)

// What went over the wire in a call can be read afterwards, and given to
// Wireshark.
func TestTraceOfACall(t *testing.T) {
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "reliable")
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: "talk_for: 3s, warn_before: 1s"})
	p.press()
	p.calls(control.CallTalking)
	record := p.ended()
	phone.played()
	ladder, code := p.doorctl("sip", "trace", record.ID)
	for _, want := range []string{"- INVITE ", "- 183 ", "- PRACK ", "- 200 ", "- ACK ", "- BYE "} {
		if code != 0 || !strings.Contains(ladder, want) {
			t.Fatalf("%d, want %q in\n%s", code, want, ladder)
		}
	}
	if strings.Contains(ladder, "REGISTER") {
		t.Errorf("more than the call:\n%s", ladder)
	}
	file := filepath.Join(p.run, "call.pcap")
	if said, code := p.doorctl("sip", "trace", record.ID, "-pcap", file); code != 0 {
		t.Fatal(said)
	}
	raw, err := os.ReadFile(file)
	if err != nil || bytes.Count(raw, []byte("SIP/2.0/UDP")) < strings.Count(ladder, "|-")+strings.Count(ladder, "|<-") {
		t.Errorf("%d bytes: %v", len(raw), err)
	}
	p.shut()
}
