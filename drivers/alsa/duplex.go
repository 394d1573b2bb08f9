//go:build cgo

package alsa

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"doorstation/drivers"
)

// A pcm is one direction of a sound card that does not wait. Numbers below zero
// are the kernel's error numbers.
type pcm interface {
	// move reads or writes samples, and gives how many.
	move(samples []int16) int
	// wait waits until move can do something: 1, or 0 when d is over.
	wait(d time.Duration) int
	start() int
	// recover makes it ready to be started again after an error, or gives the
	// error back.
	recover(code int) int
	holds() int // samples
}

const (
	// patience is how long a card may stand still before it counts as lost.
	patience = 2 * time.Second
	// glance is how often somebody who waits for a card looks up.
	glance = 100 * time.Millisecond
	// depth is how many frames of ours the card holds: one that it plays or fills,
	// and two that it may be late with. More is delay that the resident hears.
	depth = 3
)

// errStopped means that the card has stopped by itself: it was unplugged.
var errStopped = errors.New("the sound card has stopped")

// A duplex exchanges frames with both directions of a card, at the pace of its
// microphone.
type duplex struct {
	mic, speaker pcm
	describe     func(code int) error
}

// run exchanges until ctx ends or the card is lost.
func (d *duplex) run(ctx context.Context, exchange func(mic, speaker []int16)) error {
	if err := d.listen(); err != nil {
		return err
	}
	if err := d.lead(); err != nil {
		return err
	}
	heard, spoken := make([]int16, drivers.FrameSamples), make([]int16, drivers.FrameSamples)
	for ctx.Err() == nil {
		if err := d.hear(ctx, heard); err != nil {
			return err
		}
		clear(spoken)
		exchange(heard, spoken)
		if err := d.say(spoken); err != nil {
			return err
		}
	}
	return context.Cause(ctx)
}

// listen lets the microphone run.
func (d *duplex) listen() error { return d.lost("microphone", d.mic.start()) }

// lead lets the speaker run, with silence before our first frame: as much as it
// holds but for that frame.
func (d *duplex) lead() error {
	n := d.speaker.move(make([]int16, max(0, d.speaker.holds()-drivers.FrameSamples)))
	if n >= 0 || n == -int(syscall.EAGAIN) { // it holds less than it said
		n = d.speaker.start()
	}
	return d.lost("speaker", n)
}

// hear fills a frame.
func (d *duplex) hear(ctx context.Context, frame []int16) error {
	still := time.Duration(0)
	for len(frame) > 0 {
		n := d.mic.move(frame)
		if n > 0 {
			frame, still = frame[n:], 0
			continue
		}
		if n == 0 || n == -int(syscall.EAGAIN) {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			if still >= patience {
				return fmt.Errorf("no sound for %v: %w", patience, errStopped)
			}
			// One that says that there is something, and gives nothing, is not
			// waited for without end.
			if n = d.mic.wait(glance); n == 0 {
				still += glance
			} else {
				still += time.Millisecond
			}
		}
		if n < 0 {
			if err := d.lost("microphone", d.mic.recover(n)); err != nil {
				return err
			}
			if err := d.listen(); err != nil {
				return err
			}
		}
	}
	return nil
}

// say gives a frame to the speaker. What it has no room for is left out: it is
// behind the microphone.
func (d *duplex) say(frame []int16) error {
	const tries = 3
	for range tries {
		n := d.speaker.move(frame)
		if n >= 0 || n == -int(syscall.EAGAIN) {
			return nil
		}
		if err := d.lost("speaker", d.speaker.recover(n)); err != nil {
			return err
		}
		if err := d.lead(); err != nil {
			return err
		}
	}
	return nil
}

// lost is the error that a code below zero means.
func (d *duplex) lost(what string, code int) error {
	if code >= 0 {
		return nil
	}
	return fmt.Errorf("%s: %w: %w", what, errStopped, d.describe(code))
}
