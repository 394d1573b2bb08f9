package station

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"doorstation/drivers"
	"doorstation/drivers/openh264"
)

// A peek lets others look at the pictures of a raw camera on their way to the
// encoder. It is a drivers.RawCamera.
type peek struct {
	raw drivers.RawCamera

	mu    sync.Mutex
	looks []*glance
}

// A glance is what somebody does with every picture. The picture belongs to the
// camera again when at returns; it must not block.
type glance struct{ at func(drivers.Picture) }

// add calls at with every picture until remove is called. Once remove has
// returned, at is not called any more.
func (p *peek) add(at func(drivers.Picture)) (remove func()) {
	l := &glance{at}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.looks = append(p.looks, l)
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.looks = slices.DeleteFunc(p.looks, func(one *glance) bool { return one == l })
	}
}

// Capture implements drivers.RawCamera.
func (p *peek) Capture(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Picture)) error {
	return p.raw.Capture(ctx, f, func(picture drivers.Picture) {
		p.show(picture)
		deliver(picture)
	})
}

func (p *peek) show(picture drivers.Picture) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, l := range p.looks {
		l.at(picture)
	}
}

// A peekedCamera encodes the pictures of a raw camera, and lets others see them.
type peekedCamera struct {
	drivers.Camera
	peek *peek
}

// encoded gives H.264 of a raw camera's pictures.
func encoded(raw drivers.RawCamera, log *slog.Logger) drivers.Camera {
	p := &peek{raw: raw}
	return &peekedCamera{Camera: openh264.New(p, log), peek: p}
}

// pictures implements pictured.
func (c *peekedCamera) pictures() *peek { return c.peek }

// A pictured camera has raw pictures to look at, or nil.
type pictured interface{ pictures() *peek }

// peekOf finds the raw pictures of a camera; nil: it gives none.
func peekOf(c drivers.Camera) *peek {
	if p, ok := c.(pictured); ok {
		return p.pictures()
	}
	return nil
}
