package e2e

import (
	"encoding/binary"
	"slices"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// setupTimes are the steps of many calls.
type setupTimes struct {
	invite, ack, sound sample
	own                sample // the panel's own figure for the INVITE
}

// measureSetup times press → INVITE, 200 → ACK and 200 → first RTP on the wire.
func measureSetup(b *testing.B, t *table) {
	var ours, peer setupTimes
	b.Run("ours", func(b *testing.B) { ours = setupOurs(b) })
	b.Run("peer", func(b *testing.B) { peer = setupPeer(b) })
	t.add(
		figure{what: "press (debounced) → INVITE on the wire, ms", ours: ours.invite, peer: peer.invite, by: median, reach: 0.5},
		figure{what: "  the same, by the panel's own timeline", ours: ours.own, by: median, reach: 0.5},
		figure{what: "200 → ACK on the wire, ms", ours: ours.ack, peer: peer.ack, by: median, reach: 0.5},
		figure{what: "200 → first RTP, ms", ours: ours.sound, peer: peer.sound, by: median, reach: 5},
	)
}

func setupOurs(b *testing.B) (times setupTimes) {
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	newEar(phone.host)
	p := quietPanel(gate, config{targets: []string{phone.uri()}})
	for range often {
		began := time.Now()
		phone.pressed(p)
		phone.picksUp()
		p.wire.seen(began, "our sound", soundTo(phone.host))
		phone.bye("phone")
		record := p.ended()
		times.wire(p.wire, began, phone.host)
		sent := p.wire.seen(began, "our INVITE", sip(true, "INVITE ", "INVITE"))
		for _, m := range marks(record, timeline.Debounced) {
			times.invite.ms(sent.Sub(record.Began.Add(m.At)))
		}
		for _, f := range timeline.Figures(record) {
			if f.Key == timeline.PressToInvite {
				times.own.ms(f.Took)
			}
		}
		p.wire.forget()
	}
	return times
}

// wire adds what the capture knows of the call that began.
func (times *setupTimes) wire(c *capture, began time.Time, phone *host) {
	c.t.Helper()
	ok := c.seen(began, "the 200", sip(false, "SIP/2.0 200", "INVITE"))
	times.ack.ms(c.seen(began, "the ACK", sip(true, "ACK ", "ACK")).Sub(ok))
	times.sound.ms(c.seen(began, "sound", soundTo(phone)).Sub(ok))
}

func setupPeer(b *testing.B) (times setupTimes) {
	s := newStreet(b)
	phone := newScripted(s.host("phone", 31))
	newEar(phone.host)
	peer := startRival(s.host("peer", 10), handset{user: "peer", speaks: 500, video: true})
	wire := peer.host.capture()
	for range often {
		began := peer.calls(phone)
		wire.seen(began, "the peer's sound", soundTo(phone.host))
		times.invite.ms(wire.seen(began, "the peer's INVITE", sip(true, "INVITE ", "INVITE")).Sub(began))
		times.wire(wire, began, phone.host)
		phone.bye("phone")
		peer.event("CALL_CLOSED")
		wire.forget()
	}
	return times
}

// measureEarly times the early answer's SDP → first video packet.
func measureEarly(b *testing.B, t *table) {
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	newEar(phone.host)
	p := quietPanel(gate, config{targets: []string{phone.uri()}})
	var picture sample
	keys := 0.0
	for range often {
		began := time.Now()
		invite := phone.pressed(p)
		phone.respond(phone.response(invite, "183 Session Progress", "phone", phone.answer()))
		early := p.wire.seen(began, "the 183", sip(false, "SIP/2.0 183", "INVITE"))
		picture.ms(p.wire.seen(early, "our picture", pictureTo(phone.host)).Sub(early))
		phone.picksUp()
		phone.bye("phone")
		p.ended()
		if slices.ContainsFunc(firstPicture(p.wire.all(pictureTo(phone.host))), func(k packet) bool { return startsIDR(k.payload) }) {
			keys++
		}
		p.wire.forget()
	}
	const none = "no video before the 200"
	t.add(
		figure{what: "early answer's SDP → first video packet, ms", ours: picture, note: none, by: median, reach: 20},
		figure{what: "  the first picture is a key frame, calls", ours: sample{keys}, note: none, by: median, reach: often, least: true},
	)
}

// firstPicture is the packets with the first one's timestamp.
func firstPicture(packets []packet) []packet {
	stamp := func(k packet) uint32 { return binary.BigEndian.Uint32(k.payload[4:]) }
	for i, k := range packets {
		if stamp(k) != stamp(packets[0]) {
			return packets[:i]
		}
	}
	return packets
}
