//go:build cgo

package alsa

import "doorstation/drivers"

// A framer makes frames of 160 samples out of what a card brings at once. Cards
// that bring just that cost no delay; with others the speaker is behind by less
// than a frame.
type framer struct {
	exchange func(mic, speaker []int16)
	mic      [drivers.FrameSamples]int16
	heard    int // samples in mic
	speaker  [drivers.FrameSamples]int16
	spoken   int // samples of speaker that have been played
}

func newFramer(exchange func(mic, speaker []int16)) *framer {
	return &framer{exchange: exchange, spoken: drivers.FrameSamples}
}

// pass takes what was heard and fills what is to be played; both are equally
// long. What there is nothing for is silence.
func (f *framer) pass(in, out []int16) {
	for len(in) > 0 {
		n := copy(f.mic[f.heard:], in)
		in, f.heard = in[n:], f.heard+n
		if f.heard < len(f.mic) {
			break
		}
		out = f.play(out) // what is left of the last frame, before it is replaced
		clear(f.speaker[:])
		f.exchange(f.mic[:], f.speaker[:])
		f.heard, f.spoken = 0, 0
	}
	clear(f.play(out))
}

// play moves samples into out and returns what could not be filled.
func (f *framer) play(out []int16) []int16 {
	n := copy(out, f.speaker[f.spoken:])
	f.spoken += n
	return out[n:]
}
