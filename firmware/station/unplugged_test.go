//go:build cgo

package station

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/drivers"
	"doorstation/firmware/control"
)

// A loose camera films until its plug is pulled, and again when it is back.
type looseCamera struct {
	drivers.Camera
	mu   sync.Mutex
	out  bool
	pull context.CancelFunc
}

func (c *looseCamera) Stream(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Frame)) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	c.mu.Lock()
	out := c.out
	c.pull = stop
	c.mu.Unlock()
	if out {
		return errUnplugged
	}
	err := c.Camera.Stream(ctx, f, deliver)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out {
		return errUnplugged
	}
	return err
}

func (c *looseCamera) plug(in bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.out = !in; c.out {
		c.pull()
	}
}

// A countingViewer counts frames.
type countingViewer struct {
	mu   sync.Mutex
	n    int
	last time.Duration
	back bool // the time has gone back
}

func (v *countingViewer) SendVideo(_ [][]byte, pts time.Duration, _ bool) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.n++
	v.back = v.back || pts <= v.last
	v.last = pts
}

func (v *countingViewer) count() int {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.n
}

// The camera of a whole panel is unplugged in a call and plugged in again: the
// call and its picture go on, and the record tells both.
func TestCallWithoutItsCamera(t *testing.T) {
	answered := make(chan *scriptCall, 1)
	phone := newScriptPhone(t, func(c *scriptCall) {
		if c.answer() {
			answered <- c
		}
	})
	p := startPanel(t, oneConfig(phone.uri()))
	lasting := p.video.camera.(*lastingCamera)
	camera := &looseCamera{Camera: lasting.camera}
	lasting.camera = camera // nobody films yet
	state := func() control.Part {
		parts := p.Status().Parts
		return parts[slices.IndexFunc(parts, func(part control.Part) bool { return part.Name == "camera" })]
	}
	if err := p.Press("button1"); err != nil {
		t.Fatal(err)
	}
	call := <-answered
	var eye countingViewer
	p.video.add(&eye)
	frames := func(what string) {
		t.Helper()
		had := eye.count()
		p.await(what, func() bool { return eye.count() >= had+3 })
	}
	frames("the camera's picture")
	camera.plug(false)
	p.await("the loss", func() bool {
		part := state()
		return part.State == control.PartFailed && part.Error == errUnplugged.Error()
	})
	frames("the card")
	camera.plug(true)
	p.await("the camera", func() bool { return state().State == control.PartRunning })
	frames("the camera's picture again")
	if p.Status().Call.State != control.CallTalking {
		t.Errorf("the call is %q", p.Status().Call.State)
	}
	call.bye()
	rec := p.idle()
	var marks []string
	for _, m := range rec.Marks {
		if m.Name == timeline.PartLost || m.Name == timeline.PartBack {
			marks = append(marks, string(m.Name)+" "+m.Detail)
		}
	}
	if got := strings.Join(marks, ", "); got != "part-lost camera: unplugged, part-back camera" {
		t.Errorf("recorded %q:\n%s", got, text(rec))
	}
	if eye.back {
		t.Error("the picture's time has gone back")
	}
}
