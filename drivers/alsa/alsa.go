//go:build cgo

// Package alsa is duplex sound by the sound card of the Linux kernel (ALSA):
// 8000 Hz, mono, whatever the card itself can do.
//
// It loads libasound.so.2 when it runs: the program must be linked dynamically,
// and a build without cgo has a Card of the same name that only says what is
// missing.
package alsa

import (
	"context"
	"fmt"
	"log/slog"

	"doorstation/drivers"
)

// Card is one sound card. It is a drivers.Sound.
type Card struct {
	device string
	log    *slog.Logger
}

// New returns the card behind an ALSA device, such as plughw:CARD=Device; empty
// is ALSA's default, which may mix several programs and adds delay. Nothing is
// opened before Run.
func New(device string, log *slog.Logger) drivers.Sound {
	return &Card{device: device, log: log}
}

// Run implements drivers.Sound. The error wraps drivers.ErrAbsent if there is
// no sound card, or no libasound on this machine.
func (c *Card) Run(ctx context.Context, exchange func(mic, speaker []int16)) error {
	lib, err := loadLibrary()
	if err != nil {
		return fmt.Errorf("alsa: %w: %w", err, drivers.ErrAbsent)
	}
	defer lib.close()
	mic, err := lib.openStream(c.name(), true)
	if err != nil {
		return c.openError("microphone", err)
	}
	defer mic.close()
	speaker, err := lib.openStream(c.name(), false)
	if err != nil {
		return c.openError("speaker", err)
	}
	defer speaker.close()
	c.log.Info("sound started", "device", c.name())
	d := &duplex{mic: mic, speaker: speaker, describe: lib.describe}
	err = d.run(ctx, exchange)
	c.log.Info("sound stopped", "device", c.name())
	return fmt.Errorf("alsa: %s: %w", c.name(), err)
}

func (c *Card) name() string {
	if c.device == "" {
		return "default"
	}
	return c.device
}

// openError tells a card that is not there from one that is broken or busy.
func (c *Card) openError(what string, err error) error {
	if !anyCard(soundCards) {
		return fmt.Errorf("alsa: no sound card on this machine: %w", drivers.ErrAbsent)
	}
	return fmt.Errorf("alsa: %s: %s cannot be opened: %w", c.name(), what, err)
}
