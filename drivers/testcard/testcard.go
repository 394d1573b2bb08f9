// Package testcard is a camera without a camera: a calm moving picture with a
// clock in it that people and tests can read.
package testcard

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/drivers"
)

// The limits of what Capture draws.
const (
	MinWidth, MinHeight = 160, 120   // pixels
	MaxWidth, MaxHeight = 4096, 2304 // pixels
	MaxFPS              = 120
)

// Camera is the test card; it is a drivers.RawCamera.
type Camera struct{}

// New returns the test card. It can be captured any number of times at once;
// every capture has a clock of its own that begins at 0.
func New() *Camera { return &Camera{} }

// Capture delivers pictures of exactly the size and rate asked for, on absolute
// deadlines, until ctx ends; it returns the context's error. A picture whose
// time has passed while deliver was busy is left out, and the rhythm kept.
// Nothing is allocated for a picture.
func (*Camera) Capture(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Picture)) error {
	if err := check(f); err != nil {
		return err
	}
	c := newCard(f.Width, f.Height)
	began := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for n := int64(0); ; n++ {
		if late := time.Since(began); late > due(n+1, f.FPS) {
			n = int64(late) * int64(f.FPS) / int64(time.Second)
		}
		timer.Reset(time.Until(began.Add(due(n, f.FPS))))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		c.draw(time.Since(began))
		deliver(c.picture(monotonic()))
	}
}

// due is when picture n comes, from the beginning.
func due(n int64, fps int) time.Duration {
	return time.Duration(n * int64(time.Second) / int64(fps))
}

// check refuses what cannot be drawn.
func check(f drivers.VideoFormat) error {
	switch {
	case f.Width < MinWidth || f.Width > MaxWidth || f.Width%2 != 0 ||
		f.Height < MinHeight || f.Height > MaxHeight || f.Height%2 != 0:
		return fmt.Errorf("testcard: %dx%d pixels asked for; even sizes from %dx%d to %dx%d can be drawn",
			f.Width, f.Height, MinWidth, MinHeight, MaxWidth, MaxHeight)
	case f.FPS < 1 || f.FPS > MaxFPS:
		return fmt.Errorf("testcard: %d frames a second asked for; 1 to %d can be drawn", f.FPS, MaxFPS)
	}
	return nil
}

// monotonic reads CLOCK_MONOTONIC.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}
