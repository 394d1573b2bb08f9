package station

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/drivers"
	"doorstation/drivers/fake"
	"doorstation/firmware/control"
)

var errUnplugged = errors.New("unplugged")

// A scene is a lasting camera in a bubble: a camera that the test holds, a card
// of one frame in a hundred milliseconds, and what is delivered.
type scene struct {
	camera *fake.Camera
	lasts  *lastingCamera

	mu     sync.Mutex
	frames []drivers.Frame
	told   []error
}

// A stubCard is the card in a scene: its frames have no NAL units.
type stubCard struct{ stubCamera }

func (c *stubCard) Stream(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Frame)) error {
	return c.stubCamera.Stream(ctx, f, func(frame drivers.Frame) {
		frame.NALs = nil
		deliver(frame)
	})
}

func newScene(ctx context.Context) *scene {
	s := &scene{camera: fake.NewCamera()}
	s.lasts = &lastingCamera{camera: s.camera, card: &stubCard{}, tell: func(err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.told = append(s.told, err)
	}}
	go s.lasts.Stream(ctx, drivers.VideoFormat{}, func(f drivers.Frame) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.frames = append(s.frames, f)
	})
	return s
}

// take gives what has been delivered since the last take: c for a frame of the
// camera, - for one of the card, capital or doubled for a key frame.
func (s *scene) take() string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	var out strings.Builder
	for _, f := range s.frames {
		switch {
		case f.NALs == nil && f.Key:
			out.WriteByte('=')
		case f.NALs == nil:
			out.WriteByte('-')
		case f.Key:
			out.WriteByte('C')
		default:
			out.WriteByte('c')
		}
	}
	s.frames = nil
	return out.String()
}

func (s *scene) film(t *testing.T, keys ...bool) {
	t.Helper()
	for _, key := range keys {
		if err := s.camera.Deliver(t.Context(), drivers.Frame{NALs: [][]byte{{1}}, Key: key}); err != nil {
			t.Fatal(err)
		}
	}
}

// A camera is unplugged for half a second in a call, and then for longer: the
// card takes its place at once, and makes place for the first picture.
func TestCameraIsUnpluggedInACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		s := newScene(ctx)
		s.film(t, true, false)
		if got := s.take(); got != "Cc" {
			t.Errorf("at the beginning: %q", got)
		}
		if err := s.camera.Lose(ctx, errUnplugged); err != nil {
			t.Fatal(err)
		}
		time.Sleep(450 * time.Millisecond)
		if got := s.take(); got != "=----" {
			t.Errorf("without the camera: %q", got)
		}
		s.film(t, true, false)
		time.Sleep(time.Second)
		if got := s.take(); got != "Cc" {
			t.Errorf("with the camera again: %q", got)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if want := []error{nil, errUnplugged, nil}; !slices.Equal(s.told, want) {
			t.Errorf("told %v, want %v", s.told, want)
		}
	})
}

func TestTimeNeverGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		s := newScene(ctx)
		for _, pts := range []time.Duration{5 * time.Second, 4 * time.Second, 6 * time.Second} {
			if err := s.camera.Deliver(ctx, drivers.Frame{PTS: pts}); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		for i, want := range []time.Duration{5 * time.Second, 5*time.Second + time.Millisecond, 6 * time.Second} {
			if s.frames[i].PTS != want {
				t.Errorf("frame %d is of %v, want %v", i, s.frames[i].PTS, want)
			}
		}
	})
}

// A build that cannot draw a card waits for the camera.
func TestNoCardWithoutAnEncoder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		camera := fake.NewCamera()
		lasts := &lastingCamera{camera: camera, tell: func(error) {}}
		end := make(chan error, 1)
		go func() { end <- lasts.Stream(ctx, drivers.VideoFormat{}, func(drivers.Frame) {}) }()
		if err := camera.Lose(ctx, errUnplugged); err != nil {
			t.Fatal(err)
		}
		if err := camera.Lose(ctx, errUnplugged); err != nil { // it was looked for again
			t.Fatal(err)
		}
		lasts.RequestKey()
		stop()
		if err := <-end; !errors.Is(err, context.Canceled) || camera.Keys() != 1 {
			t.Errorf("ended with %v after %d requests for a key frame", err, camera.Keys())
		}
	})
}

// A sound card that is unplugged for half a minute leaves silence at the same
// pace, and is heard again soon after it is back.
func TestSoundCardIsUnplugged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		var card fake.Sound
		var mu sync.Mutex
		frames := 0
		var told []string
		began := time.Now()
		go lastingSound(ctx, card.Run, func(mic, speaker []int16) {
			mu.Lock()
			defer mu.Unlock()
			frames++
		}, func(err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(time.Since(began).Round(time.Second), " ", err))
		})
		time.Sleep(10 * time.Second)
		card.Break(fmt.Errorf("no card: %w", drivers.ErrAbsent))
		time.Sleep(30 * time.Second)
		card.Break(nil)
		time.Sleep(10 * time.Second)
		stop()
		synctest.Wait()
		if want := int(50 * time.Second / drivers.FrameTime); frames < want-30 || frames > want {
			t.Errorf("%d frames in 50 s, want nearly %d", frames, want)
		}
		first, last := told[0], told[len(told)-1]
		if first != "0s <nil>" || told[1] != "10s no card: not fitted" || !strings.HasSuffix(last, " <nil>") || last > "45s" {
			t.Errorf("told %q", told)
		}
	})
}

// What is lost is said once in the log and in the record of the call, and again
// when it is back; the status knows it all the time.
func TestLostPartIsTold(t *testing.T) {
	var log bytes.Buffer
	s := &Station{log: slog.New(slog.NewTextHandler(&log, nil)), parts: &supervisor{}, owner: bareOwner()}
	s.owner.diary.begin(0, "button1", "")
	camera := func() control.Part {
		for len(s.owner.box.work) > 0 {
			for _, fn := range s.owner.box.take(nil) {
				fn()
			}
		}
		return s.parts.parts()[0]
	}
	s.fitted("camera", nil)
	if p := camera(); p.State != control.PartRunning || p.Error != "" {
		t.Errorf("it works: %+v", p)
	}
	s.fitted("camera", errUnplugged)
	s.fitted("camera", fmt.Errorf("/dev/video0: %w", drivers.ErrAbsent))
	if p := camera(); p.State != control.PartOff || p.Error != "/dev/video0: not fitted" || p.Restarts != 2 {
		t.Errorf("it is lost: %+v", p)
	}
	s.fitted("camera", nil)
	if p := camera(); p.State != control.PartRunning {
		t.Errorf("it is back: %+v", p)
	}
	var marks []string
	for _, m := range s.owner.diary.now.rec.Record().Marks {
		if m.Name == timeline.PartLost || m.Name == timeline.PartBack {
			marks = append(marks, string(m.Name)+" "+m.Detail)
		}
	}
	if want := []string{"part-lost camera: unplugged", "part-back camera"}; !slices.Equal(marks, want) {
		t.Errorf("recorded %q, want %q", marks, want)
	}
	if n := strings.Count(log.String(), "\n"); n != 2 {
		t.Errorf("the log has %d lines:\n%s", n, log.String())
	}
}
