package session

import (
	"testing"
	"time"
)

// probed asks once, and tells when the answer has come.
func probed(s *Session) <-chan struct{} {
	answered := make(chan struct{})
	s.Probe(func() { close(answered) })
	return answered
}

func TestProbeIsAnswered(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	<-probed(s) // the microphone is closed: the housekeeping alone
	s.Speak(singer(440))
	for range 3 {
		<-probed(s)
	}
	s.Speak(nil)
	<-probed(s)
	s.Close()
	<-probed(s)
}

// A loop that hangs leaves the question open, until the leg ends.
func TestProbeOfAHungLoop(t *testing.T) {
	for name, hang := range map[string]func(s *Session, until <-chan struct{}){
		"housekeeping": func(s *Session, until <-chan struct{}) { s.Probe(func() { <-until }) },
		"audio clock":  func(s *Session, until <-chan struct{}) { s.Speak(func([]int16) { <-until }) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPhone(t)
			s, _ := call(t, p, nil)
			until := make(chan struct{})
			hung := make(chan struct{})
			hang(s, until)
			go func() { s.Probe(func() { close(hung) }) }()
			next := make(chan struct{}) // by then a living loop has answered
			time.AfterFunc(10*frameTime, func() { close(next) })
			select {
			case <-hung:
				t.Error("answered by a loop that hangs")
			case <-next:
			}
			close(until)
			<-hung
		})
	}
}

// Whoever asks as the loop ends is answered all the same.
func TestTurnsEnd(t *testing.T) {
	var of turns
	answers := 0
	of.ask(func() { answers++ })
	if answers != 0 {
		t.Error("answered before the loop came round")
	}
	of.answer()
	of.answer()
	of.ask(func() { answers++ })
	of.end()
	of.ask(func() { answers++ })
	if answers != 3 {
		t.Errorf("%d answers, want 3", answers)
	}
}
