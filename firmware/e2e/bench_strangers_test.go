package e2e

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"
)

const (
	// siegeFor is how long strangers call in the bench, siegeEnd its last part.
	siegeFor = 3 * time.Minute
	siegeEnd = 30 * time.Second

	// ringWithin is how long the bench waits for a phone to ring in a flood.
	ringWithin = 5 * time.Second
)

// A siege is what strangers' calls do to a door.
type siege struct {
	ring    sample // a press → the phone has its INVITE
	late    sample // those of the last siegeEnd
	lost    sample // number of presses that brought none in ringWithin
	rate    sample // INVITEs of strangers a second
	replies sample // to them, a second
	grown   sample // RSS at its most against before, MB
	kept    sample // RSS at the end against before, MB
}

// measureStrangers presses while strangers send well-formed INVITEs.
func measureStrangers(b *testing.B, t *table) {
	var ours, peer siege
	b.Run("ours", func(b *testing.B) { ours = siegeOurs(b) })
	b.Run("peer", func(b *testing.B) { peer = siegePeer(b) })
	t.add(
		figure{what: "INVITEs of strangers, a second", ours: ours.rate, peer: peer.rate},
		figure{what: "  press → the phone has its INVITE, ms", ours: ours.ring, peer: peer.ring},
		figure{what: "  worst of all, ms", ours: sample{worst(ours.ring)}, peer: sample{worst(peer.ring)}, by: worst, reach: 1000},
		figure{what: fmt.Sprintf("  the same in the last %v of %v, worst, ms", siegeEnd, siegeFor), ours: ours.late, peer: peer.late, by: worst, reach: 1000},
		figure{what: fmt.Sprintf("  presses without one in %v", ringWithin), ours: ours.lost, peer: peer.lost, by: median, reach: 0},
		figure{what: "  replies to strangers, a second", ours: ours.replies, peer: peer.replies, by: median, reach: 1},
		figure{what: "  RSS growth, MiB", ours: ours.grown, peer: peer.grown, by: median, reach: 8},
		figure{what: "  RSS growth, when it is over, MiB", ours: ours.kept, peer: peer.kept},
	)
}

func siegeOurs(b *testing.B) siege {
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	newEar(phone.host)
	p := quietPanel(gate, config{targets: []string{phone.uri()}, extra: []string{"video: {enabled: false}"}})
	p.wire.stopped.Store(true) // a hundred thousand packets are not to be kept
	return besiege(b, s.host("stranger", 66), p.daemon, gate.at(5060), phone, func(rung func() bool) time.Time {
		pause(b, 4*debounce)
		pressed := time.Now()
		p.hold(true)
		came := rung()
		p.hold(false)
		if came {
			phone.picksUp()
			phone.bye("phone")
		}
		p.ended()
		return pressed.Add(debounce)
	})
}

func (p *panel) hold(down bool) {
	p.t.Helper()
	if err := p.world.Press(button1, down); err != nil {
		p.t.Fatal(err)
	}
}

func siegePeer(b *testing.B) siege {
	s := newStreet(b)
	phone := newScripted(s.host("phone", 31))
	newEar(phone.host)
	peer := startRival(s.host("peer", 10), handset{user: "peer", speaks: 500})
	return besiege(b, s.host("stranger", 66), peer.process, peer.host.at(5060), phone, func(rung func() bool) time.Time {
		text, err := json.Marshal(map[string]string{"command": "dial", "params": phone.uri(), "token": "press"})
		if err != nil {
			b.Fatal(err)
		}
		pressed := time.Now()
		if _, err := fmt.Fprintf(peer.conn, "%d:%s,", len(text), text); err != nil {
			b.Fatal(err)
		}
		if rung() {
			phone.respond(phone.response(phone.invite, "486 Busy Here", "phone", ""))
		}
		return pressed
	})
}

// besiege sends strangers' calls to a door for siegeFor, and has somebody
// press again and again. press gives the time that counts as the press, and asks
// in between whether the phone has rung.
func besiege(b *testing.B, from *host, p *process, door netip.AddrPort, phone *scripted, press func(rung func() bool) time.Time) (d siege) {
	b.Helper()
	stranger := from.udp(5060)
	var replies atomic.Int32
	go count(stranger, &replies)
	wire := phone.host.capture()
	once := func() (pressed, rang time.Time) {
		began := time.Now()
		pressed = press(func() bool {
			rang = phone.rungSince(wire, began)
			return !rang.IsZero()
		})
		wire.forget()
		return pressed, rang
	}
	once() // what a first call needs is no stranger's doing
	pause(b, settling)
	before := p.rss()
	most := before
	sent := make(chan int, 1)
	go func() { sent <- pourCalls(stranger, door, siegeFor) }()
	pause(b, time.Second)
	lost := 0
	for end := time.Now().Add(siegeFor - 3*time.Second); time.Now().Before(end); most = max(most, p.rss()) {
		pressed, rang := once()
		switch {
		case rang.IsZero():
			lost++
		case time.Until(end) < siegeEnd:
			d.late.ms(rang.Sub(pressed))
			fallthrough
		default:
			d.ring.ms(rang.Sub(pressed))
		}
		pause(b, 300*time.Millisecond)
	}
	d.rate = sample{float64(<-sent) / siegeFor.Seconds()}
	d.replies = sample{float64(replies.Load()) / siegeFor.Seconds()}
	pause(b, settling)
	d.grown, d.kept, d.lost = sample{max(most, p.rss()) - before}, sample{p.rss() - before}, sample{float64(lost)}
	return d
}

// rungSince waits for an INVITE and reads it. It gives the time of its frame, or
// the zero time when none comes within ringWithin.
func (s *scripted) rungSince(wire *capture, began time.Time) time.Time {
	s.t.Helper()
	for time.Since(began) < ringWithin {
		for _, k := range wire.all(sip(false, "INVITE ", "INVITE")) {
			if k.at.After(began) {
				s.request("INVITE")
				return k.at
			}
		}
		pause(s.t, 2*time.Millisecond)
	}
	return time.Time{}
}

// count counts what a socket receives until it is closed.
func count(conn *net.UDPConn, n *atomic.Int32) {
	for raw := make([]byte, 2048); ; n.Add(1) {
		if _, err := conn.Read(raw); err != nil {
			return
		}
	}
}
