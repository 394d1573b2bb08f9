package fake

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorstation/drivers"
)

// Sound is a sound card with the clock of the test: in a synctest bubble it
// takes no real time. The zero value is ready and silent.
type Sound struct {
	mu     sync.Mutex
	mic    []int16
	played []int16
	fault  error
}

// Say queues samples for the microphone, which hears silence after them.
func (s *Sound) Say(samples []int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.mic = append(s.mic, samples...)
}

// Played takes what the speaker has played since the last call.
func (s *Sound) Played() []int16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	played := slices.Clone(s.played)
	s.played = s.played[:0]
	return played
}

// Break ends a running Run with err at its next frame, and every later one.
func (s *Sound) Break(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

// Run implements drivers.Sound.
func (s *Sound) Run(ctx context.Context, exchange func(mic, speaker []int16)) error {
	clock := time.NewTicker(drivers.FrameTime)
	defer clock.Stop()
	mic, speaker := make([]int16, drivers.FrameSamples), make([]int16, drivers.FrameSamples)
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-clock.C:
		}
		if err := s.hear(mic); err != nil {
			return err
		}
		clear(speaker)
		exchange(mic, speaker)
		s.play(speaker)
	}
}

func (s *Sound) hear(mic []int16) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := copy(mic, s.mic)
	clear(mic[n:])
	s.mic = s.mic[n:]
	return s.fault
}

func (s *Sound) play(speaker []int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.played = append(s.played, speaker...)
}
