package e2e

import (
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// Phones that call the panel, and whose messages meet ours.
func TestRacesOfCallers(t *testing.T) {
	t.Parallel()
	var (
		talked = map[timeline.Name]int{timeline.Incoming: 1, timeline.Answered: 1, timeline.Reoffer: 0}
		again  = map[timeline.Name]int{timeline.Incoming: 1, timeline.Answered: 1, timeline.Reoffer: 1}
		gone   = map[timeline.Name]int{timeline.Incoming: 1, timeline.Answered: 0}
	)
	play(t, map[string]story{
		"call_never_acked":    {result: "cancelled", marks: gone, call: "no_media_for: 0s", also: answeredAgain, lasts: true},
		"call_too_brief":      {result: "talked", marks: talked},
		"call_offerless":      {result: "talked", marks: talked},
		"call_reinvite_first": {result: "talked", marks: again},
		"call_merged":         {result: "talked", marks: talked},
		"call_early_update":   {result: "talked", marks: talked},
		"call_cancel_late":    {result: "talked", marks: talked},
		"call_cancel":         {result: "cancelled", marks: gone},
		"call_early_bye":      {result: "cancelled", marks: gone},
	}, callsPanel)
}

// answeredAgain fails unless our 200 was repeated until the BYE, 64 times T1
// later (RFC 3261 section 13.3.1.4).
func answeredAgain(t *testing.T, p *panel, _ *host) {
	answers := p.wire.all(sip(true, "SIP/2.0 200", "INVITE"))
	byes := p.wire.all(sip(true, "BYE ", "BYE"))
	if len(answers) < 8 || len(byes) != 1 {
		t.Fatalf("%d times 200, %d BYE; want 200 at least 8 times, and one BYE", len(answers), len(byes))
	}
	if took := byes[0].at.Sub(answers[0].at); took < 31*time.Second {
		t.Errorf("BYE comes %v after the first 200, want 32 s", took)
	}
}

// Somebody who may call the panel does so while it rings: he is busied out, and
// nothing of it is in the record.
func TestCallerMeetsPress(t *testing.T) {
	t.Parallel()
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "ring")
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: "ring_for: 3s", extra: []string{listed}})
	p.press()
	p.calls(control.CallRinging)
	playSipp(s.host("caller", 32), "call_busy", []string{"sip:phone@", "sip:thief@"}, gate.at(5060).String()).played()
	phone.played()
	wantRecord(t, p.ended(), "no-answer", map[timeline.Name]int{timeline.Incoming: 0, timeline.Cancelled: 1})
}

// Another phone that may call the panel, and knows everything of the call, types
// the code, takes the sound and hangs up: none of it counts.
func TestThiefOfACall(t *testing.T) {
	t.Parallel()
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "answer")
	newHandpiece(phone.host)
	thief := s.host("thief", 32)
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: "talk_for: 4s, warn_before: 1s", extra: []string{listed}})
	p.press()
	p.wire.first("our sound", rtp(true, phone.host.at(6000)))
	invite := p.wire.first("our INVITE", sip(true, "INVITE ", "INVITE")).payload
	words := []string{"[from]", headerOf(invite, "To") + ";tag=phone", "[to]", headerOf(invite, "From"), "[target]", "sip:panel@" + gate.at(5060).String()}
	for i, digit := range rightCode + endKey {
		words = append(words, "[code"+string(rune('1'+i))+"]", string(digit))
	}
	playSipp(thief, "thief", words, "-cid_str", headerOf(invite, "Call-ID"), gate.at(5060).String()).played()
	phone.played()
	wantRecord(t, p.ended(), "time-limit", map[timeline.Name]int{timeline.Answered: 1, timeline.Digit: 0, timeline.Reoffer: 0})
	if sound := p.wire.all(rtp(true, thief.at(6000))); len(sound) != 0 {
		t.Errorf("%d packets of sound went to the thief", len(sound))
	}
	p.shut()
}
