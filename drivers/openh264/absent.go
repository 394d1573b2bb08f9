//go:build !cgo

// Package openh264, in a build without cgo, has no encoder and says so.
package openh264

import (
	"context"
	"fmt"
	"log/slog"

	"doorstation/drivers"
)

// Camera stands for the encoder that this build lacks.
type Camera struct{}

// New warns that this build cannot encode a picture.
func New(_ drivers.RawCamera, log *slog.Logger) drivers.Camera {
	log.Warn("no H.264 encoder in this build: it was made with CGO_ENABLED=0; " +
		"calls go on without a picture. Build with CGO_ENABLED=1 and a C++ compiler to have one")
	return Camera{}
}

// Stream returns an error that wraps drivers.ErrAbsent.
func (Camera) Stream(context.Context, drivers.VideoFormat, func(drivers.Frame)) error {
	return errAbsent()
}

// RequestKey does nothing.
func (Camera) RequestKey() {}

// ProfileLevelID returns an error that wraps drivers.ErrAbsent.
func ProfileLevelID(drivers.VideoFormat) (string, error) {
	return "", errAbsent()
}

func errAbsent() error {
	return fmt.Errorf("openh264: this build was made with CGO_ENABLED=0 and has no encoder; there is no picture: %w", drivers.ErrAbsent)
}
