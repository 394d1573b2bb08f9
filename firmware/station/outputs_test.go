package station

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/callflow/doorway"
	"doorstation/drivers"
	"doorstation/drivers/fake"
)

func TestWhatOutputsWant(t *testing.T) {
	for _, c := range []struct {
		role board.Role
		on   []scenery
		off  []scenery
	}{
		{board.IRLamp, []scenery{{filming: true, night: true}}, []scenery{{}, {filming: true}, {night: true}, {night: true, powered: true, alarm: true}}},
		{board.IRCut, []scenery{{}, {filming: true}, {night: true}}, []scenery{{filming: true, night: true}}},
		{board.CameraPower, []scenery{{powered: true}, {filming: true}}, []scenery{{}, {night: true, alarm: true}}},
		{board.LockPower, []scenery{{}, {filming: true, alarm: true}}, nil},
		{board.Sounder, []scenery{{alarm: true}}, []scenery{{}, {filming: true, night: true, powered: true}}},
		{"disco", nil, []scenery{{}, {filming: true, night: true, powered: true, alarm: true}}},
	} {
		for _, s := range c.on {
			if !s.wants(c.role) {
				t.Errorf("%s is off: %+v", c.role, s)
			}
		}
		for _, s := range c.off {
			if s.wants(c.role) {
				t.Errorf("%s is on: %+v", c.role, s)
			}
		}
	}
}

// testOutputs are outputs of every role in memory.
func testOutputs(t *testing.T) (*outputs, map[board.Role]*fake.Lamp) {
	lamps := make(map[board.Role]*fake.Lamp)
	b := &board.Board{}
	for _, role := range board.Roles {
		lamps[role] = &fake.Lamp{}
		b.Outputs = append(b.Outputs, board.Output{Name: string(role), Role: role, Driver: "test"})
	}
	o := newOutputs(Options{Board: b, Log: slog.New(slog.DiscardHandler)})
	for _, out := range o.all {
		out.open = func(bool) (drivers.Lamp, error) { return lamps[out.role], nil }
	}
	return o, lamps
}

// Every output but the supply of the lock is off when the program has ended.
func TestOutputsOfANight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, lamps := testOutputs(t)
		lit := func(want ...board.Role) {
			t.Helper()
			synctest.Wait()
			var got []board.Role
			for _, role := range board.Roles {
				if lamps[role].Lit() {
					got = append(got, role)
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("on are %v, want %v", got, want)
			}
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { o.run(ctx); close(ended) }()
		lit(board.IRCut, board.CameraPower, board.LockPower)
		o.change(func(s *scenery) { s.powered = false })
		lit(board.IRCut, board.LockPower)
		o.change(func(s *scenery) { s.filming = true })
		lit(board.IRCut, board.CameraPower, board.LockPower)
		o.change(func(s *scenery) { s.night = true })
		lit(board.IRLamp, board.CameraPower, board.LockPower)
		o.change(func(s *scenery) { s.alarm = true })
		lit(board.IRLamp, board.CameraPower, board.LockPower, board.Sounder)
		stop()
		<-ended
		lit(board.LockPower)
		if h := lamps[board.LockPower].History(); !slices.Equal(h, []bool{true}) {
			t.Errorf("the lock's supply was switched %v", h)
		}
	})
}

// One output that cannot be had takes no other with it, and is tried again.
func TestBrokenOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o, lamps := testOutputs(t)
		broken := errors.New("no such line")
		var mu sync.Mutex
		missing := true
		o.all[0].open = func(on bool) (drivers.Lamp, error) {
			mu.Lock()
			defer mu.Unlock()
			if missing {
				return nil, broken
			}
			return lamps[o.all[0].role], nil
		}
		h := &hardware{opt: Options{Board: &board.Board{Lamps: []board.Lamp{{Name: "calling"}}}}, outputs: o,
			lamps: map[callflow.Indicator]*lamp{callflow.IndicatorCalling: newLamp("calling", nil, nil)}}
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		go o.run(ctx)
		o.change(func(s *scenery) { s.filming, s.night = true, true })
		synctest.Wait()
		list := h.switched()
		if len(list) != 1+len(board.Roles) || list[0].Role != roleLamp || list[1].Error != broken.Error() || list[1].On || !list[3].On || list[3].Error != "" {
			t.Errorf("the status shows %+v", list)
		}
		mu.Lock()
		missing = false
		mu.Unlock()
		time.Sleep(lampRetry)
		synctest.Wait()
		if list := h.switched(); !list[1].On || list[1].Error != "" || !lamps[o.all[0].role].Lit() {
			t.Errorf("after it came back: %+v", list[1])
		}
	})
}

// The sounder tells of a door that stands open, for a minute or until it closes.
func TestSounder(t *testing.T) {
	o := aroundOwner()
	alarm := scenery{}
	o.around.scene = func(by func(*scenery)) { by(&alarm) }
	o.leaf(false)
	o.leaf(true)
	if !alarm.alarm {
		t.Error("a forced door makes no noise")
	}
	o.leaf(false)
	if alarm.alarm {
		t.Error("noise for a closed door")
	}
	o.leaf(true)
	at := o.around.deadline()
	o.lookAround(at)
	o.lookAround(at.Add(soundFor))
	if alarm.alarm || o.around.doorways["door1"].State() != doorway.Forced {
		t.Error("the sounder never tires")
	}
}

// A board whose camera shows a dark picture gets light while somebody looks, and
// one whose camera gives H.264 alone is told that it gets none.
func TestInfraRedLamp(t *testing.T) {
	b := &board.Board{
		Camera:  board.Camera{Driver: "testcard"},
		Outputs: []board.Output{{Name: "ir", Role: board.IRLamp, Driver: "none"}},
	}
	opt := Options{Board: b, Log: slog.New(slog.DiscardHandler)}
	h := openHardware(opt)
	dark := drivers.Picture{Width: 64, Height: 32, Y: make([]byte, 64*32)}
	look := func(from time.Duration) {
		for at := from; at < from+2*time.Second; at += meterEvery {
			dark.At = at
			peekOf(h.video.camera).show(dark)
		}
	}
	on := func() bool { return h.outputs.all[0].on }
	look(time.Hour)
	if on() || !h.outputs.now.night {
		t.Errorf("nobody films: on %v, night %v", on(), h.outputs.now.night)
	}
	h.video.warm(drivers.VideoFormat{})
	if !on() {
		t.Error("the lamp stays dark in a night's call")
	}
	h.video.rest()
	if on() {
		t.Error("the lamp is lit for nobody")
	}
	b.Camera.Driver = "v4l2-h264"
	if h := openHardware(opt); len(h.missing) != 1 {
		t.Errorf("missing: %q", h.missing)
	}
}
