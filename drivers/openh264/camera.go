//go:build cgo

// Package openh264 makes a camera that gives H.264 out of one that gives raw
// pictures, by the openh264 encoder in software.
//
// The stream is Constrained Baseline with SPS and PPS in front of each IDR
// picture. Pictures are cut into slices of at most MaxSlice bytes, so that the
// same encoding serves receivers of both packetization modes (RFC 6184 section
// 6.2).
//
// The encoder is C code: a build without cgo has a Camera of the same name that
// only says what is missing.
package openh264

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"

	"doorstation/drivers"
)

// Camera encodes what a raw camera gives. It is a drivers.Camera.
type Camera struct {
	raw     drivers.RawCamera
	log     *slog.Logger
	wantKey atomic.Bool
}

// New returns the camera. Nothing is opened before Stream.
func New(raw drivers.RawCamera, log *slog.Logger) drivers.Camera {
	return &Camera{raw: raw, log: log}
}

// RequestKey asks for a key frame: the next picture becomes one.
func (c *Camera) RequestKey() { c.wantKey.Store(true) }

// Stream captures, encodes and delivers until ctx ends, or the camera or the
// encoder fails. One Stream runs at a time. The frames are in memory of their
// own, so that holding one stops nothing. A picture that the encoder leaves out
// gives no frame; the PTS of the next one tells the true time. When the camera
// changes the size of its pictures, the encoder begins anew with a key frame.
func (c *Camera) Stream(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Frame)) error {
	if f.Bitrate <= 0 || f.FPS <= 0 {
		return fmt.Errorf("openh264: %d bits and %d frames a second asked for; both must be above 0", f.Bitrate, f.FPS)
	}
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	s := &stream{camera: c, format: f, deliver: deliver}
	defer s.close()
	c.wantKey.Store(false) // an encoder begins with a key frame by itself
	err := c.raw.Capture(ctx, f, func(p drivers.Picture) {
		if ctx.Err() != nil {
			return
		}
		if err := s.encode(p); err != nil {
			stop(err)
		}
	})
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// stream is one run of Stream. Its methods run on the capturing goroutine.
type stream struct {
	camera  *Camera
	format  drivers.VideoFormat
	deliver func(drivers.Frame)
	encoder *encoder
	owesKey bool // a key frame was asked for, and none has come since
	frames  int  // delivered
	skipped int  // left out by the encoder
}

// encode turns one picture into a frame and delivers it.
func (s *stream) encode(p drivers.Picture) error {
	if err := s.fit(p); err != nil {
		return err
	}
	if s.camera.wantKey.Swap(false) {
		s.owesKey = true
	}
	if s.owesKey {
		if err := s.encoder.forceKey(); err != nil {
			return err
		}
	}
	coded, err := s.encoder.encode(p)
	if err != nil {
		return err
	}
	u := takeUnit(coded)
	if len(u.nals) == 0 {
		u.release()
		s.skipped++
		return nil
	}
	s.frames++
	f := drivers.Frame{NALs: u.nals, PTS: p.At, Key: isKey(u.nals), Release: u.release}
	s.owesKey = s.owesKey && !f.Key
	s.deliver(f)
	return nil
}

// fit makes sure that the encoder is for pictures of p's size.
func (s *stream) fit(p drivers.Picture) error {
	if s.encoder != nil && s.encoder.width == p.Width && s.encoder.height == p.Height {
		return nil
	}
	s.close()
	e, err := newEncoder(p.Width, p.Height, s.format)
	if err != nil {
		return err
	}
	s.encoder = e
	s.camera.log.Info("encoder started", "width", p.Width, "height", p.Height,
		"fps", s.format.FPS, "bits_per_second", s.format.Bitrate)
	return nil
}

// close ends the encoder, if there is one.
func (s *stream) close() {
	if s.encoder == nil {
		return
	}
	if err := s.encoder.close(); err != nil {
		s.camera.log.Warn("encoder not closed", "err", err)
	}
	s.encoder = nil
	s.camera.log.Info("encoder stopped", "frames", s.frames, "skipped", s.skipped)
}
