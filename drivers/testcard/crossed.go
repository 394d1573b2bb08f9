package testcard

import (
	"context"
	"time"

	"doorstation/drivers"
)

// Crossed is the picture in place of a camera that is lost: a grey field,
// crossed out. It is a drivers.RawCamera.
type Crossed struct{}

// NewCrossed returns it. It can be captured any number of times at once.
func NewCrossed() *Crossed { return &Crossed{} }

// crossedRate is the most pictures a second of what does not move.
const crossedRate = 5

// Capture delivers the picture in the size asked for, at up to 5 a second,
// until ctx ends; it returns the context's error.
func (*Crossed) Capture(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Picture)) error {
	if err := check(f); err != nil {
		return err
	}
	c := crossed(f.Width, f.Height)
	pace := time.NewTicker(time.Second / time.Duration(min(f.FPS, crossedRate)))
	defer pace.Stop()
	for {
		deliver(c.picture(monotonic()))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-pace.C:
		}
	}
}

// crossed draws the field and the two lines across it.
func crossed(w, h int) *card {
	const field, line = 64, 144
	c := &card{w: w, h: h, y: make([]byte, w*h), u: make([]byte, w*h/4), v: make([]byte, w*h/4)}
	c.fill(rect{0, 0, w, h}, field)
	for i := range c.u {
		c.u[i], c.v[i] = neutral, neutral
	}
	thick := max(2, w/80)
	for y := range h {
		x := y * (w - thick) / (h - 1)
		c.fill(rect{x, y, thick, 1}, line)
		c.fill(rect{w - thick - x, y, thick, 1}, line)
	}
	return c
}
