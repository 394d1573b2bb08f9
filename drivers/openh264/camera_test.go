//go:build cgo

package openh264

import (
	"context"
	"errors"
	"log/slog"
	"math/rand/v2"
	"testing"
	"time"

	"doorstation/drivers"
)

// film is a raw camera that plays pictures as fast as they are taken.
type film struct {
	pictures int
	noise    bool
	size     func(n int) (w, h int)
	after    func(n int) // called after each picture
}

var errFilmOver = errors.New("film over")

func (f film) Capture(ctx context.Context, want drivers.VideoFormat, deliver func(drivers.Picture)) error {
	rng := rand.New(rand.NewPCG(1, 2))
	for n := range f.pictures {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		w, h := want.Width, want.Height
		if f.size != nil {
			w, h = f.size(n)
		}
		deliver(f.picture(rng, n, w, h))
		if f.after != nil {
			f.after(n)
		}
	}
	return errFilmOver
}

// picture is a gradient that moves, with noise on top of it if wanted.
func (f film) picture(rng *rand.Rand, n, w, h int) drivers.Picture {
	p := drivers.Picture{
		Width: w, Height: h, At: time.Duration(n) * time.Second / 15,
		Y: make([]byte, w*h), U: make([]byte, w*h/4), V: make([]byte, w*h/4),
	}
	for i := range p.Y {
		p.Y[i] = byte(16 + (i%w+4*n)%200)
		if f.noise {
			p.Y[i] = byte(rng.Uint32())
		}
	}
	for i := range p.U {
		p.U[i], p.V[i] = 128, 128
	}
	return p
}

var vga = drivers.VideoFormat{Width: 640, Height: 480, FPS: 15, Bitrate: 512_000}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// got is what a test keeps of a frame.
type got struct {
	key     bool
	pts     time.Duration
	sizes   []int
	types   []int
	profile [3]byte
}

func keep(f drivers.Frame) got {
	defer f.Release()
	g := got{key: f.Key, pts: f.PTS}
	for _, n := range f.NALs {
		g.sizes = append(g.sizes, len(n))
		g.types = append(g.types, int(n[0]&0x1F))
		if n[0]&0x1F == typeSPS {
			g.profile = [3]byte(n[1:4])
		}
	}
	return g
}

func encoded(t *testing.T, raw drivers.RawCamera, f drivers.VideoFormat) []got {
	t.Helper()
	var frames []got
	err := New(raw, quiet()).Stream(t.Context(), f, func(f drivers.Frame) { frames = append(frames, keep(f)) })
	if !errors.Is(err, errFilmOver) {
		t.Fatalf("Stream returned %v, want the camera's own error", err)
	}
	return frames
}

func TestEveryPictureIsAFrameWithItsOwnTime(t *testing.T) {
	frames := encoded(t, film{pictures: 30}, vga)
	if len(frames) != 30 {
		t.Fatalf("%d frames of 30 pictures", len(frames))
	}
	for i, f := range frames {
		if want := time.Duration(i) * time.Second / 15; f.pts != want {
			t.Errorf("frame %d has the time %v, want %v", i, f.pts, want)
		}
		if f.key != (i == 0) {
			t.Errorf("frame %d: key is %v", i, f.key)
		}
	}
}

// The contract of drivers.Frame: a key frame begins with SPS and PPS. The panel
// offers 42c016 for VGA.
func TestKeyFrameCarriesItsParameterSets(t *testing.T) {
	first := encoded(t, film{pictures: 1}, vga)[0]
	if len(first.types) < 3 || first.types[0] != typeSPS || first.types[1] != 8 || first.types[2] != typeIDR {
		t.Errorf("first frame has NAL units of types %v, want SPS, PPS, IDR", first.types)
	}
	if want := [3]byte{0x42, 0xC0, 0x16}; first.profile != want {
		t.Errorf("profile-level-id %x, want %x", first.profile, want)
	}
}

// Packetization-mode 0 has no fragments, so each slice must fit a packet, even
// of pictures that nothing compresses.
func TestSlicesFitOnePacket(t *testing.T) {
	frames := encoded(t, film{pictures: 4, noise: true}, vga)
	if len(frames) == 0 || len(frames[0].sizes) < 50 {
		t.Fatalf("noise gave %d frames; a key frame of many slices was wanted", len(frames))
	}
	for i, f := range frames {
		for _, size := range f.sizes {
			if size > MaxSlice {
				t.Errorf("frame %d has a NAL unit of %d bytes, the limit is %d", i, size, MaxSlice)
			}
		}
	}
}

func TestRequestedKeyFrameIsTheNextOne(t *testing.T) {
	var c drivers.Camera
	c = New(film{pictures: 10, after: func(n int) {
		if n == 4 {
			c.RequestKey()
		}
	}}, quiet())
	c.RequestKey() // while nothing streams: the first frame is one anyway
	var keys []int
	n := 0
	_ = c.Stream(t.Context(), vga, func(f drivers.Frame) {
		if f.Key {
			keys = append(keys, n)
		}
		n++
		f.Release()
	})
	if len(keys) != 2 || keys[0] != 0 || keys[1] != 5 {
		t.Errorf("key frames at %v, want [0 5]", keys)
	}
}

// Noise exceeds the bitrate at any quality: pictures are left out, the asked
// for key frame still comes, and the times stay those of the pictures.
func TestSkippedPicturesKeepTheClock(t *testing.T) {
	const asked = 3
	var c drivers.Camera
	c = New(film{pictures: 60, noise: true, after: func(n int) {
		if n == asked {
			c.RequestKey()
		}
	}}, quiet())
	var frames []got
	_ = c.Stream(t.Context(), vga, func(f drivers.Frame) { frames = append(frames, keep(f)) })
	if len(frames) < 2 || len(frames) >= 60 {
		t.Fatalf("%d frames of 60 pictures, some were to be left out", len(frames))
	}
	times := map[time.Duration]bool{}
	for n := range 60 {
		times[time.Duration(n)*time.Second/15] = true
	}
	later := 0
	for _, f := range frames {
		if !times[f.pts] {
			t.Errorf("a frame has the time %v, which is no picture's", f.pts)
		}
		delete(times, f.pts)
		if f.key && f.pts > asked*time.Second/15 {
			later++
		}
	}
	if later == 0 {
		t.Error("the key frame asked for never came")
	}
}

func TestNewSizeBeginsWithKeyFrame(t *testing.T) {
	frames := encoded(t, film{pictures: 6, size: func(n int) (int, int) {
		if n < 3 {
			return 640, 480
		}
		return 320, 240
	}}, vga)
	if len(frames) != 6 || !frames[3].key {
		t.Errorf("%d frames; the first of the new size is not a key frame", len(frames))
	}
}

func TestFrameOutlivesTheNextOnes(t *testing.T) {
	var held drivers.Frame
	var before []byte
	_ = New(film{pictures: 20}, quiet()).Stream(t.Context(), vga, func(f drivers.Frame) {
		if held.NALs == nil {
			held = f
			before = append(before, f.NALs[2]...)
			return
		}
		f.Release()
	})
	if string(held.NALs[2]) != string(before) {
		t.Error("a frame on loan changed while the next ones came")
	}
	held.Release()
}

func TestStreamEndsWithItsReason(t *testing.T) {
	t.Run("context", func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		err := New(film{pictures: 5, after: func(int) { stop() }}, quiet()).
			Stream(ctx, vga, func(f drivers.Frame) { f.Release() })
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	t.Run("encoder", func(t *testing.T) {
		odd := film{pictures: 5, size: func(int) (int, int) { return 641, 480 }}
		err := New(odd, quiet()).Stream(t.Context(), vga, func(f drivers.Frame) { f.Release() })
		if err == nil || errors.Is(err, errFilmOver) || errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want the encoder's error", err)
		}
	})
	t.Run("format", func(t *testing.T) {
		err := New(film{pictures: 5}, quiet()).Stream(t.Context(), drivers.VideoFormat{Width: 640, Height: 480}, nil)
		if err == nil || errors.Is(err, errFilmOver) {
			t.Errorf("got %v, want a complaint about rate and bitrate", err)
		}
	})
}
