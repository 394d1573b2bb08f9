package e2e

import (
	"math/rand/v2"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"doorstation/firmware/control"
)

const (
	floodFor  = 10 * time.Second
	floodPace = 5000 // datagrams a second
)

// A deluge is what a flood of malformed datagrams does to a call.
type deluge struct {
	rate  sample // datagrams a second that were sent
	sound sample // share of the call's packets that came in that time
	grown sample // RSS at its most against before, MB
	kept  sample // anonymous memory some seconds later against before, MB
}

// measureFloods sends malformed datagrams to the SIP and sound ports of a call.
func measureFloods(b *testing.B, t *table) {
	var paced, pacedPeer, all, allPeer deluge
	b.Run("paced/ours", func(b *testing.B) { paced = floodOurs(b, floodPace) })
	b.Run("paced/peer", func(b *testing.B) { pacedPeer = floodPeer(b, floodPace) })
	b.Run("all/ours", func(b *testing.B) { all = floodOurs(b, 0) })
	b.Run("all/peer", func(b *testing.B) { allPeer = floodPeer(b, 0) })
	t.add(
		figure{what: "malformed datagrams a second in a call", ours: paced.rate, peer: pacedPeer.rate},
		figure{what: "  its sound goes on, %", ours: paced.sound, peer: pacedPeer.sound, by: median, reach: 99, least: true},
		figure{what: "  RSS growth, MiB", ours: paced.grown, peer: pacedPeer.grown},
		figure{what: "  anonymous memory kept, MiB", ours: paced.kept, peer: pacedPeer.kept, by: median, reach: 1},
		figure{what: "as many as one core sends, a second", ours: all.rate, peer: allPeer.rate},
		figure{what: "  its sound goes on, %", ours: all.sound, peer: allPeer.sound, by: median, reach: 90, least: true},
		figure{what: "  RSS growth, MiB", ours: all.grown, peer: allPeer.grown, by: median, reach: 8},
		figure{what: "  anonymous memory kept, MiB", ours: all.kept, peer: allPeer.kept},
	)
}

func floodOurs(b *testing.B, pace int) deluge {
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	piece := newEar(phone.host)
	p := quietPanel(gate, config{targets: []string{phone.uri()}, call: "talk_for: 10m", extra: []string{"video: {enabled: false}"}})
	phone.pressed(p)
	phone.picksUp()
	p.wire.stopped.Store(true) // a million packets are not to be kept
	audio := p.host.at(mediaPort(b, bodyOf([]byte(phone.invite)), "audio"))
	defer piece.speak(audio, 500)()
	result := flood(b, phone, piece, p.daemon, audio, pace)
	p.calls(control.CallTalking)
	phone.bye("phone")
	p.ended()
	return result
}

func floodPeer(b *testing.B, pace int) deluge {
	s := newStreet(b)
	phone := newScripted(s.host("phone", 31))
	piece := newEar(phone.host)
	peer := startRival(s.host("peer", 10), handset{user: "peer", speaks: 500})
	peer.calls(phone)
	audio := peer.host.at(mediaPort(b, bodyOf([]byte(phone.invite)), "audio"))
	defer piece.speak(audio, 500)()
	result := flood(b, phone, piece, peer.process, audio, pace)
	phone.bye("phone")
	peer.event("CALL_CLOSED")
	return result
}

// flood sends for floodFor, from the phone's own addresses, and watches the
// process p. Without a pace it sends as fast as one thread can.
func flood(b *testing.B, phone *scripted, piece *ear, p *process, audio netip.AddrPort, pace int) (d deluge) {
	b.Helper()
	pause(b, settling)
	rss, anon := p.rss(), p.anon()
	most := rss
	heard, began := piece.heard.Load(), time.Now()
	done := make(chan int)
	go func() { done <- pour(phone.conn, piece.audio, phone.from, audio, malformed(phone.invite), pace) }()
	look := time.NewTicker(200 * time.Millisecond)
	defer look.Stop()
	sent := 0
	for sent == 0 {
		select {
		case sent = <-done:
		case <-look.C:
			most = max(most, p.rss())
		}
	}
	took := time.Since(began)
	d.rate = sample{float64(int(float64(sent) / took.Seconds()))}
	d.sound = sample{100 * float64(piece.heard.Load()-heard) / (took.Seconds() * 50)}
	pause(b, settling)
	d.grown, d.kept = sample{max(most, p.rss()) - rss}, sample{p.anon() - anon}
	return d
}

// pour sends half of the datagrams to each port and returns how many it sent.
func pour(sip, rtp *net.UDPConn, sipTo, rtpTo netip.AddrPort, bad [2][][]byte, pace int) (sent int) {
	const batch = 50
	var ways []*ipv4.PacketConn
	var loads [][]ipv4.Message
	for i, way := range []struct {
		conn *net.UDPConn
		to   netip.AddrPort
	}{{sip, sipTo}, {rtp, rtpTo}} {
		ways = append(ways, ipv4.NewPacketConn(way.conn))
		var load []ipv4.Message
		for _, one := range bad[i] {
			load = append(load, ipv4.Message{Buffers: [][]byte{one}, Addr: net.UDPAddrFromAddrPort(way.to)})
		}
		loads = append(loads, load)
	}
	began := time.Now()
	for round := 0; time.Since(began) < floodFor; round++ {
		way := round % 2
		at := (round / 2 * batch) % len(loads[way])
		n, err := ways[way].WriteBatch(loads[way][at:at+batch], 0)
		if err == nil {
			sent += n
		}
		if pace > 0 {
			<-time.After(time.Until(began.Add(time.Duration(sent) * time.Second / time.Duration(pace))))
		}
	}
	return sent
}

// malformed makes a thousand datagrams that are almost SIP and a thousand that
// are almost RTP, the same in every run.
func malformed(invite string) (bad [2][][]byte) {
	random := rand.New(rand.NewPCG(5, 5000))
	noise := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.Uint32())
		}
		return b
	}
	spoil := func(whole []byte) []byte {
		b := append([]byte(nil), whole...)
		for range 1 + random.IntN(8) {
			b[random.IntN(len(b))] = byte(random.Uint32())
		}
		return b[:1+random.IntN(len(b))]
	}
	for i := range 1000 {
		switch i % 3 {
		case 0:
			bad[0] = append(bad[0], noise(1+random.IntN(400)))
			bad[1] = append(bad[1], noise(1+random.IntN(200)))
		case 1:
			bad[0] = append(bad[0], append([]byte("INVITE sip:x SIP/2.0\r\nVia: /\r\nFrom: /\r\n"), noise(100)...))
			bad[1] = append(bad[1], append([]byte{0xbf, 0xff}, noise(40)...)) // 15 sources, an extension, padding
		default:
			bad[0] = append(bad[0], spoil([]byte(invite)))
			bad[1] = append(bad[1], spoil(append([]byte{0x80, 0}, noise(170)...)))
		}
	}
	return bad
}
