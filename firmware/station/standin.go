package station

import (
	"context"
	"errors"
	"sync"
	"time"

	"doorstation/drivers"
)

// A lasting camera goes on when its camera is lost: with the card in its place,
// until the camera is back. It is a drivers.Camera.
type lastingCamera struct {
	camera drivers.Camera
	card   drivers.Camera  // nil: this build can make none, and there is no picture meanwhile
	tell   func(err error) // called with the cause of a loss, and with nil when the camera gives pictures
}

// RequestKey implements drivers.Camera.
func (c *lastingCamera) RequestKey() {
	c.camera.RequestKey()
	if c.card != nil {
		c.card.RequestKey()
	}
}

// pictures implements pictured.
func (c *lastingCamera) pictures() *peek { return peekOf(c.camera) }

// Stream implements drivers.Camera. Only ctx ends it.
func (c *lastingCamera) Stream(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Frame)) error {
	var last time.Duration
	forward := func(frame drivers.Frame) { // two cameras, one clock that never goes back
		last = max(frame.PTS, last+time.Millisecond)
		frame.PTS = last
		deliver(frame)
	}
	card := cardShow{card: c.card, format: f, deliver: forward}
	defer card.stop()
	for wait := restartMin; ; wait = min(2*wait, restartMax) {
		began, films := time.Now(), false
		err := c.camera.Stream(ctx, f, func(frame drivers.Frame) {
			if !films {
				films = true
				card.stop()
				c.tell(nil)
			}
			forward(frame)
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = errors.New("it has stopped by itself")
		}
		c.tell(err)
		card.start(ctx)
		if time.Since(began) > healthy {
			wait = restartMin
		}
		pause(ctx, wait)
	}
}

// A cardShow streams the card while the camera is lost.
type cardShow struct {
	card    drivers.Camera
	format  drivers.VideoFormat
	deliver func(drivers.Frame)

	end     context.CancelFunc // nil: nothing is shown
	showing sync.WaitGroup
}

// start shows the card, unless it is shown or there is none.
func (s *cardShow) start(ctx context.Context) {
	if s.end != nil || s.card == nil {
		return
	}
	ctx, s.end = context.WithCancel(ctx)
	s.showing.Go(func() { _ = s.card.Stream(ctx, s.format, s.deliver) }) // without a card the picture stands still
}

// stop ends the show. No frame of it comes after stop has returned.
func (s *cardShow) stop() {
	if s.end != nil {
		s.end()
		s.showing.Wait()
		s.end = nil
	}
}

// lastingSound runs a sound card, and silence while it is lost, until ctx ends.
// tell is called as of a lastingCamera.
func lastingSound(ctx context.Context, run func(context.Context, func(mic, speaker []int16)) error, exchange func(mic, speaker []int16), tell func(error)) error {
	for wait := restartMin; ; wait = min(2*wait, restartMax) {
		began, heard := time.Now(), false
		err := run(ctx, func(mic, speaker []int16) {
			if !heard {
				heard = true
				tell(nil)
			}
			exchange(mic, speaker)
		})
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err == nil {
			err = errors.New("it has stopped by itself")
		}
		tell(err)
		if time.Since(began) > healthy {
			wait = restartMin
		}
		span, stop := context.WithTimeout(ctx, wait)
		_ = silence(exchange)(span)
		stop()
	}
}
