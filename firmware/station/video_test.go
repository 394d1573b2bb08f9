package station

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/drivers"
)

// A stubCamera makes a frame every 100 ms; a frame that was asked for as a key
// frame is one, and so is the first.
type stubCamera struct {
	mu       sync.Mutex
	key      bool
	running  bool
	released int
	made     int
}

func (c *stubCamera) RequestKey() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.key = true
}

func (c *stubCamera) Stream(ctx context.Context, _ drivers.VideoFormat, deliver func(drivers.Frame)) error {
	c.set(true)
	defer c.set(false)
	for n := byte(0); ; n++ {
		c.mu.Lock()
		key := c.key || n == 0
		c.key = false
		c.made++
		c.mu.Unlock()
		nals := [][]byte{{n}}
		deliver(drivers.Frame{NALs: nals, PTS: time.Duration(n), Key: key, Release: func() {
			nals[0][0] = 0xff // the camera's memory again
			c.mu.Lock()
			c.released++
			c.mu.Unlock()
		}})
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func (c *stubCamera) set(on bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.running = on
}

// A stubViewer notes the first byte of each frame, and whether it was a key.
type stubViewer struct {
	frames []byte
	keys   []bool
}

func (v *stubViewer) SendVideo(nals [][]byte, _ time.Duration, key bool) {
	v.frames = append(v.frames, nals[0][0])
	v.keys = append(v.keys, key)
}

func TestFirstViewerSeesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cam := &stubCamera{}
		hub := newVideoHub(cam, nil, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go hub.run(ctx)
		hub.warm(drivers.VideoFormat{FPS: 10})
		time.Sleep(250 * time.Millisecond) // frames 0, 1 and 2 are made, nobody looks

		var first, second stubViewer
		hub.add(&first)
		if !slices.Equal(first.frames, []byte{2}) || !first.keys[0] {
			t.Errorf("at once the viewer has frames %v, key %v; want the newest, a key frame", first.frames, first.keys)
		}
		time.Sleep(200 * time.Millisecond)
		hub.add(&second)
		if len(second.frames) != 0 {
			t.Errorf("the second viewer got %v, which is no key frame", second.frames)
		}
		time.Sleep(100 * time.Millisecond)
		if len(second.keys) != 1 || !second.keys[0] {
			t.Errorf("the second viewer began with key frames %v", second.keys)
		}
		if want := []byte{2, 3, 4, 5}; !slices.Equal(first.frames, want) {
			t.Errorf("the first viewer has %v, want %v: every frame once", first.frames, want)
		}
		hub.rest()
		synctest.Wait()
		if cam.running || cam.released != cam.made {
			t.Errorf("after the call: running %v, %d of %d frames released", cam.running, cam.released, cam.made)
		}
		stop()
	})
}

func TestCameraRunsOnlyWhileWanted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cam := &stubCamera{}
		hub := newVideoHub(cam, nil, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go hub.run(ctx)
		for range 3 {
			hub.warm(drivers.VideoFormat{FPS: 10})
			synctest.Wait()
			if !cam.running {
				t.Fatal("the camera does not run")
			}
			hub.rest()
			synctest.Wait()
			if cam.running {
				t.Fatal("the camera runs for nobody")
			}
		}
		stop()
	})
}
