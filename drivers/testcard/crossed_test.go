package testcard

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers"
)

func TestCrossedPicture(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithTimeout(t.Context(), 990*time.Millisecond)
		defer stop()
		n := 0
		err := NewCrossed().Capture(ctx, drivers.VideoFormat{Width: 640, Height: 480, FPS: 15}, func(p drivers.Picture) {
			n++
			lit := func(x, y int) bool { return p.Y[y*640+x] > 100 }
			if !lit(2, 0) || !lit(637, 0) || !lit(320, 240) || !lit(2, 479) || !lit(637, 479) || lit(320, 10) || lit(10, 240) {
				t.Error("the field is not crossed out from corner to corner")
			}
			if _, ok := ReadClock(p.Y, 640, 640, 480); ok {
				t.Error("it reads as a test card")
			}
		})
		if !errors.Is(err, context.DeadlineExceeded) || n != 5 {
			t.Errorf("%d pictures in a second, ended with %v", n, err)
		}
	})
	if err := NewCrossed().Capture(t.Context(), drivers.VideoFormat{Width: 1, Height: 1, FPS: 1}, nil); err == nil {
		t.Error("a picture of one pixel was drawn")
	}
}
