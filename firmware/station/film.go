package station

import (
	"bytes"
	"context"
	"image"
	"image/jpeg"
	"sync"
	"time"

	"doorstation/callflow"
	"doorstation/drivers"
	"doorstation/firmware/control"
	"doorstation/media/h264"
)

// Times of a picture in a check.
const (
	filmFirst = 8 * time.Second // for the first frame: cameras are slow to start
	filmTime  = 2 * time.Second // from then on
)

// usualFormat is filmed by a panel that has no configuration yet.
var usualFormat = drivers.VideoFormat{Width: 640, Height: 480, FPS: 15, Bitrate: 800_000}

// film runs the camera for a while and says what it has shown.
func (s *Station) film(ctx context.Context) (*control.Picture, error) {
	if s.video.camera == nil {
		return nil, control.Refuse(control.Unavailable, "this board or this build has no camera")
	}
	format := usualFormat
	if v := s.seen.Load(); v.setup != nil {
		format = v.setup.video
	}
	f := &filming{begun: make(chan struct{})}
	if p := peekOf(s.video.camera); p != nil {
		defer p.add(f.look)()
	}
	s.video.warm(format)
	s.video.add(f)
	defer s.endFilm(ctx, f)
	select {
	case <-f.begun:
	case <-time.After(filmFirst):
		return nil, control.Refuse(control.Unavailable, "the camera has given no picture within %v", filmFirst)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	pause(ctx, filmTime)
	return f.found()
}

// endFilm rests the camera, unless a call has come to need it.
func (s *Station) endFilm(ctx context.Context, f *filming) {
	s.video.remove(f)
	_ = s.ofOwner(ctx, func(o *owner) error {
		if o.machine.State() == callflow.Idle {
			o.video.rest()
		}
		return nil
	})
}

// A filming counts what the camera gives. It is a viewer.
type filming struct {
	begun chan struct{} // closed with the first frame

	mu          sync.Mutex
	first, last time.Duration // times of the frames
	frames      int
	sps         h264.SPS
	keyBytes    int
	picture     *image.YCbCr // the newest, a copy; nil: the camera gives no raw ones
}

// SendVideo implements viewer.
func (f *filming) SendVideo(nals [][]byte, pts time.Duration, key bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = pts
	f.frames++
	if f.frames > 1 {
		return
	}
	f.first = pts
	for _, nal := range nals {
		f.keyBytes += len(nal)
		if key && h264.Type(nal) == h264.TypeSPS {
			f.sps, _ = h264.ParseSPS(nal) // one that cannot be read has no size
		}
	}
	close(f.begun)
}

// look copies a picture on its way to the encoder.
func (f *filming) look(p drivers.Picture) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.picture = copied(f.picture, p)
}

func (f *filming) found() (*control.Picture, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	p := &control.Picture{
		Width: f.sps.Width, Height: f.sps.Height, KeyBytes: f.keyBytes,
		Frames: f.frames - 1, For: f.last - f.first, // the spaces between the frames
	}
	if f.picture == nil {
		return p, nil
	}
	p.Brightness = brightness(f.picture)
	var out bytes.Buffer
	if err := jpeg.Encode(&out, f.picture, nil); err != nil {
		return nil, err
	}
	p.JPEG = out.Bytes()
	return p, nil
}

// brightness is the mean luma, 0 to 255.
func brightness(p *image.YCbCr) float64 {
	var sum, n int
	for _, y := range p.Y {
		sum += int(y)
		n++
	}
	return float64(sum) / float64(max(n, 1))
}
