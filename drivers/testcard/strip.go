package testcard

// The strip for machines: two rows of blocks across the top of the picture,
// black for 0 and white for 1, the most significant bit first. The upper row is
// the time, the lower one its check.
const (
	stripBits = 32
	stripRows = 2
)

// stripBlock is the block of a bit, in fractions of the picture, so that the
// strip survives scaling.
func stripBlock(bit, row, w, h int) rect {
	left, right := bit*w/stripBits, (bit+1)*w/stripBits
	height := h / 16
	return rect{left, row * height, right - left, height}
}

// drawStrip writes the time since the beginning, in milliseconds.
func (c *card) drawStrip(ms uint32) {
	for row, word := range [stripRows]uint32{ms, stripCheck(ms)} {
		for bit := range stripBits {
			luma := byte(black)
			if word>>(stripBits-1-bit)&1 == 1 {
				luma = white
			}
			c.fill(stripBlock(bit, row, c.w, c.h), luma)
		}
	}
}

// stripCheck is the check of a time: another one for every time, and none that a
// black, grey or white picture has.
func stripCheck(ms uint32) uint32 {
	const spread, offset = 0x9E37_79B1, 0x5A5A_5A5A
	return ms*spread ^ offset
}

// ReadClock reads the strip from the luma plane of a decoded picture of the
// test card: the milliseconds since its capture began. It works at any size
// that leaves blocks of two pixels or more; stride is the length of a row of y
// in bytes. It reports false when the strip is not there or damaged.
func ReadClock(y []byte, stride, w, h int) (ms uint32, ok bool) {
	if w < 2*stripBits || h < 32 || stride < w || len(y) < stride*(h-1)+w {
		return 0, false
	}
	var words [stripRows]uint32
	for row := range words {
		for bit := range stripBits {
			words[row] = words[row]<<1 | uint32(readBlock(y, stride, stripBlock(bit, row, w, h)))
		}
	}
	return words[0], words[1] == stripCheck(words[0])
}

// readBlock tells black from white by the middle half of a block.
func readBlock(y []byte, stride int, r rect) int {
	sum, n := 0, 0
	for row := r.y + r.h/4; row < r.y+r.h-r.h/4; row++ {
		for col := r.x + r.w/4; col < r.x+r.w-r.w/4; col++ {
			sum += int(y[row*stride+col])
			n++
		}
	}
	if sum > n*(black+white)/2 {
		return 1
	}
	return 0
}
