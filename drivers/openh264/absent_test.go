//go:build !cgo

package openh264

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"doorstation/drivers"
)

func TestBuildWithoutEncoderSaysSo(t *testing.T) {
	var log bytes.Buffer
	camera := New(nil, slog.New(slog.NewTextHandler(&log, nil)))
	if !strings.Contains(log.String(), "level=WARN") || !strings.Contains(log.String(), "CGO_ENABLED") {
		t.Errorf("the log says %q", log.String())
	}
	camera.RequestKey()
	if err := camera.Stream(t.Context(), drivers.VideoFormat{}, nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("Stream: %v", err)
	}
	if _, err := ProfileLevelID(drivers.VideoFormat{}); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("ProfileLevelID: %v", err)
	}
}
