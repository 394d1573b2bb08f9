//go:build cgo

// Package alsa is duplex sound by the sound card of the Linux kernel (ALSA):
// 8000 Hz, mono, whatever the card itself can do.
//
// It uses malgo (miniaudio), which is C code and loads libasound.so.2 when it
// runs: the program must be linked dynamically, and a build without cgo has a
// Card of the same name that only says what is missing.
package alsa

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"
	"unsafe"

	"github.com/gen2brain/malgo"

	"doorstation/drivers"
)

// Card is one sound card. It is a drivers.Sound.
type Card struct {
	device  string
	log     *slog.Logger
	backend malgo.Backend
}

// New returns the card behind an ALSA device, such as hw:1,0 or
// plughw:CARD=Device; empty is ALSA's default. Nothing is opened before Run.
func New(device string, log *slog.Logger) drivers.Sound {
	return &Card{device: device, log: log, backend: malgo.BackendAlsa}
}

// The card's buffers: a period is one frame of ours, and three of them are
// what it may be late with. More is delay that the resident hears.
const periods = 3

// patience is how long a card may stand still before it counts as lost.
const patience = 2 * time.Second

// errStopped means that the card has stopped by itself: it was unplugged.
var errStopped = errors.New("the sound card has stopped")

// Run implements drivers.Sound. The error wraps drivers.ErrAbsent if there is
// no sound card, or no libasound on this machine.
func (c *Card) Run(ctx context.Context, exchange func(mic, speaker []int16)) error {
	audio, err := malgo.InitContext([]malgo.Backend{c.backend}, malgo.ContextConfig{}, nil)
	if err != nil {
		return fmt.Errorf("alsa: libasound.so.2 cannot be used: %w: %w", err, drivers.ErrAbsent)
	}
	defer func() {
		_ = audio.Uninit()
		audio.Free()
	}()
	var pins runtime.Pinner
	defer pins.Unpin()
	config, err := c.config(&pins)
	if err != nil {
		return err
	}
	beats, stopped := make(chan struct{}, 1), make(chan struct{}, 1)
	framer := newFramer(exchange)
	device, err := malgo.InitDevice(audio.Context, config, malgo.DeviceCallbacks{
		Data: func(out, in []byte, _ uint32) {
			framer.pass(samples(in), samples(out))
			signal(beats)
		},
		Stop: func() { signal(stopped) },
	})
	if err != nil {
		return c.openError(err)
	}
	defer device.Uninit() // no call of exchange after it
	if err := device.Start(); err != nil {
		return fmt.Errorf("alsa: %s: start: %w", c.name(), err)
	}
	c.log.Info("sound started", "device", c.name())
	err = attend(ctx, beats, stopped)
	c.log.Info("sound stopped", "device", c.name())
	return fmt.Errorf("alsa: %s: %w", c.name(), err)
}

// config asks for our frames. pins hold what C reads.
func (c *Card) config(pins *runtime.Pinner) (malgo.DeviceConfig, error) {
	d := malgo.DefaultDeviceConfig(malgo.Duplex)
	d.SampleRate = drivers.SampleRate
	d.PeriodSizeInFrames = drivers.FrameSamples
	d.Periods = periods
	for _, side := range []*malgo.SubConfig{&d.Capture, &d.Playback} {
		side.Format, side.Channels = malgo.FormatS16, 1
	}
	if c.device == "" {
		return d, nil
	}
	id := new(malgo.DeviceID)
	if len(c.device) >= len(id) {
		return d, fmt.Errorf("alsa: the name of the device has %d bytes, limit %d", len(c.device), len(id)-1)
	}
	copy(id[:], c.device)
	pins.Pin(id)
	d.Capture.DeviceID, d.Playback.DeviceID = unsafe.Pointer(id), unsafe.Pointer(id)
	return d, nil
}

func (c *Card) name() string {
	if c.device == "" {
		return "default"
	}
	return c.device
}

// openError tells a card that is not there from one that is broken or busy.
func (c *Card) openError(err error) error {
	if !anyCard(soundCards) {
		return fmt.Errorf("alsa: no sound card on this machine: %w", drivers.ErrAbsent)
	}
	return fmt.Errorf("alsa: %s cannot be opened: %w", c.name(), err)
}

// attend waits for the end: of ctx, or of the card, which stops or stands still.
func attend(ctx context.Context, beats, stopped <-chan struct{}) error {
	still := time.NewTimer(patience)
	defer still.Stop()
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-stopped:
			return errStopped
		case <-still.C:
			return fmt.Errorf("no sound for %v: %w", patience, errStopped)
		case <-beats:
			still.Reset(patience)
		}
	}
}

// signal tells a channel of one place, and does not wait.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// samples is memory of the card as samples, in the machine's order.
func samples(raw []byte) []int16 {
	if len(raw) < 2 {
		return nil
	}
	return unsafe.Slice((*int16)(unsafe.Pointer(&raw[0])), len(raw)/2)
}
