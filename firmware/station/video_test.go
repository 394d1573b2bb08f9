package station

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
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
	mu     sync.Mutex
	frames []byte
	keys   []bool
}

func (v *stubViewer) SendVideo(nals [][]byte, _ time.Duration, key bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.frames = append(v.frames, nals[0][0])
	v.keys = append(v.keys, key)
}

// got is what has come until everything stands still.
func (v *stubViewer) got() ([]byte, []bool) {
	synctest.Wait()
	v.mu.Lock()
	defer v.mu.Unlock()
	return slices.Clone(v.frames), slices.Clone(v.keys)
}

func TestFirstViewerSeesAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cam := &stubCamera{}
		hub := newVideoHub(cam, nil, slog.New(slog.DiscardHandler))
		ctx, stop := context.WithCancel(t.Context())
		go hub.run(ctx)
		hub.warm(drivers.VideoFormat{FPS: 10})
		time.Sleep(250 * time.Millisecond) // frames 0, 1 and 2 are made, nobody looks
		synctest.Wait()

		var first, second stubViewer
		hub.add(&first)
		if frames, keys := first.got(); !slices.Equal(frames, []byte{2}) || !keys[0] {
			t.Errorf("at once the viewer has frames %v, key %v; want the newest, a key frame", frames, keys)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		hub.add(&second)
		if frames, _ := second.got(); len(frames) != 0 {
			t.Errorf("the second viewer got %v, which is no key frame", frames)
		}
		time.Sleep(100 * time.Millisecond)
		if _, keys := second.got(); len(keys) != 1 || !keys[0] {
			t.Errorf("the second viewer began with key frames %v", keys)
		}
		if frames, _ := first.got(); !slices.Equal(frames, []byte{2, 3, 4, 5}) {
			t.Errorf("the first viewer has %v, want 2 to 5: every frame once", frames)
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

func TestBoardBoundsThePicture(t *testing.T) {
	asked := drivers.VideoFormat{Width: 640, Height: 480, FPS: 15, Bitrate: 500}
	for _, c := range []struct {
		most board.Camera
		want drivers.VideoFormat
	}{
		{board.Camera{}, asked},
		{board.Camera{Width: 320, Height: 180, FPS: 5}, drivers.VideoFormat{Width: 320, Height: 180, FPS: 5, Bitrate: 500}},
		{board.Camera{Width: 640, Height: 360}, drivers.VideoFormat{Width: 640, Height: 360, FPS: 15, Bitrate: 500}},
		{board.Camera{Width: 1280, Height: 720, FPS: 30}, asked},
	} {
		if got := bearable(c.most, asked); got != c.want {
			t.Errorf("%+v bears %+v, want %+v", c.most, got, c.want)
		}
	}
}
