//go:build !cgo

// Package alsa, in a build without cgo, has no sound and says so.
package alsa

import (
	"context"
	"fmt"
	"log/slog"

	"doorstation/drivers"
)

// Card stands for the sound card that this build cannot use.
type Card struct{}

// New warns that this build has no sound.
func New(_ string, log *slog.Logger) drivers.Sound {
	log.Warn("no sound in this build: it was made with CGO_ENABLED=0; " +
		"calls go on in silence. Build with CGO_ENABLED=1 and a C compiler to have it")
	return Card{}
}

// Run returns an error that wraps drivers.ErrAbsent.
func (Card) Run(context.Context, func(mic, speaker []int16)) error {
	return fmt.Errorf("alsa: this build was made with CGO_ENABLED=0 and has no sound: %w", drivers.ErrAbsent)
}
