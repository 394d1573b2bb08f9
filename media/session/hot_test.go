package session

import (
	"net/netip"
	"testing"
	"time"

	"doorstation/media/sdp"
)

// connected is a leg whose far end is a socket that nobody reads.
func connected(t testing.TB, sink string) *Session {
	t.Helper()
	s, _ := openLeg(t, func(p *Params) { p.Notify = func(Event) {} })
	l := sdp.Local{ID: 1, Version: 1}
	place := mustPlace(t, sink)
	l.Audio = sdp.LocalAudio{RTP: place, RTCP: place, Codecs: []sdp.Codec{sdp.PCMU}, Direction: sdp.SendRecv}
	l.Video = &sdp.LocalVideo{RTP: place, RTCP: place, Receive: true}
	body, _, err := sdp.Answer(l, s.Offer())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Apply(body); err != nil {
		t.Fatal(err)
	}
	return s
}

func BenchmarkSendKeyFrame30kB(b *testing.B) {
	s := connected(b, "127.0.0.1:9")
	key := keyUnit(30000)
	pts := time.Duration(0)
	b.ReportAllocs()
	for b.Loop() {
		pts += 66 * time.Millisecond
		s.SendVideo(key, pts, true)
	}
	b.ReportMetric(float64(s.Stats().FramesMissed), "missed")
}

// BenchmarkStranger is what a datagram of a flood costs behind the kernel.
func BenchmarkStranger(b *testing.B) {
	s := connected(b, "127.0.0.1:9")
	raw, from := make([]byte, 200), mustPlace(b, "192.0.2.1:5")
	b.ReportAllocs()
	for b.Loop() {
		s.audio.contain(raw, from, true)
	}
}

func BenchmarkAudioFrameIn(b *testing.B) {
	s := connected(b, "127.0.0.1:9")
	raw := make([]byte, 172)
	raw[0] = 0x80
	from, now := s.audio.peer.Load().rtp, time.Minute
	frame := make([]int16, 160)
	b.ReportAllocs()
	for i := uint16(0); b.Loop(); i++ {
		now += 20 * time.Millisecond
		raw[2], raw[3] = byte(i>>8), byte(i)
		ts := uint32(i) * 160
		raw[4], raw[5], raw[6], raw[7] = byte(ts>>24), byte(ts>>16), byte(ts>>8), byte(ts)
		s.audio.contain(raw, from, true)
		s.ear.hear(now, frame)
	}
}

func mustPlace(t testing.TB, text string) netip.AddrPort {
	t.Helper()
	place, err := netip.ParseAddrPort(text)
	if err != nil {
		t.Fatal(err)
	}
	return place
}
