package tone

import (
	"slices"
	"time"
)

const ms = time.Millisecond

// The levels are peaks of full scale: tones that repeat are quieter than
// those that tell something once.
const (
	quiet = 0.20 // about -14 dBFS
	plain = 0.32 // about -10 dBFS
)

// A signal is a clip by name, as what it is computed from.
type signal struct {
	parts []part
	times int // the parts are played so often
	loop  bool
}

// clip computes the samples; nil for silence.
func (s signal) clip() Clip {
	if len(s.parts) == 0 {
		return nil
	}
	return render(slices.Repeat(s.parts, s.times)...)
}

// For computes the sound of a signal by its name, and tells whether it repeats
// until something else is played. ok is false for a name that has no sound.
// "none" is known, and silent. No clip is kept: all of them together are 340 kB,
// for which a panel at rest has no use.
//
// The call progress tones keep the cadence of the European plan (ETSI
// TR 101 041): 425 Hz, one second in five for ringing, halves of a second for
// busy. The others are the panel's own, made to be told apart without seeing
// the lamp: rising means yes, falling means no.
func For(name string) (clip Clip, loop, ok bool) {
	s, ok := signals[name]
	return s.clip(), s.loop, ok
}

// Names lists what For knows, in no order.
func Names() []string {
	names := make([]string, 0, len(signals))
	for name := range signals {
		names = append(names, name)
	}
	return names
}

var signals = map[string]signal{
	"none":           {},
	"ringback":       {parts: []part{note(425, quiet, 1000*ms), pause(4000 * ms)}, times: 1, loop: true},
	"busy":           repeat(3, note(425, quiet, 500*ms), pause(500*ms)),
	"refused":        once(note(480, plain, 200*ms), pause(60*ms), note(400, plain, 200*ms), pause(60*ms), note(320, plain, 350*ms)),
	"no-answer":      repeat(2, note(425, plain, 150*ms), pause(150*ms), note(350, plain, 400*ms), pause(250*ms)),
	"unreachable":    once(note(950, quiet, 330*ms), note(1400, quiet, 330*ms), note(1800, quiet, 330*ms)),
	"network-lost":   once(note(1800, quiet, 160*ms), note(1400, quiet, 160*ms), note(950, quiet, 160*ms), pause(200*ms), note(950, quiet, 420*ms)),
	"not-configured": repeat(2, note(300, plain, 250*ms), pause(250*ms)),
	"warning":        once(note(1400, quiet, 150*ms), pause(200*ms), note(1400, quiet, 150*ms)),
	"ended":          repeat(3, note(425, quiet, 200*ms), pause(200*ms)),
	"code-accepted":  once(note(880, plain, 90*ms), note(1175, plain, 160*ms)),
	"code-rejected":  once(note(330, plain, 180*ms), pause(60*ms), note(247, plain, 320*ms)),
	"door-open":      once(struck(784, 250*ms), struck(988, 250*ms), struck(1175, 600*ms)),
	"door-failed":    repeat(3, chord(quiet, 160*ms, 220, 277), pause(100*ms)),
	"door-held":      repeat(4, note(1000, plain, 250*ms), pause(250*ms)),
	"incoming":       once(struck(660, 180*ms), struck(990, 180*ms), pause(120*ms), struck(660, 180*ms), struck(990, 350*ms)),
}

func note(freq, level float64, lasts time.Duration) part {
	return part{freqs: []float64{freq}, level: level, lasts: lasts}
}

func chord(level float64, lasts time.Duration, freqs ...float64) part {
	return part{freqs: freqs, level: level, lasts: lasts}
}

// struck sounds like a chime bar: a note and its weak double octave, dying away.
func struck(freq float64, lasts time.Duration) part {
	return part{freqs: []float64{freq, freq, freq, 2 * freq}, level: plain, lasts: lasts, fades: true}
}

func pause(lasts time.Duration) part { return part{lasts: lasts} }

func once(parts ...part) signal { return repeat(1, parts...) }

func repeat(times int, parts ...part) signal { return signal{parts: parts, times: times} }
