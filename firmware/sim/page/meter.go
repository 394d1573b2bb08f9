package page

import (
	"fmt"
	"math"
)

// What the speaker plays, in words. A tone is told with its pitch.
const (
	playsNothing = "silence"
	playsSound   = "voice or sound"
)

const (
	quiet     = 0.004 // RMS below which a frame counts as silence
	toneSpan  = 20.0  // Hz between frames of the same tone
	toneAfter = 4     // such frames in a row make a tone
	holdAfter = 8     // quiet frames before sound counts as over
	pitchStep = 5.0   // pitches are told in whole steps of this, in Hz
)

// A meter says how loud the speaker is, and what it seems to play: what a
// person hears, not what the panel says about itself.
type meter struct {
	level  float64
	pitch  float64
	steady int // frames in a row with the same pitch
	still  int // quiet frames in a row
	plays  string
}

// take hears one frame of 20 ms. It reports true when the words changed or the
// level did so by much.
func (m *meter) take(frame []int16) (level float64, plays string, news bool) {
	rms := rms(frame)
	before := m.level
	m.level = max(rms, 0.7*m.level)
	was := m.plays
	m.plays = m.judge(frame, rms)
	return m.level, m.plays, m.plays != was || math.Abs(m.level-before) > 0.01
}

// judge puts a frame into words, in the light of those before.
func (m *meter) judge(frame []int16, rms float64) string {
	if rms < quiet {
		m.still, m.steady = m.still+1, 0
		if m.still >= holdAfter || m.plays == "" {
			return playsNothing
		}
		return m.plays
	}
	m.still = 0
	p := pitch(frame)
	if p > 0 && math.Abs(p-m.pitch) <= toneSpan {
		m.steady++
	} else {
		m.steady, m.pitch = 0, p
	}
	switch {
	case m.steady >= toneAfter:
		return fmt.Sprintf("tone of %.0f Hz", math.Round(m.pitch/pitchStep)*pitchStep)
	case m.plays == "" || m.plays == playsNothing:
		return playsSound
	case m.steady > 0:
		return m.plays
	}
	return playsSound
}

// rms is the root mean square of a frame, 0 to 1.
func rms(frame []int16) float64 {
	if len(frame) == 0 {
		return 0
	}
	var sum float64
	for _, s := range frame {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum/float64(len(frame))) / math.MaxInt16
}

// pitch is the frequency of a frame's rising zero crossings in Hz, each placed
// between its two samples; 0 when there are not two.
func pitch(frame []int16) float64 {
	const rate = 8000
	first, last, count := 0.0, 0.0, 0
	for i := 1; i < len(frame); i++ {
		a, b := float64(frame[i-1]), float64(frame[i])
		if a >= 0 || b < 0 {
			continue
		}
		at := float64(i-1) + a/(a-b)
		if count == 0 {
			first = at
		}
		last = at
		count++
	}
	if count < 2 || last <= first {
		return 0
	}
	return rate * float64(count-1) / (last - first)
}
