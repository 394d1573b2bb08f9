package testcard

import (
	"time"

	"doorstation/drivers"
)

// Levels of studio range (ITU-R BT.601).
const (
	black   = 16
	white   = 235
	neutral = 128
)

// card is the picture and the parts that move in it.
type card struct {
	w, h     int
	y, u, v  []byte
	ground   []byte // luma of the picture with nothing on it
	bar, box rect   // as last drawn
}

// rect is a part of the picture, in pixels.
type rect struct{ x, y, w, h int }

func newCard(w, h int) *card {
	c := &card{
		w: w, h: h,
		y: make([]byte, w*h), u: make([]byte, w*h/4), v: make([]byte, w*h/4),
		ground: make([]byte, w*h),
	}
	c.paint()
	return c
}

// paint draws what does not move: a slow gradient, and two calm colours.
func (c *card) paint() {
	for y := range c.h {
		row := c.ground[y*c.w : (y+1)*c.w]
		for x := range row {
			row[x] = byte(64 + 64*y/c.h + 32*x/c.w)
		}
	}
	copy(c.y, c.ground)
	cw := c.w / 2
	for i := range c.u {
		x, y := i%cw, i/cw
		c.u[i] = byte(neutral + 24 - 32*y/(c.h/2))
		c.v[i] = byte(neutral - 16 + 24*x/cw)
	}
}

// draw draws the picture of a time since the beginning.
func (c *card) draw(t time.Duration) {
	c.restore(c.bar)
	c.restore(c.box)
	c.bar, c.box = c.barAt(t), c.boxAt(t)
	c.fill(c.bar, 176)
	c.fill(c.box, 208)
	ms := uint32(t / time.Millisecond)
	c.drawTime(ms)
	c.drawStrip(ms)
}

// barAt is a thin upright bar that crosses the middle in eight seconds.
func (c *card) barAt(t time.Duration) rect {
	const crossing = 8 * time.Second
	w := c.w / 40
	x := int(int64(c.w-w) * int64(t%crossing) / int64(crossing))
	return rect{x, c.h * 3 / 8, w, c.h / 2}
}

// boxAt is a box that bounces in the lower half.
func (c *card) boxAt(t time.Duration) rect {
	size := c.h / 8
	top, bottom := c.h/2, c.h*15/16-size
	return rect{
		x: bounce(t, 5*time.Second, c.w-size),
		y: top + bounce(t, 3*time.Second, bottom-top),
		w: size, h: size,
	}
}

// bounce goes from 0 to span and back in a period.
func bounce(t, period time.Duration, span int) int {
	at := int(2 * int64(span) * int64(t%period) / int64(period))
	if at > span {
		at = 2*span - at
	}
	return at
}

func (c *card) fill(r rect, luma byte) {
	for y := r.y; y < r.y+r.h; y++ {
		row := c.y[y*c.w+r.x:][:r.w]
		for i := range row {
			row[i] = luma
		}
	}
}

func (c *card) restore(r rect) {
	for y := r.y; y < r.y+r.h; y++ {
		from := y*c.w + r.x
		copy(c.y[from:from+r.w], c.ground[from:])
	}
}

// picture lends the card out.
func (c *card) picture(at time.Duration) drivers.Picture {
	return drivers.Picture{Width: c.w, Height: c.h, Y: c.y, U: c.u, V: c.v, At: at}
}

// Drawer returns a function that draws the card of a given size as it is at a
// time since the beginning, for callers with a rhythm of their own. The picture
// is good until the next call; its At is that time.
func Drawer(w, h int) func(time.Duration) drivers.Picture {
	c := newCard(w, h)
	return func(t time.Duration) drivers.Picture {
		c.draw(t)
		return c.picture(t)
	}
}
