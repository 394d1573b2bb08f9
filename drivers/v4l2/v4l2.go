// Package v4l2 films with cameras of the Linux kernel (Video4Linux 2), without
// cgo: raw pictures and motion JPEG as pictures in I420, and H.264 of cameras
// that make it, passed through.
//
// A camera that is unplugged ends its stream with an error; whoever streams
// tries again, and gets drivers.ErrAbsent until it is back.
package v4l2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"doorstation/drivers"
)

// DefaultDevice is the camera of a board that names none.
const DefaultDevice = "/dev/video0"

// Camera gives raw pictures. It is a drivers.RawCamera.
type Camera struct {
	kernel kernel
	path   string
	log    *slog.Logger
}

var _ drivers.RawCamera = (*Camera)(nil)

// New returns the camera behind a device. Nothing is opened before Capture.
func New(path string, log *slog.Logger) *Camera {
	if path == "" {
		path = DefaultDevice
	}
	return &Camera{kernel: linux{}, path: path, log: log}
}

// preferred are the formats that Capture understands, the cheapest first.
var preferred = []uint32{formatYU12, formatNV12, formatYUYV, formatMJPEG}

// Capture implements drivers.RawCamera.
func (c *Camera) Capture(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Picture)) error {
	if f.Width <= 0 || f.Height <= 0 || f.FPS <= 0 {
		return fmt.Errorf("v4l2: %dx%d pixels at %d a second asked for; all must be above 0", f.Width, f.Height, f.FPS)
	}
	d, err := open(c.kernel, c.path)
	if err != nil {
		return err
	}
	defer d.close()
	if err := d.choose(f); err != nil {
		return err
	}
	c.log.Info("camera started", "device", c.path, "format", fourCC(d.pix.format), "width", d.pix.width, "height", d.pix.height)
	p, err := newPainter(d.pix)
	if err != nil {
		return d.fail("its pictures", err)
	}
	spoilt := 0
	err = d.stream(ctx, func(data []byte, at time.Duration) error {
		picture, err := p.paint(data)
		if err != nil { // a torn picture is left out; the next one comes soon
			if spoilt++; spoilt == 1 {
				c.log.Warn("picture left out; later ones are counted only", "device", c.path, "err", err)
			}
			return nil
		}
		picture.At = at
		deliver(picture)
		return nil
	})
	c.log.Info("camera stopped", "device", c.path, "left_out", spoilt)
	return err
}

// choose sets the best format that the camera has, at the size asked for if one
// of them has it.
func (d *device) choose(f drivers.VideoFormat) error {
	offered := d.formats()
	var other uint32 // the first that has another size
	var faults []error
	for _, pixel := range preferred {
		if !slices.Contains(offered, pixel) {
			continue
		}
		if err := d.setFormat(pixel, f); err != nil {
			faults = append(faults, err)
			continue
		}
		if int(d.pix.width) == f.Width && int(d.pix.height) == f.Height {
			return nil
		}
		if other == 0 {
			other = pixel
		}
	}
	if other != 0 {
		return d.setFormat(other, f)
	}
	names := make([]string, len(offered))
	for i, o := range offered {
		names[i] = fourCC(o)
	}
	return fmt.Errorf("v4l2: %s: gives none of YU12, NV12, YUYV and MJPG, but %v: %w", d.path, names, errors.Join(faults...))
}
