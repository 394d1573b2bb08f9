package station

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"doorstation/board"
	"doorstation/drivers"
	"doorstation/drivers/alsa"
	kernel "doorstation/drivers/gpio"
	"doorstation/drivers/openh264"
	"doorstation/drivers/sim"
	"doorstation/drivers/testcard"
	"doorstation/drivers/v4l2"

	"periph.io/x/conn/v3/gpio"
)

// A cameraDriver is one way to have H.264.
type cameraDriver struct {
	open  func(opt Options, device string) drivers.Camera
	coded bool // it makes H.264 itself, and needs no encoder in this build
	// describe gives the profile-level-id of what the camera will send.
	describe func(drivers.VideoFormat) (string, error)
}

// What this build can drive, by the name that board files use. Whether a part
// is there shows when it is opened or run: drivers.ErrAbsent.
var (
	cameras = map[string]cameraDriver{
		"testcard": {
			open:     func(opt Options, _ string) drivers.Camera { return encoded(testcard.New(), opt.Log) },
			describe: openh264.ProfileLevelID,
		},
		"v4l2": {
			open:     func(opt Options, device string) drivers.Camera { return encoded(v4l2.New(device, opt.Log), opt.Log) },
			describe: openh264.ProfileLevelID,
		},
		"v4l2-h264": {
			open:     func(opt Options, device string) drivers.Camera { return v4l2.NewCoded(device, opt.Log) },
			coded:    true,
			describe: func(drivers.VideoFormat) (string, error) { return usualProfile, nil },
		},
	}
	inputKit = map[string]func(opt Options, in board.Input) (drivers.Inputs, error){
		"sim": simInputs, "gpio": gpioInputs,
	}
	lampKit = map[string]func(opt Options, l board.Lamp, on bool) (drivers.Lamp, error){
		"sim": simLamp, "gpio": gpioLamp,
	}
	soundKit = map[string]func(opt Options, device string) (drivers.Sound, error){
		"sim":  simSound,
		"alsa": func(opt Options, device string) (drivers.Sound, error) { return alsa.New(device, opt.Log), nil },
	}
)

// simPanel is the process of the simulated lines.
func simPanel(opt Options) (*sim.Panel, error) {
	return sim.Dial(filepath.Join(opt.Run, "sim.sock"))
}

func simInputs(opt Options, in board.Input) (drivers.Inputs, error) {
	panel, err := simPanel(opt)
	if err != nil {
		return nil, err
	}
	return panel.Inputs([]sim.InputLine{{
		Name: in.Name, Line: in.Line, ActiveLow: in.Active == board.Low, Debounce: in.Debounce.Time(), Present: true,
	}}), nil
}

// openLamp takes a line that is switched, in the state that it is to have.
func openLamp(opt Options, l board.Lamp, on bool) (drivers.Lamp, error) {
	open, ok := lampKit[l.Driver]
	if !ok {
		return nil, noDriver(l.Driver)
	}
	return open(opt, l, on)
}

func simLamp(opt Options, l board.Lamp, _ bool) (drivers.Lamp, error) {
	panel, err := simPanel(opt)
	if err != nil {
		return nil, err
	}
	return panel.Lamp(l.Line, l.Active == board.Low)
}

func simSound(opt Options, _ string) (drivers.Sound, error) {
	panel, err := simPanel(opt)
	if err != nil {
		return nil, err
	}
	return panel.Sound(), nil
}

// pulls and drives are the words of board files, to the kernel's driver.
var (
	pulls = map[board.Pull]gpio.Pull{
		"": gpio.PullNoChange, board.PullUp: gpio.PullUp, board.PullDown: gpio.PullDown, board.PullNone: gpio.Float,
	}
	drives = map[board.Drive]kernel.Drive{
		"": kernel.PushPull, board.PushPull: kernel.PushPull, board.OpenDrain: kernel.OpenDrain, board.OpenSource: kernel.OpenSource,
	}
)

func gpioInputs(opt Options, in board.Input) (drivers.Inputs, error) {
	line := kernel.InputLine{
		Name: in.Name, Line: in.Line, ActiveLow: in.Active == board.Low, Pull: pulls[in.Pull],
		Debounce: in.Debounce.Time(), StuckAfter: in.Stuck.Time(), Present: true,
	}
	notice := func(n kernel.Notice) { opt.Log.Warn("input", "input", n.Input, "notice", n.What, "err", n.Err) }
	return &kernel.Inputs{Lines: []kernel.InputLine{line}, Notice: notice}, nil
}

func gpioLamp(_ Options, l board.Lamp, on bool) (drivers.Lamp, error) {
	lamp, err := kernel.OpenLamp(l.Line, l.Active == board.Low, drives[l.Drive], on)
	if err != nil {
		return nil, err // not a nil *kernel.Lamp in an interface
	}
	return lamp, nil
}

const (
	// absentRetry is the pause before somebody looks again for a part that is not
	// fitted: it may be plugged in.
	absentRetry = 5 * time.Second
	// works is how long a part has to run before it counts as fitted.
	works = 200 * time.Millisecond
)

// whenFitted runs a part that may be absent, and looks for it again while it is.
func (h *hardware) whenFitted(ctx context.Context, name string, run func(context.Context) error) error {
	for {
		found := time.AfterFunc(works, func() { h.fitted(name, nil) })
		err := run(ctx)
		found.Stop()
		if !errors.Is(err, drivers.ErrAbsent) || ctx.Err() != nil {
			return err
		}
		h.fitted(name, err)
		pause(ctx, absentRetry)
	}
}

// silence keeps the pace of a sound card that hears nothing, so that calls go
// on and keypad tones are understood on a panel without sound.
func silence(exchange func(mic, speaker []int16)) func(context.Context) error {
	return func(ctx context.Context) error {
		var mic, speaker [drivers.FrameSamples]int16
		pace := time.NewTicker(drivers.FrameTime)
		defer pace.Stop()
		for {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-pace.C:
				clear(mic[:])
				clear(speaker[:])
				exchange(mic[:], speaker[:])
			}
		}
	}
}
