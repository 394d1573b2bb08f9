package station

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"doorstation/board"
	"doorstation/drivers"
)

// A viewer takes access units: the session of one leg.
type viewer interface {
	SendVideo(nals [][]byte, pts time.Duration, key bool)
}

// A videoHub encodes once for all legs. The camera runs from the press, before
// anyone can see: until the first viewer comes, every frame is a key frame and
// the last one is kept, so that a viewer's first packet is a picture and does
// not wait for the next tick of the camera.
type videoHub struct {
	log    *slog.Logger
	camera drivers.Camera // nil when the board or the build has none
	wake   chan struct{}

	use      func(on bool) // told when the camera begins to be needed, and when it is needed no more
	describe func(drivers.VideoFormat) (string, error)
	most     board.Camera // what the board bears
	profile  atomic.Value // string: the profile-level-id of what the camera sends

	mu      sync.Mutex
	format  drivers.VideoFormat
	wanted  bool
	viewers []viewer
	last    keptFrame // the newest frame, while it is a key frame
}

// keptFrame is a copy of an access unit.
type keptFrame struct {
	nals [][]byte
	buf  []byte
	pts  time.Duration
	full bool
}

// usualProfile is Constrained Baseline at level 2.2, which VGA needs. It is
// offered in the moment before the camera has told its own.
const usualProfile = "42c016"

func newVideoHub(camera drivers.Camera, describe func(drivers.VideoFormat) (string, error), log *slog.Logger) *videoHub {
	h := &videoHub{camera: camera, describe: describe, log: log, use: func(bool) {}, wake: make(chan struct{}, 1)}
	h.profile.Store(usualProfile)
	return h
}

// profileLevelID is what an offer says of the picture; empty without a camera.
func (h *videoHub) profileLevelID() string {
	if h.camera == nil {
		return ""
	}
	return h.profile.Load().(string)
}

// learn asks the driver what the camera will send.
func (h *videoHub) learn(format drivers.VideoFormat) {
	if h.camera == nil {
		return
	}
	id, err := h.describe(bearable(h.most, format))
	if err != nil {
		h.log.Warn("the camera does not tell its profile", "err", err, "offered", usualProfile)
		return
	}
	h.profile.Store(id)
}

// bearable is the format, or what the board bears of it.
func bearable(most board.Camera, f drivers.VideoFormat) drivers.VideoFormat {
	if most.Width != 0 && (f.Width > most.Width || f.Height > most.Height) {
		f.Width, f.Height = most.Width, most.Height
	}
	if most.FPS != 0 {
		f.FPS = min(f.FPS, most.FPS)
	}
	return f
}

// warm starts the camera, before anyone views.
func (h *videoHub) warm(format drivers.VideoFormat) {
	h.use(true)
	h.mu.Lock()
	h.format, h.wanted = bearable(h.most, format), true
	h.mu.Unlock()
	h.poke()
}

// rest stops the camera.
func (h *videoHub) rest() {
	h.mu.Lock()
	h.wanted, h.viewers, h.last.full = false, nil, false
	h.mu.Unlock()
	h.use(false)
	h.poke()
}

func (h *videoHub) poke() {
	select {
	case h.wake <- struct{}{}:
	default:
	}
}

// add gives v every frame from now on, beginning with a key frame.
func (h *videoHub) add(v viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if slices.Contains(h.viewers, v) {
		return
	}
	h.viewers = append(h.viewers, v)
	if h.last.full {
		v.SendVideo(h.last.nals, h.last.pts, true)
		return
	}
	h.refresh()
}

// remove takes v's stream away. It gets no frame once remove has returned.
func (h *videoHub) remove(v viewer) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if i := slices.Index(h.viewers, v); i >= 0 {
		h.viewers = slices.Delete(h.viewers, i, i+1)
	}
}

// refresh asks for a key frame.
func (h *videoHub) refresh() {
	if h.camera != nil {
		h.camera.RequestKey()
	}
}

// run films whenever somebody may view, until ctx ends.
func (h *videoHub) run(ctx context.Context) error {
	if h.camera == nil {
		<-ctx.Done()
		return nil
	}
	for ctx.Err() == nil {
		h.mu.Lock()
		wanted, format := h.wanted, h.format
		h.mu.Unlock()
		if wanted {
			if err := h.film(ctx, format); err != nil {
				return err
			}
			continue
		}
		select {
		case <-ctx.Done():
		case <-h.wake:
		}
	}
	return nil
}

// film streams one format until it is not wanted any more.
func (h *videoHub) film(ctx context.Context, format drivers.VideoFormat) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		for {
			select {
			case <-ctx.Done():
				return
			case <-h.wake:
				h.mu.Lock()
				over := !h.wanted || h.format != format
				h.mu.Unlock()
				if over {
					stop()
					return
				}
			}
		}
	}()
	err := h.camera.Stream(ctx, format, h.deliver)
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// deliver passes one frame to all viewers.
func (h *videoHub) deliver(f drivers.Frame) {
	h.mu.Lock()
	defer h.mu.Unlock()
	defer f.Release()
	for _, v := range h.viewers {
		v.SendVideo(f.NALs, f.PTS, f.Key)
	}
	h.last.full = false
	if len(h.viewers) == 0 {
		if f.Key {
			h.last.keep(f)
		}
		h.refresh()
	}
}

func (k *keptFrame) keep(f drivers.Frame) {
	k.buf, k.nals = k.buf[:0], k.nals[:0]
	for _, nal := range f.NALs {
		k.buf = append(k.buf, nal...)
	}
	rest := k.buf
	for _, nal := range f.NALs {
		k.nals = append(k.nals, rest[:len(nal):len(nal)])
		rest = rest[len(nal):]
	}
	k.pts, k.full = f.PTS, true
}
