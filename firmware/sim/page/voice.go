package page

import (
	"context"
	_ "embed" // for the sample
	"time"

	"doorstation/drivers"
	"doorstation/drivers/sim"
	"doorstation/media/g711"
)

// sample is a visitor's sentence: mu-law, 8000 Hz, mono, without a header.
//
//go:embed visitor.ulaw
var sample []byte

// Who speaks for the visitor.
const (
	voiceNobody     = "nobody"
	voiceSample     = "sample"
	voiceMicrophone = "microphone"
)

const (
	// samplePause is between two times of the sample.
	samplePause = 2 * time.Second

	// microphoneHold is how long a browser that spoke still counts as there.
	microphoneHold = time.Second

	// maxSpoken bounds what waits of a browser's microphone, in frames.
	maxSpoken = 15

	// lampTalking is the lamp that says that somebody is listening.
	lampTalking = "talking"
)

// A voice is what the visitor says: what a browser's microphone gives, or the
// sample while somebody listens and no browser speaks.
type voice struct {
	waiting [][]int16
	spoke   time.Time // when a browser last gave a frame
	at      int       // next byte of the sample
	from    time.Time // not before this does the sample begin
}

// spoken takes a frame of a browser's microphone.
func (v *voice) spoken(now time.Time, frame []int16) {
	if len(v.waiting) >= maxSpoken {
		v.waiting = v.waiting[1:]
	}
	v.waiting = append(v.waiting, frame)
	v.spoke = now
}

// next gives the frame that is due, or nil, and says who speaks.
func (v *voice) next(now time.Time, listened bool) ([]int16, string) {
	if len(v.waiting) > 0 {
		frame := v.waiting[0]
		v.waiting = v.waiting[1:]
		return frame, voiceMicrophone
	}
	if now.Sub(v.spoke) < microphoneHold {
		return nil, voiceMicrophone
	}
	if !listened {
		v.at, v.from = 0, now
		return nil, voiceNobody
	}
	if now.Before(v.from) {
		return nil, voiceSample
	}
	frame := make([]int16, drivers.FrameSamples)
	n := g711.DecodeULaw(frame, sample[v.at:min(v.at+len(frame), len(sample))])
	v.at += n
	if v.at >= len(sample) {
		v.at, v.from = 0, now.Add(samplePause)
	}
	return frame, voiceSample
}

// speak gives the visitor's voice to the microphone, a frame every 20 ms.
func (p *panel) speak(ctx context.Context, world *sim.World) {
	ticker := time.NewTicker(drivers.FrameTime)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			p.mu.Lock()
			frame, who := p.voice.next(now, p.state.Lamps[lampTalking])
			news := p.state.Voice != who
			p.state.Voice = who
			p.mu.Unlock()
			if news {
				p.changed.Send(struct{}{})
			}
			if frame != nil && world.Say(frame) != nil {
				return
			}
		}
	}
}
