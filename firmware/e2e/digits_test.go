package e2e

import (
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// talkingTo brings a call to a SIPp phone to its conversation.
func talkingTo(t *testing.T, scenario, call string, keys ...string) (*panel, *sipp, *handpiece) {
	t.Helper()
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), scenario, keys...)
	piece := newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: call})
	p.press()
	p.calls(control.CallTalking)
	return p, phone, piece
}

// A code by telephone-events, each key through the same bad network: the door
// opens once, whatever the network does to the packets of a key.
func TestDigitsThroughBadNetworks(t *testing.T) {
	for name, damage := range damages {
		t.Run(name, func(t *testing.T) {
			p, _, piece := talkingTo(t, "answer", "hang_up_after_open: 2s")
			audio, _ := p.panelPorts(piece.host)
			piece.speak(audio, 500)
			piece.types(audio, rightCode+endKey, damage)
			p.opened(1)
			wantRecord(t, p.ended(), "talked", map[timeline.Name]int{
				timeline.Digit: len(rightCode + endKey), timeline.CodeRight: 1, timeline.CodeWrong: 0,
				timeline.RelayOn: 1, timeline.RelayOff: 1,
			})
		})
	}
}

// Five INFO requests leave in a burst, in order or not; sorted by CSeq they are
// the code.
func TestDigitsByInfoInABurst(t *testing.T) {
	for _, scenario := range []string{"info_burst", "info_burst over TCP", "info_reordered"} {
		t.Run(scenario, func(t *testing.T) {
			p, phone, _ := talkingTo(t, scenario, "hang_up_after_open: 2s",
				"[code1]", rightCode[:1], "[code2]", rightCode[1:2], "[code3]", rightCode[2:3], "[code4]", rightCode[3:], "[code5]", endKey)
			p.opened(1)
			wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Digit: 5, timeline.CodeRight: 1, timeline.CodeWrong: 0})
			phone.played()
		})
	}
}

// Wrong codes end the call at the third, and open nothing.
func TestThreeWrongCodes(t *testing.T) {
	p, phone, piece := talkingTo(t, "answer", "")
	audio, _ := p.panelPorts(phone.host)
	for range 3 {
		piece.types(audio, wrongCode+endKey, damages["untouched"])
	}
	wantRecord(t, p.ended(), "wrong-codes", map[timeline.Name]int{timeline.CodeWrong: 3, timeline.CodeRight: 0})
	phone.played()
	p.shut()
}

// Digits from before the answer, from another address, and with another SSRC
// of nobody's stream open nothing.
func TestDigitsOfStrangers(t *testing.T) {
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), "early_then_bare_200")
	piece := newHandpiece(phone.host)
	stranger := newHandpiece(s.host("stranger", 66))
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: "talk_for: 4s, warn_before: 1s"})
	p.press()
	p.wire.first("our picture", rtp(true, phone.host.at(6002)))
	audio, _ := p.panelPorts(phone.host)
	piece.types(audio, rightCode+endKey, damages["untouched"])
	p.calls(control.CallTalking)
	stranger.types(audio, rightCode+endKey, damages["untouched"])
	wantRecord(t, p.ended(), "time-limit", map[timeline.Name]int{timeline.CodeRight: 0, timeline.RelayOn: 0})
	p.shut()
}
