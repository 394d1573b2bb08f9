package station

import (
	"context"
	"fmt"
	"log/slog"
	"sync"

	"doorstation/callflow"
	"doorstation/drivers"
	"doorstation/drivers/openh264"
	"doorstation/drivers/testcard"
)

// hardware is what the board has besides the relays.
type hardware struct {
	opt   Options
	video *videoHub
	card  drivers.Sound // nil until it has been opened; only the sound part uses it
	lamps map[callflow.Indicator]*lamp

	inputs  *muster
	outputs *outputs
	meter   lightMeter // of the camera's pictures
	missing []string   // what the board has and this build cannot use, in words

	// fitted is told how a part is: nil when it works, else why it does not.
	fitted func(name string, err error)
}

func openHardware(opt Options) *hardware {
	h := &hardware{opt: opt, inputs: newMuster(opt.Board.Inputs), lamps: make(map[callflow.Indicator]*lamp), fitted: func(string, error) {}}
	h.video = newVideoHub(h.camera())
	h.video.most, h.video.use = opt.Board.Camera, h.filming
	for _, l := range opt.Board.Lamps {
		one := newLamp(l.Name, opt.Log, func(on bool) (drivers.Lamp, error) { return openLamp(opt, l, on) })
		one.set(false)
		h.lamps[callflow.Indicator(l.Name)] = one
	}
	h.outputs = newOutputs(opt)
	h.measureLight()
	return h
}

// camera gives the board's camera, nil if this build can have none, and what
// tells the profile of its stream.
func (h *hardware) camera() (drivers.Camera, func(drivers.VideoFormat) (string, error), *slog.Logger) {
	driver, ok := cameras[h.opt.Board.Camera.Driver]
	encodes := len(h.opt.Missing) == 0
	if !ok || !driver.coded && !encodes {
		return nil, nil, h.opt.Log
	}
	c := &lastingCamera{
		camera: driver.open(h.opt, h.opt.Board.Camera.Device),
		tell:   func(err error) { h.fitted("camera", err) },
	}
	if encodes {
		c.card = openh264.New(testcard.NewCrossed(), h.opt.Log)
	}
	return c, driver.describe, h.opt.Log
}

// noDriver says that this build cannot drive a part, which is then absent.
func noDriver(name string) error {
	return fmt.Errorf("this build has no driver %q: %w", name, drivers.ErrAbsent)
}

// parts are the supervised parts of the hardware.
func (h *hardware) parts(s *Station) []part {
	parts := []part{
		{name: "sound", run: func(ctx context.Context) error {
			return lastingSound(ctx, h.sound, s.owner.engine.Exchange, func(err error) { h.fitted("sound", err) })
		}},
		{name: "lamps", run: h.shine},
		{name: "outputs", run: h.outputs.run},
	}
	for _, in := range h.opt.Board.Inputs {
		if in.Guarded() {
			continue
		}
		// Each by itself: one that cannot be had takes no other with it.
		name := "input " + in.Name
		parts = append(parts, part{name: name, run: func(ctx context.Context) error {
			return h.whenFitted(ctx, name, func(ctx context.Context) error {
				defer s.owner.box.post(func() { s.owner.contactLost(in.Name) })
				return h.watch(ctx, in, s.input)
			})
		}})
	}
	return parts
}

// sound runs the sound card.
func (h *hardware) sound(ctx context.Context, exchange func(mic, speaker []int16)) error {
	open, ok := soundKit[h.opt.Board.Sound.Driver]
	if !ok {
		return noDriver(h.opt.Board.Sound.Driver)
	}
	if h.card == nil {
		card, err := open(h.opt, h.opt.Board.Sound.Device)
		if err != nil {
			return err
		}
		h.card = card
	}
	return h.card.Run(ctx, exchange)
}

// shine serves the lamps until ctx ends.
func (h *hardware) shine(ctx context.Context) error {
	var all sync.WaitGroup
	for _, l := range h.lamps {
		all.Go(func() { l.run(ctx) })
	}
	all.Wait()
	<-ctx.Done() // a board may have none
	return nil
}

// input brings a change of an input to the owner.
func (s *Station) input(in drivers.Input) {
	s.owner.box.post(func() { s.owner.entered(in) })
}
