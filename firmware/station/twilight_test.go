package station

import (
	"bytes"
	"testing"
	"time"

	"doorstation/drivers"
)

func TestTwilight(t *testing.T) {
	type span struct {
		luma int
		for_ time.Duration
	}
	for _, c := range []struct {
		name  string
		spans []span
		want  string // n or d at the end of each span
	}{
		{"by day", []span{{140, time.Minute}}, "d"},
		{"night falls", []span{{140, time.Minute}, {30, 2 * time.Second}}, "dn"},
		{"a hand before the lens", []span{{140, time.Minute}, {20, 800 * time.Millisecond}, {140, time.Minute}}, "ddd"},
		{"neither dark nor bright", []span{{60, time.Minute}, {30, 2 * time.Second}, {90, time.Minute}, {119, time.Minute}}, "dnnn"},
		{"headlamps", []span{{30, 2 * time.Second}, {200, 4 * time.Second}, {90, time.Minute}}, "nnn"},
		{"the day comes", []span{{30, 2 * time.Second}, {200, 6 * time.Second}, {200, time.Minute}}, "ndd"},
		{"the lamp's own light", []span{{30, 2 * time.Second}, {150, 6 * time.Second}, {30, 2 * time.Second}, {150, 10 * time.Minute}}, "ndnn"},
		{"dark again after a while", []span{{30, 2 * time.Second}, {150, 20 * time.Second}, {30, 2 * time.Second}, {150, 10 * time.Second}}, "ndnd"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var light twilight
			now, got := time.Hour, ""
			for _, s := range c.spans {
				night := false
				for end := now + s.for_; now < end; now += 200 * time.Millisecond {
					night = light.look(now, s.luma)
				}
				got += map[bool]string{true: "n", false: "d"}[night]
			}
			if got != c.want {
				t.Errorf("became %q, want %q", got, c.want)
			}
		})
	}
}

// The next use of the camera begins as the last one ended, and may become day.
func TestTwilightOfTheNextUse(t *testing.T) {
	light := twilight{night: true, stays: true}
	light.begin()
	if !light.look(0, 150) {
		t.Error("the first picture made it day")
	}
	light.look(time.Second, 150)
	if light.look(time.Second+brightFor, 150) {
		t.Error("it stays night for ever")
	}
}

func TestLightMeter(t *testing.T) {
	picture := func(luma byte, at time.Duration) drivers.Picture {
		return drivers.Picture{Width: 64, Height: 32, Y: bytes.Repeat([]byte{luma}, 64*32), At: at}
	}
	if got := meanLuma(picture(77, 0)); got != 77 {
		t.Errorf("a plain picture of 77 measures %d", got)
	}
	half := picture(200, 0)
	clear(half.Y[:len(half.Y)/2])
	if got := meanLuma(half); got != 100 {
		t.Errorf("half of 0 and half of 200 measures %d", got)
	}
	if got := meanLuma(drivers.Picture{Width: 2, Height: 2, Y: make([]byte, 4)}); got != 0 {
		t.Errorf("a picture without a pixel of ours measures %d", got)
	}
	var told []bool
	m := lightMeter{tell: func(night bool) { told = append(told, night) }}
	for n := range 60 { // two seconds at thirty a second
		m.look(picture(20, time.Hour+time.Duration(n)*time.Second/30))
	}
	if len(told) != 1 || !told[0] {
		t.Errorf("told %v of a night", told)
	}
}
