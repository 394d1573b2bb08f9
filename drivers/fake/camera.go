package fake

import (
	"context"
	"errors"
	"sync"

	"doorstation/drivers"
)

// A Camera delivers the frames that a test gives it. Make it with NewCamera.
type Camera struct {
	frames chan drivers.Frame
	lost   chan error

	mu     sync.Mutex
	keys   int
	loaned int
	format drivers.VideoFormat
}

// NewCamera returns a camera that has delivered nothing yet.
func NewCamera() *Camera {
	return &Camera{frames: make(chan drivers.Frame), lost: make(chan error)}
}

// Deliver gives f to the running Stream, with a Release of its own, and
// returns once it has been taken, or with the cause of ctx.
func (c *Camera) Deliver(ctx context.Context, f drivers.Frame) error {
	f.Release = sync.OnceFunc(func() { c.loan(-1) })
	c.loan(1)
	select {
	case c.frames <- f:
		return nil
	case <-ctx.Done():
		c.loan(-1)
		return context.Cause(ctx)
	}
}

// Lose ends the running Stream with err.
func (c *Camera) Lose(ctx context.Context, err error) error {
	if err == nil {
		return errors.New("fake: a camera is lost with an error")
	}
	select {
	case c.lost <- err:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

func (c *Camera) loan(n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loaned += n
}

// Loaned is how many delivered frames have not been released.
func (c *Camera) Loaned() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.loaned
}

// Keys is how often a key frame was asked for.
func (c *Camera) Keys() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.keys
}

// Format is what the last Stream asked for.
func (c *Camera) Format() drivers.VideoFormat {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.format
}

// Stream implements drivers.Camera.
func (c *Camera) Stream(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Frame)) error {
	c.mu.Lock()
	c.format = f
	c.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case err := <-c.lost:
			return err
		case frame := <-c.frames:
			deliver(frame)
		}
	}
}

// RequestKey implements drivers.Camera; it is counted.
func (c *Camera) RequestKey() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys++
}
