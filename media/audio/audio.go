// Package audio joins the panel's microphone and speaker with the far end and
// the panel's own sounds.
package audio

import "doorstation/media/tone"

// An Engine is the sound of one panel.
type Engine struct{}

// New makes an engine that is silent both ways.
func New() *Engine { return &Engine{} }

// Exchange takes 20 ms from the microphone and gives 20 ms to the speaker.
func (e *Engine) Exchange(mic, speaker []int16) { clear(speaker) }

// Hear puts a far end on the speaker; nil takes it off.
func (e *Engine) Hear(far func(frame []int16) bool) {}

// Uplink gives the next 20 ms for the far end.
func (e *Engine) Uplink(frame []int16) { clear(frame) }

// Play plays a clip on the speaker; nil stops.
func (e *Engine) Play(clip tone.Clip, loop bool) {}

// PlayUp plays a clip to the far end; nil stops.
func (e *Engine) PlayUp(clip tone.Clip) {}

// Levels are the last levels in dBFS.
func (e *Engine) Levels() (mic, speaker float64) { return -96, -96 }
