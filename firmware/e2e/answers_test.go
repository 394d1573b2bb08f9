package e2e

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// panelPorts finds where the panel wants sound and picture: the SDP of its first
// INVITE to peer.
func (p *panel) panelPorts(peer *host) (audio, video netip.AddrPort) {
	p.t.Helper()
	invite := p.wire.first("the INVITE to "+peer.name, func(k packet) bool {
		return sip(true, "INVITE ", "INVITE")(k) && k.dst.Addr() == peer.addr
	})
	return p.host.at(mediaPort(p.t, bodyOf(invite.payload), "audio")), p.host.at(mediaPort(p.t, bodyOf(invite.payload), "video"))
}

// requests counts the requests of a method that the panel has sent to peer.
func (p *panel) requests(method string, peer *host) int {
	return len(p.wire.all(func(k packet) bool {
		return sip(true, method+" ", method)(k) && k.dst.Addr() == peer.addr
	}))
}

// Phones whose answers come in awkward ways; each ends with the panel's BYE at
// the end of its talk time.
func TestAnswers(t *testing.T) {
	for scenario, want := range map[string]map[timeline.Name]int{
		"answer":              {timeline.Ringing: 1, timeline.Answered: 1},
		"early_then_bare_200": {timeline.EarlyAnswer: 1, timeline.Answered: 1, timeline.FirstVideoOut: 1},
		"burst_180_200":       {timeline.Ringing: 1, timeline.Answered: 1},
		"twelve_180":          {timeline.Ringing: -1, timeline.Answered: 1},
		"reinvite":            {timeline.Answered: 1, timeline.Reoffer: 1},
		"bye_481":             {timeline.Answered: 1},
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
			p.wire.first("our picture", rtp(true, phone.host.at(6002)))
			record := p.ended()
			phone.played()
			wantRecord(t, record, "time-limit", want)
			if n := p.requests("BYE", phone.host); n != 1 {
				t.Errorf("%d BYE, want 1", n)
			}
			p.shut()
		})
	}
}

// The phone hangs up, with a BYE of its own.
func TestPhoneHangsUp(t *testing.T) {
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "hang_up")
	newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{phone.uri()}})
	p.press()
	p.calls(control.CallTalking)
	record := p.ended()
	phone.played()
	wantRecord(t, record, "talked", map[timeline.Name]int{timeline.HungUp: 1})
	if n := p.requests("BYE", phone.host); n != 0 {
		t.Errorf("%d BYE of ours, want none", n)
	}
}

// Phones that refuse, or are not there.
func TestRefusals(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"486 Busy Here":               "busy",
		"480 Temporarily Unavailable": "unreachable",
		"603 Decline":                 "refused",
		"404 Not Found":               "unreachable",
	} {
		t.Run(status[:3], func(t *testing.T) {
			s, _, gate := site(t)
			phone := startSipp(s.host("phone", 31), "refuse", "[status]", status)
			p := startPanel(gate, config{targets: []string{phone.uri()}})
			p.press()
			phone.played()
			record := p.ended()
			wantRecord(t, record, want, map[timeline.Name]int{timeline.Refused: 1, timeline.Answered: 0})
			if refused := marks(record, timeline.Refused); len(refused) > 0 && !strings.Contains(refused[0].Detail, status[:3]) {
				t.Errorf("the record says %q, want %s in it", refused[0].Detail, status[:3])
			}
			p.shut()
		})
	}
}

// A phone that takes the INVITE and says nothing.
func TestSilence(t *testing.T) {
	t.Parallel()
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "silence")
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: "ring_for: 4s"})
	p.press()
	phone.played()
	record := p.ended()
	if record.Result != "no-answer" && record.Result != "unreachable" {
		t.Errorf("result %q (%s), want no-answer or unreachable\n%s", record.Result, record.Reason, drawn(record))
	}
	p.shut()
}

// The visitor presses again, and the phone's answer crosses our CANCEL: the
// call is acknowledged and ended, and nobody is left listening.
func TestAnswerCrossesCancel(t *testing.T) {
	t.Parallel()
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "cancel_crosses_200")
	newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{phone.uri()}})
	p.press()
	p.calls(control.CallRinging)
	pause(t, 2100*time.Millisecond) // the same button is ignored for 2 s
	p.press()
	phone.played()
	wantRecord(t, p.ended(), "cancelled", map[timeline.Name]int{timeline.Cancelled: 1})
	if sound := p.wire.all(rtp(true, phone.host.at(6000))); len(sound) != 0 {
		t.Errorf("%d packets of sound went to a call that never was", len(sound))
	}
}
