package testcard

// glyphs are the characters of the clock, three pixels wide and five high, a
// row to each octal digit.
var glyphs = map[byte][5]byte{
	'0': {7, 5, 5, 5, 7}, '1': {2, 6, 2, 2, 7}, '2': {7, 1, 7, 4, 7}, '3': {7, 1, 7, 1, 7},
	'4': {5, 5, 7, 1, 1}, '5': {7, 4, 7, 1, 7}, '6': {7, 4, 7, 5, 7}, '7': {7, 1, 2, 2, 2},
	'8': {7, 5, 7, 5, 7}, '9': {7, 5, 7, 1, 7}, ':': {0, 2, 0, 2, 0}, '.': {0, 0, 0, 0, 2},
}

const (
	glyphWidth, glyphHeight = 3, 5
	clockChars              = len("HH:MM:SS.mmm")
	clockColumns            = clockChars*(glyphWidth+1) + 1
	clockRows               = glyphHeight + 2
)

// drawTime writes the time since the beginning as HH:MM:SS.mmm, white on black,
// below the strip.
func (c *card) drawTime(ms uint32) {
	scale := c.w * 3 / 4 / clockColumns
	left := (c.w - scale*clockColumns) / 2
	top := c.h / 6
	c.fill(rect{left, top, scale * clockColumns, scale * clockRows}, black)
	text := clockText(ms)
	for i, ch := range text {
		x := left + scale*(1+i*(glyphWidth+1))
		c.drawGlyph(glyphs[ch], x, top+scale, scale)
	}
}

func (c *card) drawGlyph(g [5]byte, left, top, scale int) {
	for row, bits := range g {
		for col := range glyphWidth {
			if bits>>(glyphWidth-1-col)&1 == 1 {
				c.fill(rect{left + col*scale, top + row*scale, scale, scale}, white)
			}
		}
	}
}

// clockText is the time as HH:MM:SS.mmm; the hours stay below 100.
func clockText(ms uint32) (text [clockChars]byte) {
	put := func(at, digits int, n uint32) {
		for i := at + digits - 1; i >= at; i-- {
			text[i] = byte('0' + n%10)
			n /= 10
		}
	}
	put(0, 2, ms/3_600_000%100)
	put(3, 2, ms/60_000%60)
	put(6, 2, ms/1000%60)
	put(9, 3, ms%1000)
	text[2], text[5], text[8] = ':', ':', '.'
	return text
}
