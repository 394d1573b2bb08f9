package e2e

import (
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// soundAlone is the record of a call to a phone that refused the picture.
var soundAlone = map[timeline.Name]int{timeline.Retried: 1, timeline.Answered: 1, timeline.FirstVideoOut: 0}

// Phones that change their mind, or their place, or want more than an INVITE and
// its answer. Each ends with the panel's BYE at the end of its talk time.
func TestOffersAndAnswers(t *testing.T) {
	for scenario, want := range map[string]map[timeline.Name]int{
		"reliable":   {timeline.Ringing: 2, timeline.EarlyAnswer: 1, timeline.Answered: 1},
		"no_picture": soundAlone,
		"moved":      {timeline.Redirected: 2, timeline.Answered: 1},
		"hold":       {timeline.Answered: 1, timeline.Reoffer: 4},
		"session":    {timeline.Answered: 1, timeline.Reoffer: 1},
		"preview":    {timeline.Preview: 1, timeline.Answered: 1, timeline.Reoffer: 1, timeline.EarlyAnswer: 1, timeline.FirstVideoOut: 1},
	} {
		t.Run(scenario, func(t *testing.T) {
			s, _, gate := site(t)
			phone := startSipp(s.host("phone", 31), scenario, "[status]", "488 Not Acceptable Here")
			piece := newHandpiece(phone.host)
			p := startPanel(gate, config{targets: []string{phone.uri()}, call: "talk_for: 3s, warn_before: 1s"})
			p.press()
			p.calls(control.CallTalking)
			audio, _ := p.panelPorts(phone.host)
			piece.speak(audio, 600)
			p.hears(600)
			p.wire.first("our sound", rtp(true, phone.host.at(6000)))
			record := p.ended()
			phone.played()
			wantRecord(t, record, "time-limit", want)
			p.shut()
		})
	}
}

// Phones that the panel rings, and whose messages meet ours.
func TestRaces(t *testing.T) {
	t.Parallel()
	const briefly, soon = "talk_for: 2s, warn_before: 1s", "ring_for: 2s"
	var (
		talked   = map[timeline.Name]int{timeline.Answered: 1, timeline.EarlyAnswer: 0, timeline.Reoffer: 0}
		early    = map[timeline.Name]int{timeline.Answered: 1, timeline.EarlyAnswer: 1, timeline.Reoffer: 0}
		reoffer  = map[timeline.Name]int{timeline.Answered: 1, timeline.EarlyAnswer: 0, timeline.Reoffer: 1}
		both     = map[timeline.Name]int{timeline.Answered: 1, timeline.EarlyAnswer: 1, timeline.Reoffer: 1}
		looked   = map[timeline.Name]int{timeline.Answered: 0, timeline.Preview: 1}
		refused  = map[timeline.Name]int{timeline.Answered: 0, timeline.Invite: 1, timeline.Refused: 1}
		noAnswer = map[timeline.Name]int{timeline.Answered: 0, timeline.Invite: 1}
	)
	play(t, map[string]story{
		"glare":           {result: "talked", marks: reoffer, also: backedOff("INVITE"), lasts: true},
		"forgotten":       {result: "talked", marks: talked, also: backedOff("UPDATE"), lasts: true},
		"two_answers":     {result: "talked", marks: early},
		"reliable_gap":    {result: "talked", marks: early},
		"early_update":    {result: "talked", marks: both},
		"replaces":        {result: "talked", marks: talked},
		"late_refusals":   {result: "talked", marks: talked},
		"wrong_dialog":    {result: "talked", marks: talked},
		"bad_offer":       {result: "talked", marks: reoffer},
		"media_moves":     {result: "talked", marks: reoffer, also: toOtherPort},
		"elsewhere":       {result: "time-limit", marks: reoffer, call: briefly},
		"bye_crosses_bye": {result: "time-limit", marks: talked, call: briefly},
		"bye_401":         {result: "time-limit", marks: talked, call: briefly},
		"bye_unanswered":  {result: "time-limit", marks: talked, call: briefly},
		"asks_password":   {result: "unreachable", marks: refused},
		"moved_away":      {result: "unreachable", marks: refused},
		"preview_only":    {result: "no-answer", marks: looked, call: soon},
		"never_487":       {result: "no-answer", marks: noAnswer, call: soon},
		"foreign_route":   {result: "no-answer", marks: noAnswer, call: soon},
		"late_ring":       {result: "no-answer", marks: noAnswer, call: soon},
		"late_answer":     {result: "no-answer", marks: noAnswer, call: soon},

		"two_answers over TCP":     {result: "talked", marks: early},
		"reliable_gap over TCP":    {result: "talked", marks: early},
		"early_update over TCP":    {result: "talked", marks: both},
		"wrong_dialog over TCP":    {result: "talked", marks: talked},
		"bye_crosses_bye over TCP": {result: "time-limit", marks: talked, call: briefly},

		"no_picture: 415 Unsupported Media Type": {result: "time-limit", marks: soundAlone, call: briefly},
		"no_picture: 503 Service Unavailable":    {result: "time-limit", marks: soundAlone, call: briefly},
		"no_picture: 606 Not Acceptable":         {result: "time-limit", marks: soundAlone, call: briefly},
	}, ringsPhone)
}

// toOtherPort fails unless sound goes to the port of media_moves, in A-law.
func toOtherPort(t *testing.T, p *panel, phone *host) {
	moved := p.wire.all(rtp(true, phone.at(6010)))
	if len(moved) == 0 || moved[len(moved)-1].payload[1]&0x7f != 8 {
		t.Errorf("%d packets to the new port; want some, of payload type 8", len(moved))
	}
}

// backedOff fails unless the panel sent its request again after a 491, and not
// before the 2.1 s that the owner of the Call-ID waits (RFC 3261 section 14.1).
func backedOff(method string) func(*testing.T, *panel, *host) {
	return func(t *testing.T, p *panel, _ *host) {
		const least = 2100 * time.Millisecond
		refused := p.wire.all(sip(false, "SIP/2.0 491", method))
		if len(refused) == 0 {
			t.Fatalf("no 491 to %s on the wire", method)
		}
		again := p.wire.all(func(k packet) bool {
			return sip(true, method+" ", method)(k) && k.at.After(refused[0].at)
		})
		if len(again) == 0 {
			t.Fatalf("no %s follows the 491", method)
		}
		wait := again[0].at.Sub(refused[0].at)
		if wait < least {
			t.Errorf("%s comes again %v after the 491, want %v at least", method, wait, least)
		}
		t.Logf("%s comes again %v after the 491", method, wait.Round(time.Millisecond))
	}
}

// A call that the visitor gave up while the network was down is not made when it
// returns. What the kernel had kept for the phone's address may still go out, at
// once; a phone that rings for it is cancelled.
func TestNoGhostRing(t *testing.T) {
	t.Parallel()
	s, _, gate := site(t)
	phone := s.host("phone", 31)
	phone.udp(5060)
	wire := phone.capture()
	p := startPanel(gate, config{targets: []string{"sip:phone@" + phone.at(5060).String()}})
	p.registered()
	gate.unplug()
	p.press()
	p.calls(control.CallRinging)
	pause(t, 2100*time.Millisecond) // the same button is ignored for 2 s
	p.press()
	p.calls(control.CallIdle)
	gate.plug()
	const kept = 2 * time.Second
	late := time.Now().Add(kept)
	pause(t, 6*time.Second) // an INVITE that is not given up is sent again 7.5 s after the press
	wantRecord(t, p.ended(), "cancelled", map[timeline.Name]int{timeline.Invite: 1})
	for _, invite := range wire.all(sip(false, "INVITE ", "INVITE")) {
		if invite.at.After(late) {
			t.Errorf("an INVITE reaches the phone %v after the network is back", invite.at.Sub(late)+kept)
		}
	}
	p.shut()
}
