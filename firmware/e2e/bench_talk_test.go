package e2e

import (
	"encoding/binary"
	"math"
	"testing"
	"time"
)

// A talk is what one long call costs.
type talk struct {
	weight
	cpu, guard sample  // seconds
	spacing    sample  // of the sound's packets: distance from 20 ms, in ms
	deviation  sample  // of that, in ms
	pictures   sample  // sent
	gaps       sample  // pictures left out between them, by their clock
	wanted     float64 // pictures by the camera's rate
}

const (
	frameRate  = 15
	videoClock = 90000 // Hz, RFC 6184 section 5.1
)

// measureTalk takes calls of a minute: CPU, memory, pictures, and the rhythm of
// the sound, with nothing beside them and with every core busy.
func measureTalk(b *testing.B, t *table) {
	long := seconds(b)
	brief := max(3*time.Second, long/3)
	var ours, peer [3]talk
	for i, c := range []struct {
		name        string
		video, busy bool
		length      time.Duration
	}{{"plain", false, false, long}, {"loaded", false, true, brief}, {"picture", true, false, long}} {
		b.Run(c.name+"/ours", func(b *testing.B) { ours[i] = talkOurs(b, c.video, c.busy, c.length) })
		b.Run(c.name+"/peer", func(b *testing.B) { peer[i] = talkPeer(b, c.video, c.busy, c.length) })
	}
	plain, loaded, picture := 0, 1, 2
	scale := 60 / long.Seconds()
	t.add(
		figure{what: "audio packet spacing: sd, ms", ours: ours[plain].deviation, peer: peer[plain].deviation, by: median, reach: 0.3},
		figure{what: "  |d − 20 ms|, p99, ms", ours: ours[plain].spacing, peer: peer[plain].spacing, by: p99, reach: 0.8},
		figure{what: "  every core busy: sd, ms", ours: ours[loaded].deviation, peer: peer[loaded].deviation, by: median, reach: 0.3},
		figure{what: "  every core busy: |d − 20 ms|, p99, ms", ours: ours[loaded].spacing, peer: peer[loaded].spacing, by: p99, reach: 0.8},
		figure{what: "CPU of a PCMU call, s in 60 s", ours: ours[plain].cpu.times(scale), peer: peer[plain].cpu.times(scale), by: median, reach: 0.7},
		figure{what: "  the guard in that time, s", ours: ours[plain].guard.times(scale), note: "has none"},
		figure{what: "CPU with H.264 640x480@15 encoded, s in 60 s", ours: ours[picture].cpu.times(scale), peer: peer[picture].cpu.times(scale), by: median, reach: 2},
		figure{what: "  pictures sent", ours: ours[picture].pictures, peer: peer[picture].pictures, by: median, reach: ours[picture].wanted - 1, least: true},
		figure{what: "  pictures left out between them", ours: ours[picture].gaps, peer: peer[picture].gaps, by: median, reach: 0},
		figure{what: "memory in a call with picture: RSS, MB", ours: ours[picture].rss, peer: peer[picture].rss, by: median, reach: 30},
		figure{what: "  PSS, MB", ours: ours[picture].pss, peer: peer[picture].pss},
		figure{what: "  of it anonymous, MB", ours: ours[picture].anon, peer: peer[picture].anon},
	)
}

func (s sample) times(factor float64) sample {
	out := make(sample, len(s))
	for i, v := range s {
		out[i] = v * factor
	}
	return out
}

func talkOurs(b *testing.B, video, loaded bool, length time.Duration) talk {
	s, _, gate := site(b)
	phone := newScripted(s.host("phone", 31))
	piece := newEar(phone.host)
	c := config{targets: []string{phone.uri()}, call: "talk_for: 10m"}
	if !video {
		c.extra = []string{"video: {enabled: false}"}
	}
	p := quietPanel(gate, c)
	phone.pressed(p)
	phone.picksUp()
	defer piece.speak(p.host.at(mediaPort(b, bodyOf([]byte(phone.invite)), "audio")), 500)()
	guard := p.guard.worked()
	result := listen(b, p.daemon, p.wire, phone.host, loaded, length)
	result.guard = sample{(p.guard.worked() - guard).Seconds()}
	phone.bye("phone")
	p.ended()
	return result
}

func talkPeer(b *testing.B, video, loaded bool, length time.Duration) talk {
	s := newStreet(b)
	phone := newScripted(s.host("phone", 31))
	piece := newEar(phone.host)
	peer := startRival(s.host("peer", 10), handset{user: "peer", speaks: 500, video: video})
	wire := peer.host.capture()
	peer.calls(phone)
	defer piece.speak(peer.host.at(mediaPort(b, bodyOf([]byte(phone.invite)), "audio")), 500)()
	result := listen(b, peer.process, wire, phone.host, loaded, length)
	phone.bye("phone")
	peer.event("CALL_CLOSED")
	return result
}

// listen watches a call for so long.
func listen(b *testing.B, p *process, wire *capture, phone *host, loaded bool, length time.Duration) (result talk) {
	b.Helper()
	wire.first("sound", soundTo(phone))
	if loaded {
		defer busy(b)()
	}
	pause(b, time.Second) // the first moments are another measurement's
	wire.forget()
	began, before := time.Now(), p.worked()
	pause(b, length)
	result.cpu = sample{(p.worked() - before).Seconds()}
	within := func(match func(packet) bool) []packet {
		return wire.all(func(k packet) bool {
			return k.at.After(began) && k.at.Before(began.Add(length)) && match(k)
		})
	}
	result.of(p)
	result.spacing, result.deviation = spacing(within(soundTo(phone)))
	result.count(within(pictureTo(phone)), length)
	return result
}

// spacing is how far apart packets were: the distances from 20 ms, and the
// standard deviation.
func spacing(packets []packet) (off, deviation sample) {
	var sum, squares float64
	for i := 1; i < len(packets); i++ {
		d := packets[i].at.Sub(packets[i-1].at).Seconds() * 1e3
		off = append(off, math.Abs(d-20))
		sum += d
		squares += d * d
	}
	n := float64(len(off))
	if n < 2 {
		return nil, nil
	}
	return off, sample{math.Sqrt(max(0, squares/n-sum*sum/n/n))}
}

// count counts the pictures, and those that are missing between them.
func (r *talk) count(packets []packet, length time.Duration) {
	const step = videoClock / frameRate
	r.wanted = math.Floor(length.Seconds() * frameRate)
	var last uint32
	var sent, gaps float64
	for i, k := range packets {
		stamp := binary.BigEndian.Uint32(k.payload[4:])
		if i > 0 && stamp == last {
			continue
		}
		sent++
		if i > 0 {
			gaps += math.Round(float64(stamp-last)/step) - 1
		}
		last = stamp
	}
	r.pictures, r.gaps = sample{sent}, sample{gaps}
}
