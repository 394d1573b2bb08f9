package session

import (
	"testing"
	"time"
)

// turned asks once, and tells when the answer has come.
func turned(s *Session) <-chan struct{} {
	answered := make(chan struct{})
	s.Turn(func() { close(answered) })
	return answered
}

func TestTurnIsAnswered(t *testing.T) {
	p := newPhone(t)
	s, _ := call(t, p, nil)
	<-turned(s) // the microphone is closed: the housekeeping alone
	s.Speak(singer(440))
	for range 3 {
		<-turned(s)
	}
	s.Speak(nil)
	<-turned(s)
	s.Close()
	<-turned(s)
}

// A loop that hangs leaves the question open, until the leg ends.
func TestTurnOfAHungLoop(t *testing.T) {
	for name, hang := range map[string]func(s *Session, until <-chan struct{}){
		"housekeeping": func(s *Session, until <-chan struct{}) { s.Turn(func() { <-until }) },
		"audio clock":  func(s *Session, until <-chan struct{}) { s.Speak(func([]int16) { <-until }) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPhone(t)
			s, _ := call(t, p, nil)
			until := make(chan struct{})
			hung := make(chan struct{})
			hang(s, until)
			go func() { s.Turn(func() { close(hung) }) }()
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
