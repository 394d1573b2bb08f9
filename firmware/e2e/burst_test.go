package e2e

import (
	"strings"
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// Two leaves of one fork answer in one burst: both are acknowledged, the second
// is ended, and the first goes on (RFC 3261 section 13.2.2.4).
func TestForkAnswersTwice(t *testing.T) {
	s, _, gate := site(t)
	phone := newScripted(s.host("phone", 31))
	newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{phone.uri()}})
	p.press()
	invite := phone.request("INVITE")
	phone.respond(
		phone.response(invite, "180 Ringing", "leaf-a", ""),
		phone.response(invite, "180 Ringing", "leaf-b", ""),
		phone.response(invite, "200 OK", "leaf-a", phone.answer()),
		phone.response(invite, "200 OK", "leaf-b", phone.answer()))
	bye := phone.request("BYE")
	if to := headerOf([]byte(bye), "To"); !strings.Contains(to, "leaf-b") {
		t.Errorf("BYE to %s, want leaf-b", to)
	}
	phone.respond(phone.response(bye, "200 OK", "", ""))
	p.calls(control.CallTalking)
	p.wire.first("our sound", rtp(true, phone.host.at(6000)))
	phone.bye("leaf-a")
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1})
	acked := map[string]bool{}
	for _, k := range p.wire.all(sip(true, "ACK ", "ACK")) {
		_, tag, _ := strings.Cut(headerOf(k.payload, "To"), ";tag=")
		acked[tag] = true
	}
	if !acked["leaf-a"] || !acked["leaf-b"] {
		t.Errorf("acknowledged: %v, want leaf-a and leaf-b", acked)
	}
	if n := p.requests("BYE", phone.host); n != 1 {
		t.Errorf("%d BYE, want 1", n)
	}
}

// Two reliable provisional responses at once, the answer in the first, none in
// the 200: each has its PRACK, in order (RFC 3262 section 4).
func TestTwoReliableProvisionals(t *testing.T) {
	s, _, gate := site(t)
	phone := newScripted(s.host("phone", 31))
	newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: "talk_for: 2s, warn_before: 1s"})
	p.press()
	invite := phone.request("INVITE")
	if !strings.Contains(headerOf([]byte(invite), "Supported"), "100rel") {
		t.Errorf("Supported: %q, want 100rel in it", headerOf([]byte(invite), "Supported"))
	}
	phone.respond(
		phone.response(invite, "183 Session Progress", "phone", phone.answer(), "Require: 100rel", "RSeq: 7"),
		phone.response(invite, "180 Ringing", "phone", "", "Require: 100rel", "RSeq: 8"))
	for _, number := range []string{"7 ", "8 "} {
		prack := phone.request("PRACK")
		if got := headerOf([]byte(prack), "RAck"); !strings.HasPrefix(got, number) {
			t.Errorf("RAck: %q, want RSeq %s", got, number)
		}
		phone.respond(phone.response(prack, "200 OK", "", ""))
	}
	p.wire.first("our picture before the answer", rtp(true, phone.host.at(6002)))
	phone.respond(phone.response(invite, "200 OK", "phone", ""))
	ack := phone.request("ACK")
	if got, want := headerOf([]byte(ack), "CSeq"), strings.Fields(headerOf([]byte(invite), "CSeq"))[0]+" ACK"; got != want {
		t.Errorf("the ACK's CSeq is %q, want %q, the INVITE's", got, want)
	}
	p.wire.first("our sound", rtp(true, phone.host.at(6000)))
	phone.respond(phone.response(phone.request("BYE"), "200 OK", "", ""))
	wantRecord(t, p.ended(), "time-limit", map[timeline.Name]int{timeline.EarlyAnswer: 1, timeline.Answered: 1})
}
