package testcard

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers"
)

func TestPicturesComeOnAbsoluteDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 990*time.Millisecond)
		defer stop()
		err := New().Capture(ctx, drivers.VideoFormat{Width: 320, Height: 240, FPS: 15}, func(p drivers.Picture) {
			at = append(at, time.Since(began))
			time.Sleep(time.Duration(len(at)%3) * 10 * time.Millisecond) // work, less than a picture's time
		})
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Capture returned %v", err)
		}
		if len(at) != 15 {
			t.Fatalf("%d pictures in the first second, want 15", len(at))
		}
		for n, d := range at {
			if want := time.Duration(n) * time.Second / 15; d != want {
				t.Errorf("picture %d came at %v, want %v", n, d, want)
			}
		}
	})
}

func TestSlowTakerLosesPicturesAndKeepsTheRhythm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		began := time.Now()
		ctx, stop := context.WithTimeout(t.Context(), 850*time.Millisecond)
		defer stop()
		_ = New().Capture(ctx, drivers.VideoFormat{Width: 320, Height: 240, FPS: 10}, func(p drivers.Picture) {
			at = append(at, time.Since(began))
			if len(at) == 2 {
				time.Sleep(350 * time.Millisecond)
			}
		})
		want := []time.Duration{0, 100, 450, 500, 600, 700, 800}
		for i := range want {
			want[i] *= time.Millisecond
		}
		if !slices.Equal(at, want) {
			t.Errorf("pictures at %v, want %v", at, want)
		}
	})
}

func TestClockRunsWithThePictures(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var read []uint32
		ctx, stop := context.WithTimeout(t.Context(), 350*time.Millisecond)
		defer stop()
		_ = New().Capture(ctx, drivers.VideoFormat{Width: 640, Height: 480, FPS: 10}, func(p drivers.Picture) {
			ms, ok := ReadClock(p.Y, p.Width, p.Width, p.Height)
			if !ok {
				t.Fatal("the clock cannot be read")
			}
			read = append(read, ms)
		})
		if want := []uint32{0, 100, 200, 300}; !slices.Equal(read, want) {
			t.Errorf("clocks %v ms, want %v", read, want)
		}
	})
}

func TestUnfitFormatsAreRefused(t *testing.T) {
	for _, f := range []drivers.VideoFormat{
		{Width: 641, Height: 480, FPS: 15},
		{Width: 640, Height: 100, FPS: 15},
		{Width: 640, Height: 481, FPS: 15},
		{Width: 8000, Height: 480, FPS: 15},
		{Width: 640, Height: 480},
		{Width: 640, Height: 480, FPS: 1000},
	} {
		if err := New().Capture(t.Context(), f, nil); err == nil || !strings.HasPrefix(err.Error(), "testcard: ") {
			t.Errorf("%+v: got %v, want a refusal", f, err)
		}
	}
}

func TestReadClockAtEverySize(t *testing.T) {
	for _, size := range [][2]int{{160, 120}, {176, 144}, {320, 240}, {352, 288}, {640, 480}, {1280, 720}, {1920, 1080}} {
		c := newCard(size[0], size[1])
		for _, ms := range []uint32{0, 1, 0x5555_5555, 0xAAAA_AAAA, 86_399_999, 0xFFFF_FFFF} {
			c.drawStrip(ms)
			if got, ok := ReadClock(c.y, c.w, c.w, c.h); !ok || got != ms {
				t.Errorf("%dx%d: read %d, %v; drawn was %d", c.w, c.h, got, ok, ms)
			}
		}
	}
}

func TestReadClockAfterScalingAndNoise(t *testing.T) {
	const ms = 43_962_017
	c := newCard(640, 480)
	c.draw(ms * time.Millisecond)
	for _, size := range [][2]int{{320, 240}, {426, 320}, {800, 600}, {200, 150}} {
		w, h := size[0], size[1]
		y := scaled(c, w, h)
		rng := rand.New(rand.NewPCG(3, 4))
		for i := range y {
			y[i] = byte(max(0, min(255, int(y[i])+rng.IntN(121)-60)))
		}
		if got, ok := ReadClock(y, w, w, h); !ok || got != ms {
			t.Errorf("scaled to %dx%d: read %d, %v; drawn was %d", w, h, got, ok, ms)
		}
	}
}

// scaled takes the nearest pixel of the card.
func scaled(c *card, w, h int) []byte {
	y := make([]byte, w*h)
	for row := range h {
		for col := range w {
			y[row*w+col] = c.y[row*c.h/h*c.w+col*c.w/w]
		}
	}
	return y
}

func TestReadClockRefusesOtherPictures(t *testing.T) {
	c := newCard(640, 480)
	c.draw(time.Hour)
	torn := slices.Clone(c.y)
	c.draw(time.Hour + time.Second)
	copy(torn[:len(torn)/16], c.y)
	for name, y := range map[string][]byte{
		"torn":  torn,
		"black": bytes.Repeat([]byte{0}, 640*480),
		"grey":  bytes.Repeat([]byte{128}, 640*480),
		"white": bytes.Repeat([]byte{255}, 640*480),
		"short": torn[:1000],
		"none":  nil,
	} {
		if ms, ok := ReadClock(y, 640, 640, 480); ok {
			t.Errorf("%s: read %d ms", name, ms)
		}
	}
	if _, ok := ReadClock(c.y, 320, 640, 480); ok {
		t.Error("a stride shorter than the width was read")
	}
}

func TestPictureMovesBelowTheClock(t *testing.T) {
	c := newCard(320, 240)
	c.draw(0)
	before := slices.Clone(c.y[len(c.y)/2:])
	c.draw(time.Second)
	if bytes.Equal(before, c.y[len(c.y)/2:]) {
		t.Error("nothing moves")
	}
	c.draw(0)
	if !bytes.Equal(before, c.y[len(c.y)/2:]) {
		t.Error("what moved left a trail")
	}
}

func TestClockText(t *testing.T) {
	for ms, want := range map[uint32]string{
		0:           "00:00:00.000",
		43_962_017:  "12:12:42.017",
		359_999_999: "99:59:59.999",
		360_000_000: "00:00:00.000",
	} {
		if got := clockText(ms); string(got[:]) != want {
			t.Errorf("%d ms is written %s, want %s", ms, got, want)
		}
	}
}

func TestDrawingAllocatesNothing(t *testing.T) {
	c := newCard(640, 480)
	at := time.Duration(0)
	if n := testing.AllocsPerRun(50, func() { at += 66 * time.Millisecond; c.draw(at) }); n != 0 {
		t.Errorf("%v allocations a picture", n)
	}
}

func FuzzReadClock(f *testing.F) {
	c := newCard(160, 120)
	c.draw(time.Minute)
	f.Add(c.y, 160, 160, 120)
	f.Add([]byte{}, 0, 64, 32)
	f.Add([]byte{1}, -1, -1, -1)
	f.Fuzz(func(t *testing.T, y []byte, stride, w, h int) {
		ReadClock(y, stride, w, h)
	})
}

func BenchmarkDraw640x480(b *testing.B) {
	c := newCard(640, 480)
	b.ReportAllocs()
	at := time.Duration(0)
	for b.Loop() {
		at += time.Second / 15
		c.draw(at)
	}
}
