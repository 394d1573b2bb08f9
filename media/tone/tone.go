// Package tone makes the sounds of the panel: call progress tones, accept and
// reject signals, the chime of the door. It is pure: every clip is computed,
// the same on every panel, and nothing is read from a file.
package tone

import (
	"math"
	"time"
)

// Rate is the sampling rate of every clip, in Hz.
const Rate = 8000

// A Clip is a sound as 16-bit mono samples at Rate. Clips are shared: nobody
// writes into one.
type Clip []int16

// Duration is the playing time of the clip.
func (c Clip) Duration() time.Duration {
	return time.Duration(len(c)) * time.Second / Rate
}

// ramp is how long a partial takes to come and to go, against clicks.
const ramp = 8 * time.Millisecond

// A part is one stretch of a clip: tones sounding together, or a pause when
// there are none.
type part struct {
	freqs []float64 // in Hz, all at the same level
	level float64   // of the sum's peak, 0 to 1 of full scale
	lasts time.Duration
	fades bool // dies away like a struck bar, instead of holding its level
}

// render computes a clip from its parts.
func render(parts ...part) Clip {
	var clip Clip
	for _, p := range parts {
		clip = append(clip, p.samples()...)
	}
	return clip
}

func (p part) samples() Clip {
	n := samplesIn(p.lasts)
	clip := make(Clip, n)
	if len(p.freqs) == 0 {
		return clip
	}
	scale := p.level * math.MaxInt16 / float64(len(p.freqs))
	for i := range clip {
		sum := 0.0
		for _, f := range p.freqs {
			sum += math.Sin(2 * math.Pi * f * float64(i) / Rate)
		}
		clip[i] = int16(math.Round(scale * sum * p.gain(i, n)))
	}
	return clip
}

// gain is the envelope at sample i of n: raised-cosine edges, and for a
// struck sound an exponential decay to a twentieth.
func (p part) gain(i, n int) float64 {
	edge := min(samplesIn(ramp), n/2)
	g := 1.0
	if near := min(i, n-1-i); near < edge {
		g = 0.5 - 0.5*math.Cos(math.Pi*float64(near)/float64(edge))
	}
	if p.fades {
		g *= math.Exp(-3 * float64(i) / float64(n))
	}
	return g
}

func samplesIn(d time.Duration) int { return int(d * Rate / time.Second) }

// Sine is a steady tone of freq Hz at level (0 to 1 of full scale), with soft
// edges.
func Sine(freq, level float64, lasts time.Duration) Clip {
	return render(part{freqs: []float64{freq}, level: level, lasts: lasts})
}
