package jitter

const (
	memory = packet          // how much of the past is played again
	fade   = Rate * 6 / 100  // 60 ms until what is invented is silent
	blend  = Rate * 4 / 1000 // 4 ms from the invented back to the real
)

// concealer invents what is missing: the last 20 ms, backwards and forwards
// in turn so that nothing jumps, fading to silence; and blends back into the
// real sound.
type concealer struct {
	past  [memory]int16
	next  int // where the next good sample goes; the oldest one
	count int // good samples seen, at most memory
	gone  int // samples invented in a row
	back  int // samples still to blend
	from  int // position in the invented sound while blending
}

// good passes a real sample on.
func (c *concealer) good(x int16) int16 {
	out := x
	if c.gone > 0 {
		c.back, c.from, c.gone = blend, c.gone, 0
	}
	if c.back > 0 {
		w := int32(c.back)
		out = int16((int32(x)*(blend-w) + int32(c.invent(c.from))*w) / blend)
		c.back--
		c.from++
		return out // the past stays as it is while we look back into it
	}
	c.past[c.next] = out
	c.next = (c.next + 1) % memory
	c.count = min(c.count+1, memory)
	return out
}

// missing invents one sample.
func (c *concealer) missing() int16 {
	x := c.invent(c.gone)
	c.gone = min(c.gone+1, fade)
	return x
}

// cut says that the next real sample does not follow the last.
func (c *concealer) cut() {
	if c.gone == 0 {
		c.back, c.from = blend, 0
	}
}

// invent is sample i after the last real one.
func (c *concealer) invent(i int) int16 {
	if i >= fade || c.count < memory {
		return 0
	}
	turn := i % (2 * memory)
	behind := turn // 0 is the newest sample
	if turn >= memory {
		behind = 2*memory - 1 - turn
	}
	x := c.past[(c.next-1-behind+2*memory)%memory]
	return int16(int32(x) * int32(fade-i) / fade)
}

// audible reports that what is invented has not died away.
func (c *concealer) audible() bool { return c.count == memory && c.gone < fade }
