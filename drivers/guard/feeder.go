package guard

import (
	"context"
	"errors"
	"sync"
	"time"
)

// A Watchdog is the hardware that resets the board unless it is fed.
type Watchdog interface {
	Timeout() time.Duration // it bites after so long
	HasReset() bool         // it was the cause of the last start, as far as it knows
	Feed() error
	Stop() error // it is not to bite any more
}

// feeder feeds the watchdog in a goroutine of its own: some are behind a slow
// bus. That goroutine eats only what the loop hands it.
type feeder struct {
	food chan struct{}

	mu    sync.Mutex
	dog   Watchdog // nil until it is open
	ended bool
}

// feed never waits.
func (f *feeder) feed() {
	select {
	case f.food <- struct{}{}:
	default:
	}
}

// watchdog opens the watchdog, once it is there, and feeds it.
func (s *server) watchdog(ctx context.Context) {
	if s.opt.Watchdog == nil {
		return
	}
	s.feeder.food = make(chan struct{}, 1)
	s.spawn(func() error {
		select {
		case <-time.After(s.opt.Unfed):
		case <-ctx.Done():
			return nil
		}
		s.retry(ctx, "watchdog", func() error { return s.keepFed(ctx) })
		return nil
	})
}

// keepFed opens the watchdog and feeds it until ctx ends or that fails.
func (s *server) keepFed(ctx context.Context) error {
	dog, err := s.opt.Watchdog()
	if err != nil {
		return err
	}
	if !s.feeder.have(dog) {
		return dog.Stop()
	}
	s.journal.say("watchdog bites after " + dog.Timeout().String())
	if dog.HasReset() {
		s.journal.say("the watchdog was the cause of this start of the board")
	}
	if !s.post(ctx, Armed{Timeout: dog.Timeout()}) {
		return nil
	}
	for {
		select {
		case <-s.feeder.food:
			if err := dog.Feed(); err != nil { // it is opened anew
				s.feeder.have(nil)
				return errors.Join(err, dog.Stop())
			}
		case <-ctx.Done():
			return nil
		}
	}
}

// have keeps the watchdog for the end; false if that was before.
func (f *feeder) have(dog Watchdog) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dog = dog
	return !f.ended
}

// end stops the watchdog if the guard's end was meant.
func (f *feeder) end(meant bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.ended = true; meant && f.dog != nil {
		_ = f.dog.Stop()
	}
}
