// Package audio joins the panel's microphone and speaker with the far end and
// the panel's own sounds. Frames are 16-bit mono samples at 8000 Hz, 20 ms of
// them a call; other lengths work too.
package audio

import (
	"sync"

	"doorstation/media/tone"
)

// An Engine is the sound of one panel. Two clocks meet in it: the sound
// device's, which calls Exchange, and that of the RTP sender, which calls
// Uplink. Its methods may be called from any goroutine.
type Engine struct {
	hearing sync.Mutex // held while far is called
	far     func(frame []int16) bool

	mu      sync.Mutex // held for the length of a copy
	speaker player
	uplink  player
	mic     fifo

	micLevel, speakerLevel meter
}

// New makes an engine that is silent both ways.
func New() *Engine { return &Engine{} }

// Exchange takes what the microphone has recorded and fills what the speaker
// plays next. The sound device calls it every 20 ms; it neither allocates nor
// waits for anything but a copy.
func (e *Engine) Exchange(mic, speaker []int16) {
	e.micLevel.measure(mic)
	e.mu.Lock()
	e.mic.write(mic)
	e.mu.Unlock()

	e.hearFar(speaker)
	e.mu.Lock()
	e.speaker.mix(speaker)
	e.mu.Unlock()
	e.speakerLevel.measure(speaker)
}

func (e *Engine) hearFar(speaker []int16) {
	e.hearing.Lock()
	defer e.hearing.Unlock()
	if e.far == nil || !e.far(speaker) {
		clear(speaker)
	}
}

// Hear puts a far end on the speaker, in place of any other: far fills a frame,
// or reports false when it has nothing. nil takes it off; once Hear returns,
// the former far is not called any more.
func (e *Engine) Hear(far func(frame []int16) bool) {
	e.hearing.Lock()
	defer e.hearing.Unlock()
	e.far = far
}

// Uplink fills frame with the microphone's next samples, and what PlayUp plays
// over them. The sender calls it every 20 ms while the microphone is open.
// What was recorded before it opened is not sent.
func (e *Engine) Uplink(frame []int16) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.mic.read(frame)
	e.uplink.mix(frame)
}

// Play plays a clip on the speaker over the far end, again and again with
// loop. It replaces the clip before it; nil stops.
func (e *Engine) Play(clip tone.Clip, loop bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.speaker.play(clip, loop)
}

// PlayUp plays a clip once to the far end, over the microphone. It replaces
// the clip before it; nil stops.
func (e *Engine) PlayUp(clip tone.Clip) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.uplink.play(clip, false)
}

// Levels are the levels of the last frame of the microphone and of the
// speaker, in dB of a full-scale square wave, from Floor to 0.
func (e *Engine) Levels() (mic, speaker float64) {
	return e.micLevel.decibels(), e.speakerLevel.decibels()
}
