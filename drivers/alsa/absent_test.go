//go:build !cgo

package alsa

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"doorstation/drivers"
)

func TestBuildWithoutSoundSaysSo(t *testing.T) {
	var log bytes.Buffer
	card := New("", slog.New(slog.NewTextHandler(&log, nil)))
	if !strings.Contains(log.String(), "CGO_ENABLED=0") || !strings.Contains(log.String(), "WARN") {
		t.Errorf("log: %s", log.String())
	}
	if err := card.Run(t.Context(), nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("%v, want ErrAbsent", err)
	}
}
