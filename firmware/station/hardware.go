package station

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/drivers"
	"doorstation/drivers/openh264"
	"doorstation/drivers/sim"
	"doorstation/drivers/testcard"
)

// A cameraDriver is one way to have H.264.
type cameraDriver struct {
	open func(opt Options, device string) drivers.Camera
	// describe gives the profile-level-id of what the camera will send.
	describe func(drivers.VideoFormat) (string, error)
}

// The cameras of this build, by the name that board files use.
var cameras = map[string]cameraDriver{
	"testcard": {
		open:     func(opt Options, _ string) drivers.Camera { return openh264.New(testcard.New(), opt.Log) },
		describe: openh264.ProfileLevelID,
	},
}

// hardware is what the board has besides the relays.
type hardware struct {
	opt   Options
	video *videoHub
	lamps map[callflow.Indicator]drivers.Lamp
}

func openHardware(opt Options) *hardware {
	h := &hardware{opt: opt, lamps: make(map[callflow.Indicator]drivers.Lamp)}
	h.video = newVideoHub(nil, nil, opt.Log)
	if driver, ok := cameras[opt.Board.Camera.Driver]; ok && len(opt.Missing) == 0 {
		h.video = newVideoHub(driver.open(opt, opt.Board.Camera.Device), driver.describe, opt.Log)
	}
	for _, l := range opt.Board.Lamps {
		h.lamps[callflow.Indicator(l.Name)] = &simLamp{path: h.socket(), line: l}
	}
	return h
}

// socket is where the process of the simulated lines listens.
func (h *hardware) socket() string { return filepath.Join(h.opt.Run, "sim.sock") }

// parts are the supervised parts of the hardware.
func (h *hardware) parts(s *Station) []part {
	return []part{
		{name: "inputs", run: func(ctx context.Context) error { return h.watch(ctx, s.input) }},
		{name: "sound", run: func(ctx context.Context) error {
			panel, err := sim.Dial(h.socket())
			if err != nil {
				return err
			}
			return panel.Sound().Run(ctx, s.owner.engine.Exchange)
		}},
	}
}

// watch reports the inputs.
func (h *hardware) watch(ctx context.Context, report func(drivers.Input)) error {
	panel, err := sim.Dial(h.socket())
	if err != nil {
		return err
	}
	var lines []sim.InputLine
	for _, in := range h.opt.Board.Inputs {
		lines = append(lines, sim.InputLine{Name: in.Name, Line: in.Line, ActiveLow: in.Active == board.Low, Debounce: time.Duration(in.Debounce)})
	}
	return panel.Inputs(lines).Watch(ctx, report)
}

// input brings a pressed button to the call.
func (s *Station) input(in drivers.Input) {
	if in.Active && slices.Contains(s.buttons, in.Name) {
		s.owner.box.post(func() { s.owner.pressed(in.Name, in.At) })
	}
}

// A simLamp takes its line when it is first needed, and again after the line
// process was away.
type simLamp struct {
	path string
	line board.Lamp

	mu   sync.Mutex
	lamp drivers.Lamp
}

// Set switches the lamp.
func (l *simLamp) Set(on bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.lamp == nil {
		panel, err := sim.Dial(l.path)
		if err != nil {
			return err
		}
		if l.lamp, err = panel.Lamp(l.line.Line, l.line.Active == board.Low); err != nil {
			l.lamp = nil
			return err
		}
	}
	err := l.lamp.Set(on)
	if err != nil {
		l.lamp = nil
	}
	return err
}

// lockData makes this process the only daemon on dir, until it ends.
func lockData(dir string) error {
	path := filepath.Join(dir, "lock")
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return &InUseError{Path: path}
	}
	return nil
}
