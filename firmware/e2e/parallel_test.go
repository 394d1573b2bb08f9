package e2e

import (
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// offerTo is the SDP that the panel sent to a phone.
func (p *panel) offerTo(h *host) string {
	p.t.Helper()
	return bodyOf(p.wire.first("the INVITE to "+h.name, func(k packet) bool {
		return sip(true, "INVITE ", "INVITE")(k) && k.dst.Addr() == h.addr
	}).payload)
}

// before are the packets of our video to a phone until a time.
func (p *panel) videoTo(h *host, until time.Time) []packet {
	sent := rtp(true, h.at(6002))
	return p.wire.all(func(k packet) bool { return sent(k) && k.at.Before(until) })
}

// Both phones show the visitor before anybody answers; one answers, the other
// is cancelled.
func TestTwoPhonesSeeThePicture(t *testing.T) {
	s, _, gate := site(t)
	left := startSipp(s.host("left", 31), "early_ring")
	right := startSipp(s.host("right", 32), "early_then_bare_200")
	newHandpiece(left.host)
	newHandpiece(right.host)
	p := startPanel(gate, config{targets: []string{left.uri(), right.uri()}, call: "talk_for: 2s, warn_before: 1s"})
	p.press()
	p.calls(control.CallTalking)
	answered := p.wire.first("the 200", func(k packet) bool {
		return sip(false, "SIP/2.0 200", "INVITE")(k) && k.src.Addr() == right.host.addr
	})
	wantRecord(t, p.ended(), "time-limit", map[timeline.Name]int{
		timeline.EarlyAnswer: 2, timeline.Answered: 1, timeline.Cancelled: 1,
	})
	left.played()
	right.played()
	for _, phone := range []*sipp{left, right} {
		packets := p.videoTo(phone.host, answered.at)
		if len(packets) == 0 || !leadsWithKey(packets) {
			t.Errorf("%s: %d packets of picture before the answer, key frame first: %v; want some, true",
				phone.name, len(packets), leadsWithKey(packets))
			continue
		}
		frames := decode(phone.host, p.offerTo(phone.host), packets, 640, 480)
		wantMovingClock(t, phone.name+" before the answer", frames, 640, 480, 8)
		if sound := p.wire.all(func(k packet) bool {
			return rtp(true, phone.host.at(6000))(k) && k.at.Before(answered.at)
		}); len(sound) != 0 {
			t.Errorf("%s: %d packets of sound before the answer, want none", phone.name, len(sound))
		}
	}
	if after := p.wire.all(rtp(true, left.host.at(6000))); len(after) != 0 {
		t.Errorf("the cancelled phone hears %d packets, want none", len(after))
	}
}

// leadsWithKey says whether the first picture of a stream is a key frame.
func leadsWithKey(packets []packet) bool {
	for _, k := range packets {
		if startsIDR(k.payload) {
			return true
		}
		if kind := k.payload[12] & 31; kind != 7 && kind != 8 && kind != 6 && kind != 24 {
			return false
		}
	}
	return false
}

// Both phones answer: one call, and one BYE for the other.
func TestBothAnswer(t *testing.T) {
	s, _, gate := site(t)
	quick := startSipp(s.host("quick", 31), "answer")
	late := startSipp(s.host("late", 32), "cancel_crosses_200")
	newHandpiece(quick.host)
	newHandpiece(late.host)
	p := startPanel(gate, config{targets: []string{quick.uri(), late.uri()}, call: "talk_for: 2s, warn_before: 1s"})
	p.press()
	late.played()
	p.calls(control.CallTalking)
	wantRecord(t, p.ended(), "time-limit", map[timeline.Name]int{timeline.Answered: 1, timeline.Cancelled: 1})
	quick.played()
	if q, l := p.requests("BYE", quick.host), p.requests("BYE", late.host); q != 1 || l != 1 {
		t.Errorf("%d BYE to the first, %d to the second; want one each, the second at once", q, l)
	}
}

// Nobody answers in the first stage; the next one rings.
func TestStages(t *testing.T) {
	s, _, gate := site(t)
	first := startSipp(s.host("first", 31), "ring")
	second := startSipp(s.host("second", 32), "hang_up")
	newHandpiece(second.host)
	p := startPanel(gate, config{targets: []string{first.uri()}, then: []string{second.uri()}, stageFor: "1s"})
	p.press()
	first.played()
	second.played()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Cancelled: 1, timeline.Answered: 1})
}
