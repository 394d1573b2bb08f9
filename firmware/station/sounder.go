package station

import (
	"time"

	"doorstation/callflow"
	"doorstation/media/audio"
	"doorstation/media/tone"
)

// A sounder plays signals to the visitor. A signal that repeats goes on after
// one that does not.
type sounder struct {
	engine *audio.Engine
	looped callflow.Signal // what repeats now; empty: nothing
	shown  callflow.Signal // what is heard now
	until  time.Time       // end of a signal that does not repeat; zero: none plays
}

// play begins a signal.
func (s *sounder) play(now time.Time, signal callflow.Signal) {
	s.until = time.Time{}
	clip, loop, ok := tone.For(string(signal))
	if signal == callflow.SignalNone || !ok {
		s.looped, s.shown = "", ""
		s.engine.Play(nil, false)
		return
	}
	s.shown = signal
	s.engine.Play(clip, loop)
	if loop {
		s.looped = signal
		return
	}
	s.until = now.Add(time.Duration(len(clip)) * time.Second / tone.Rate)
}

// end lets nothing go on after the signal that plays.
func (s *sounder) end() { s.looped = "" }

// tick lets the repeating signal go on after one that has ended.
func (s *sounder) tick(now time.Time) {
	if s.until.IsZero() || now.Before(s.until) {
		return
	}
	s.until, s.shown = time.Time{}, ""
	if s.looped != "" {
		s.play(now, s.looped)
	}
}
