package audio

import (
	"math"

	"doorstation/media/tone"
)

// A player mixes one clip into frames.
type player struct {
	clip tone.Clip
	loop bool
	at   int
	last int32 // what a clip cut short leaves behind, dying away
}

// play begins a clip. One that is cut short dies away instead of clicking.
func (p *player) play(clip tone.Clip, loop bool) {
	if p.at > 0 && p.at < len(p.clip) {
		p.last = int32(p.clip[p.at-1])
	}
	p.clip, p.loop, p.at = clip, loop, 0
}

// mix adds the clip's next samples to frame.
func (p *player) mix(frame []int16) {
	for i := range frame {
		add := p.last
		p.last -= p.last / 8
		if -8 < p.last && p.last < 8 {
			p.last = 0
		}
		if p.at < len(p.clip) {
			add += int32(p.clip[p.at])
			p.at++
		}
		if p.at == len(p.clip) && p.loop {
			p.at = 0
		}
		frame[i] = saturate(int32(frame[i]) + add)
	}
}

// saturate limits a sum to what a sample holds.
func saturate(x int32) int16 {
	return int16(min(max(x, math.MinInt16), math.MaxInt16))
}
