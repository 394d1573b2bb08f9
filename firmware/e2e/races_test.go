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
	talked := func(more ...timeline.Name) story {
		marks := map[timeline.Name]int{timeline.Answered: 1, timeline.Reoffer: 0}
		for _, name := range more {
			marks[name]++
		}
		return story{result: "talked", marks: marks}
	}
	gaveUp := story{call: "ring_for: 2s", result: "no-answer", marks: map[timeline.Name]int{timeline.Invite: 1, timeline.Answered: 0}}
	glare, forgotten := talked(timeline.Reoffer), talked()
	glare.also, forgotten.also = backedOff("INVITE"), backedOff("UPDATE")
	ours := talked()
	ours.call, ours.result = "talk_for: 2s, warn_before: 1s", "time-limit"
	alone := story{call: ours.call, result: ours.result, marks: soundAlone}
	moved := talked(timeline.Reoffer)
	moved.call, moved.result = ours.call, ours.result
	play(t, map[string]story{
		"glare":           glare,
		"forgotten":       forgotten,
		"two_answers":     talked(timeline.EarlyAnswer),
		"reliable_gap":    talked(timeline.EarlyAnswer),
		"early_update":    talked(timeline.EarlyAnswer, timeline.Reoffer),
		"replaces":        talked(),
		"late_refusals":   talked(),
		"wrong_dialog":    talked(),
		"bye_crosses_bye": ours,
		"elsewhere":       moved,
		"bye_401":         ours,
		"asks_password":   {result: "unreachable", marks: map[timeline.Name]int{timeline.Invite: 1, timeline.Refused: 1, timeline.Answered: 0}},
		"foreign_route":   gaveUp,
		"late_ring":       gaveUp,
		"late_answer":     gaveUp,

		"no_picture 415 Unsupported Media Type": alone,
		"no_picture 503 Service Unavailable":    alone,
		"no_picture 606 Not Acceptable":         alone,
	}, []string{"glare", "forgotten"}, ringsPhone)
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
