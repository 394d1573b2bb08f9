//go:build !race

// The race detector empties pools at random, so allocations are counted
// without it.

package session

import (
	"testing"
	"time"
)

// Once warm, a frame costs no allocation in either direction.
func TestHotPathsDoNotAllocate(t *testing.T) {
	s := connected(t, "127.0.0.1:9")
	key, delta := keyUnit(30000), deltaUnit(4000)
	pts := time.Duration(0)
	s.SendVideo(key, pts, true)
	raw := (&phone{t: t, ssrc: 1}).rtp(0, make([]byte, 160))
	from := s.audio.peer.Load().rtp
	now := time.Minute
	frame := make([]int16, 160)
	s.mouth.mu.Lock()
	s.mouth.src = func(frame []int16) { clear(frame) }
	s.mouth.mu.Unlock()
	for name, do := range map[string]func(){
		"key frame out": func() { pts += 66 * time.Millisecond; s.SendVideo(key, pts, true) },
		"frame out":     func() { pts += 66 * time.Millisecond; s.SendVideo(delta, pts, false) },
		"audio out":     func() { s.mouth.tick(1) },
		"audio in": func() {
			now += 20 * time.Millisecond
			raw[3]++
			raw[7] += 160
			s.audio.take(now, raw, from)
			s.ear.hear(now, frame)
		},
		"stranger": func() { s.audio.take(now, raw, mustPlace(t, "192.0.2.1:5")) },
	} {
		if n := testing.AllocsPerRun(200, do); n >= 1 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
	if s.Stats().FramesMissed != 0 {
		t.Errorf("%d frames missed", s.Stats().FramesMissed)
	}
}
