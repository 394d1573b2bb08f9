package session

import "sync"

// Turn asks whether the leg's loops turn: done is called once the
// housekeeping, and after it the audio clock if the microphone is open, have
// come round; at once if the leg has ended, or ends meanwhile. done runs on one
// of these loops, or within Turn or Close, and must not block.
func (s *Session) Turn(done func()) {
	s.housekeeping.ask(func() { s.mouth.turn(done) })
	s.nudge()
}

// turn calls done at the next tick of the audio clock, or now if it stands.
func (m *mouth) turn(done func()) {
	m.turns.ask(done)
	m.mu.Lock()
	open := m.src != nil
	m.mu.Unlock()
	if !open {
		m.turns.answer()
	}
}

// turns are those who wait for a loop to come round.
type turns struct {
	mu      sync.Mutex
	over    bool // the loop has ended
	waiting []func()
}

// ask has done called at the next answer, or now after the last one.
func (t *turns) ask(done func()) {
	t.mu.Lock()
	if !t.over {
		t.waiting = append(t.waiting, done)
		done = nil
	}
	t.mu.Unlock()
	if done != nil {
		done()
	}
}

// answer is called by the loop as it comes round.
func (t *turns) answer() {
	t.mu.Lock()
	waiting := t.waiting
	t.waiting = nil
	t.mu.Unlock()
	for _, done := range waiting {
		done()
	}
}

// end answers all who wait, and whoever asks from now on.
func (t *turns) end() {
	t.mu.Lock()
	t.over = true
	t.mu.Unlock()
	t.answer()
}
