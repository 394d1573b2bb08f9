package e2e

import (
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/firmware/control"
)

// measureDoor times the first packet of the code's last key → the line, which
// the line process sees; the peer's is the same packet → its event.
func measureDoor(b *testing.B, t *table) {
	var idle, loaded, peer sample
	var lost int
	b.Run("ours", func(b *testing.B) { idle, loaded = doorOurs(b) })
	b.Run("peer", func(b *testing.B) { peer, lost = digitPeer(b) })
	t.add(
		figure{what: "telephone-event packet → line driven, ms", ours: idle, peer: peer, by: median, reach: 0.5},
		figure{what: "  the same, every core busy, p99", ours: loaded, note: fmt.Sprintf("(to its event line; %d keys lost)", lost), by: p99, reach: 10},
	)
}

func doorOurs(b *testing.B) (idle, loaded sample) {
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	piece := newEar(phone.host)
	p := quietPanel(gate, config{targets: []string{phone.uri()}})
	opened := 0
	measure := func(into *sample) {
		for range often {
			opened++
			into.ms(p.codeToDoor(phone, piece, opened))
		}
	}
	measure(&idle)
	defer busy(b)()
	measure(&loaded)
	return idle, loaded
}

// codeToDoor plays one call with a code, the panel's nth opening.
func (p *panel) codeToDoor(phone *scripted, piece *ear, n int) time.Duration {
	p.t.Helper()
	phone.pressed(p)
	phone.picksUp()
	p.calls(control.CallTalking)
	audio := p.host.at(mediaPort(p.t, bodyOf([]byte(phone.invite)), "audio"))
	piece.types(audio, rightCode, damages["one left"])
	began := time.Now()
	piece.types(audio, endKey, damages["untouched"])
	p.opened(n)
	event := p.wire.seen(began, "the key", isKey)
	drawn := p.moves(door1)[2*n-2].At
	phone.bye("phone")
	p.ended()
	p.wire.forget()
	return onWall(drawn).Sub(event)
}

// isKey matches a telephone-event that the host receives.
func isKey(k packet) bool {
	return !k.sent && !k.tcp && len(k.payload) == 16 && k.payload[0]>>6 == 2 && k.payload[1]&127 == eventType
}

// digitPeer takes a call for each key: baresip's jitter buffer drops most of a
// second one, and some of the first. It gives the keys that were reported, and
// how many were not.
func digitPeer(b *testing.B) (times sample, lost int) {
	s := newStreet(b)
	phone := newScripted(s.host("phone", 31))
	piece := newEar(phone.host)
	peer := startRival(s.host("peer", 10), handset{user: "peer", speaks: 500})
	wire := peer.host.capture()
	for range often {
		began := peer.calls(phone)
		audio := peer.host.at(mediaPort(b, bodyOf([]byte(phone.invite)), "audio"))
		stop := piece.speak(audio, 500)
		wire.seen(began, "the phone's sound", func(k packet) bool { return k.dst == audio && len(k.payload) == 172 })
		pause(b, 200*time.Millisecond)
		piece.types(audio, "5", damages["untouched"])
		select {
		case at := <-peer.digits:
			times.ms(at.Sub(wire.seen(began, "the key", isKey)))
		case <-time.After(time.Second):
			lost++
		}
		stop()
		phone.bye("phone")
		peer.event("CALL_CLOSED")
		wire.forget()
	}
	if len(times) == 0 {
		b.Fatalf("baresip reports no key at all; it reports %v", peer.events)
	}
	return times, lost
}

// onWall turns a time of CLOCK_MONOTONIC into one of the wall clock, which the
// captures have.
func onWall(monotonic time.Duration) time.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic(err)
	}
	return time.Now().Round(0).Add(monotonic - time.Duration(ts.Nano()))
}
