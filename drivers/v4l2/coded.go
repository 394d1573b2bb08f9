package v4l2

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync/atomic"
	"time"

	"doorstation/drivers"
)

// Coded is a camera that makes H.264 itself. It is a drivers.Camera.
type Coded struct {
	kernel  kernel
	path    string
	log     *slog.Logger
	wantKey atomic.Bool
}

var _ drivers.Camera = (*Coded)(nil)

// NewCoded returns the H.264 camera behind a device. Nothing is opened before
// Stream.
func NewCoded(path string, log *slog.Logger) *Coded {
	if path == "" {
		path = DefaultDevice
	}
	return &Coded{kernel: linux{}, path: path, log: log}
}

// RequestKey implements drivers.Camera. A camera without that control goes on
// in its own rhythm.
func (c *Coded) RequestKey() { c.wantKey.Store(true) }

// Stream implements drivers.Camera. What comes before the first key frame is
// left out. Each frame has memory of its own.
func (c *Coded) Stream(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Frame)) error {
	d, err := open(c.kernel, c.path)
	if err != nil {
		return err
	}
	defer d.close()
	if !slices.Contains(d.formats(), formatH264) {
		return fmt.Errorf("v4l2: %s: gives no H.264", c.path)
	}
	if err := d.setFormat(formatH264, f); err != nil {
		return err
	}
	d.setControl(ctrlProfile, profileConBase)
	d.setControl(ctrlBitrate, f.Bitrate)
	c.log.Info("camera started", "device", c.path, "format", "H.264", "width", d.pix.width, "height", d.pix.height)
	c.wantKey.Store(true)
	var units assembler
	return d.stream(ctx, func(data []byte, at time.Duration) error {
		if c.wantKey.Swap(false) {
			d.setControl(ctrlForceKey, 1)
		}
		if nals, key := units.take(data); nals != nil {
			deliver(drivers.Frame{NALs: nals, PTS: at, Key: key, Release: func() {}})
		}
		return nil
	})
}
