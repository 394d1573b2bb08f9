package e2e

import (
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// Phones that change their mind, or their place, or want more than an INVITE and
// its answer. Each ends with the panel's BYE at the end of its talk time.
func TestOffersAndAnswers(t *testing.T) {
	for scenario, want := range map[string]map[timeline.Name]int{
		"reliable":   {timeline.Ringing: 2, timeline.EarlyAnswer: 1, timeline.Answered: 1},
		"no_picture": {timeline.Retried: 1, timeline.Answered: 1, timeline.FirstVideoOut: 0},
		"moved":      {timeline.Redirected: 2, timeline.Answered: 1},
		"hold":       {timeline.Answered: 1, timeline.Reoffer: 4},
		"session":    {timeline.Answered: 1, timeline.Reoffer: 1},
		"preview":    {timeline.Preview: 1, timeline.Answered: 1, timeline.Reoffer: 1, timeline.EarlyAnswer: 1, timeline.FirstVideoOut: 1},
	} {
		t.Run(scenario, func(t *testing.T) {
			s, _, gate := site(t)
			phone := startSipp(s.host("phone", 31), scenario)
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

// A call that the visitor gave up while the network was down is not made when it
// returns. What the kernel had kept for the phone's address may still go out, at
// once; a phone that rings for it is cancelled.
func TestNoGhostRing(t *testing.T) {
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
