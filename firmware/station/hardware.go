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
	lamps map[callflow.Indicator]*lamp
}

func openHardware(opt Options) *hardware {
	h := &hardware{opt: opt, lamps: make(map[callflow.Indicator]*lamp)}
	h.video = newVideoHub(nil, nil, opt.Log)
	if driver, ok := cameras[opt.Board.Camera.Driver]; ok && len(opt.Missing) == 0 {
		h.video = newVideoHub(driver.open(opt, opt.Board.Camera.Device), driver.describe, opt.Log)
	}
	for _, l := range opt.Board.Lamps {
		h.lamps[callflow.Indicator(l.Name)] = newLamp(l.Name, opt.Log, func() (drivers.Lamp, error) {
			panel, err := sim.Dial(h.socket())
			if err != nil {
				return nil, err
			}
			return panel.Lamp(l.Line, l.Active == board.Low)
		})
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
		{name: "lamps", run: h.shine},
	}
}

// shine serves the lamps until ctx ends.
func (h *hardware) shine(ctx context.Context) error {
	var all sync.WaitGroup
	for _, l := range h.lamps {
		all.Go(func() { l.run(ctx) })
	}
	all.Wait()
	return nil
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
