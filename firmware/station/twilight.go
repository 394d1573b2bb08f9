package station

import (
	"sync"
	"time"

	"doorstation/drivers"
)

// A picture is dark or bright by its mean luma, of 16 (black) to 235 (white).
// The thresholds lie far apart, and light that comes and goes counts after a
// while: headlamps do not end the night, nor a hand before the lens the day.
const (
	darkBelow   = 45
	brightAbove = 120
	darkFor     = time.Second
	brightFor   = 5 * time.Second
	// relapse is how soon after the lamp went off the darkness may come back
	// before the light is taken for the lamp's own.
	relapse = 10 * time.Second
)

// A twilight tells night from day by a camera's pictures. The camera's own
// infra-red lamp lights them too: should it get dark as soon as the lamp is off,
// it stays night to the end of this use of the camera.
type twilight struct {
	night   bool
	turning time.Duration // since when the pictures say otherwise; 0: they do not
	day     time.Duration // when it last became day; 0: not in this use
	stays   bool
}

// begin begins a use of the camera, with the last one's night or day.
func (t *twilight) begin() { t.turning, t.day, t.stays = 0, 0, false }

// look takes the mean luma of the picture of now, and tells whether it is night.
func (t *twilight) look(now time.Duration, luma int) (night bool) {
	turns, after := luma < darkBelow, darkFor
	if t.night {
		turns, after = luma > brightAbove && !t.stays, brightFor
	}
	switch {
	case !turns:
		t.turning = 0
	case t.turning == 0:
		t.turning = now
	case now-t.turning >= after:
		t.turn(now)
	}
	return t.night
}

func (t *twilight) turn(now time.Duration) {
	t.night, t.turning = !t.night, 0
	if !t.night {
		t.day = now
		return
	}
	t.stays = t.day != 0 && now-t.day < relapse
}

// A lightMeter looks at the pictures of a camera, a few a second.
type lightMeter struct {
	tell func(night bool) // on the camera's goroutine, after every change

	mu    sync.Mutex
	light twilight
	last  time.Duration // time of the last picture that was measured
}

// meterEvery is the least time between two measured pictures.
const meterEvery = 200 * time.Millisecond

// begin begins a use of the camera.
func (m *lightMeter) begin() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.light.begin()
}

// look measures a picture.
func (m *lightMeter) look(p drivers.Picture) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if p.At-m.last < meterEvery {
		return
	}
	m.last = p.At
	was := m.light.night
	if night := m.light.look(p.At, meanLuma(p)); night != was {
		m.tell(night)
	}
}

// meanLuma measures one pixel of 64.
func meanLuma(p drivers.Picture) int {
	const step = 8
	sum, n := 0, 0
	for y := step / 2; y < p.Height; y += step {
		for x := step / 2; x < p.Width; x += step {
			sum += int(p.Y[y*p.Width+x])
			n++
		}
	}
	return sum / max(1, n)
}
