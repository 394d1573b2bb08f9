package audio

import (
	"math"
	"sync/atomic"
)

// Floor is the level of silence, in dB of full scale.
const Floor = -96.0

// A meter holds the mean square of the last frame.
type meter struct{ square atomic.Int64 }

func (m *meter) measure(pcm []int16) {
	if len(pcm) == 0 {
		return
	}
	var sum int64
	for _, x := range pcm {
		sum += int64(x) * int64(x)
	}
	m.square.Store(sum / int64(len(pcm)))
}

func (m *meter) decibels() float64 {
	mean := float64(m.square.Load())
	if mean == 0 {
		return Floor
	}
	return max(Floor, 10*math.Log10(mean/(math.MaxInt16*math.MaxInt16)))
}
