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

// A Clip is a sound as 16-bit mono samples at Rate. It belongs to whoever asked
// for it; the parts that play it only read.
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
	n := 0
	for _, p := range parts {
		n += samplesIn(p.lasts)
	}
	clip, at := make(Clip, n), 0
	for _, p := range parts {
		n := samplesIn(p.lasts)
		p.fill(clip[at : at+n])
		at += n
	}
	return clip
}

// fill computes the part into clip, which is silent and as long as the part.
func (p part) fill(clip Clip) {
	if len(p.freqs) == 0 {
		return
	}
	n, partials := len(clip), make([]sine, len(p.freqs))
	for i, f := range p.freqs {
		partials[i] = newSine(f)
	}
	level, decay := p.level*math.MaxInt16/float64(len(partials)), 1.0
	if p.fades { // like a struck bar, to a twentieth
		decay = math.Exp(-3 / float64(n))
	}
	for i := range clip {
		sum := 0.0
		for k := range partials {
			sum += partials[k].next()
		}
		clip[i] = int16(math.Round(level * sum * edge(i, n)))
		level *= decay
	}
}

// A sine gives the samples of one partial in their order, each for one
// multiplication: sin(n+1)w = 2 cos w sin nw - sin(n-1)w. Clips are computed
// while a call goes on, and math.Sin would cost a small board a hundred times
// as much.
type sine struct{ now, before, twice float64 }

func newSine(freq float64) sine {
	w := 2 * math.Pi * freq / Rate
	return sine{now: 0, before: -math.Sin(w), twice: 2 * math.Cos(w)}
}

func (s *sine) next() float64 {
	x := s.now
	s.now, s.before = s.twice*x-s.before, x
	return x
}

// edge is the envelope at sample i of n: raised-cosine edges.
func edge(i, n int) float64 {
	width := min(samplesIn(ramp), n/2)
	near := min(i, n-1-i)
	if near >= width {
		return 1
	}
	return 0.5 - 0.5*math.Cos(math.Pi*float64(near)/float64(width))
}

func samplesIn(d time.Duration) int { return int(d * Rate / time.Second) }

// Sine is a steady tone of freq Hz at level (0 to 1 of full scale), with soft
// edges.
func Sine(freq, level float64, lasts time.Duration) Clip {
	return render(part{freqs: []float64{freq}, level: level, lasts: lasts})
}
