package g711

import (
	"math"
	"testing"
)

// law is one of the two, with its definition from ITU-T G.711 beside it.
type law struct {
	name    string
	encode  func([]byte, []int16) int
	decode  func([]int16, []byte) int
	silence byte
	value   func(code byte) int // decoder output, in units of 16 bits
	half    func(code byte) int // half of the quantising step around it, likewise
}

var laws = []law{
	{"mu-law", EncodeULaw, DecodeULaw, ULawSilence, uLawValue, uLawHalfStep},
	{"A-law", EncodeALaw, DecodeALaw, ALawSilence, aLawValue, aLawHalfStep},
}

// uLawValue follows ITU-T G.711 table 2: the bits are inverted on the line;
// sixteen steps in each of eight segments, each twice as wide as the one before,
// around values of 14 bits.
func uLawValue(code byte) int {
	code = ^code
	segment, step := int(code>>4&7), int(code&15)
	magnitude := (2*step+33)<<segment - 33
	if code&0x80 != 0 {
		magnitude = -magnitude
	}
	return 4 * magnitude
}

func uLawHalfStep(code byte) int { return 4 << (^code >> 4 & 7) }

// aLawValue follows ITU-T G.711 table 1: every second bit is inverted on the
// line; the first two segments are of the same width, around values of 13 bits.
func aLawValue(code byte) int {
	code ^= 0x55
	segment, step := int(code>>4&7), int(code&15)
	magnitude := 2*step + 1
	if segment > 0 {
		magnitude = (2*step + 33) << (segment - 1)
	}
	if code&0x80 == 0 {
		magnitude = -magnitude
	}
	return 8 * magnitude
}

func aLawHalfStep(code byte) int { return 8 << max(int(code^0x55)>>4&7-1, 0) }

func TestEveryCodeDecodesByTheTable(t *testing.T) {
	for _, l := range laws {
		var codes [256]byte
		var got [256]int16
		for i := range codes {
			codes[i] = byte(i)
		}
		if n := l.decode(got[:], codes[:]); n != 256 {
			t.Fatalf("%s: %d samples of 256", l.name, n)
		}
		for i, v := range got {
			if want := l.value(byte(i)); int(v) != want {
				t.Errorf("%s: code %#02x is %d, the table has %d", l.name, i, v, want)
			}
		}
	}
}

// Every sample becomes a code whose step it lies in. On the border between two
// steps either will do, and beyond the last step the last code.
func TestEverySampleEncodesIntoItsStep(t *testing.T) {
	for _, l := range laws {
		pcm := make([]int16, 0, 1<<16)
		for v := math.MinInt16; v <= math.MaxInt16; v++ {
			pcm = append(pcm, int16(v))
		}
		codes := make([]byte, len(pcm))
		l.encode(codes, pcm)
		top := l.highest()
		for i, v := range pcm {
			value, half := l.value(codes[i]), l.half(codes[i])
			if away := abs(int(v) - value); away > half && (abs(value) != top || abs(int(v)) < top) {
				t.Fatalf("%s: %d became %#02x, which is %d and reaches %d each way", l.name, v, codes[i], value, half)
			}
		}
	}
}

// highest is the greatest value of any code.
func (l law) highest() int {
	top := 0
	for c := range 256 {
		top = max(top, l.value(byte(c)))
	}
	return top
}

func abs(v int) int { return max(v, -v) }

func TestCodesSurviveDecodingAndEncoding(t *testing.T) {
	for _, l := range laws {
		for c := range 256 {
			var pcm [1]int16
			var code [1]byte
			l.decode(pcm[:], []byte{byte(c)})
			l.encode(code[:], pcm[:])
			if l.value(code[0]) != l.value(byte(c)) {
				t.Errorf("%s: %#02x became %#02x", l.name, c, code[0])
			}
		}
	}
}

func TestSilence(t *testing.T) {
	for _, l := range laws {
		var code [1]byte
		l.encode(code[:], []int16{0})
		if code[0] != l.silence {
			t.Errorf("%s: 0 became %#02x, want %#02x", l.name, code[0], l.silence)
		}
	}
}

func TestTheShorterSliceDecides(t *testing.T) {
	for _, l := range laws {
		code := []byte{1, 2, 3, 4}
		if n := l.encode(code, make([]int16, 2)); n != 2 || code[2] != 3 {
			t.Errorf("%s: %d samples coded, the rest is %v", l.name, n, code[2:])
		}
		pcm := []int16{1, 2, 3}
		if n := l.decode(pcm, code[:1]); n != 1 || pcm[1] != 2 {
			t.Errorf("%s: %d samples decoded, the rest is %v", l.name, n, pcm[1:])
		}
		if l.encode(nil, pcm) != 0 || l.decode(pcm, nil) != 0 {
			t.Errorf("%s: something came of nothing", l.name)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) {
	pcm, code := make([]int16, 160), make([]byte, 160)
	for _, l := range laws {
		if n := testing.AllocsPerRun(100, func() { l.encode(code, pcm); l.decode(pcm, code) }); n != 0 {
			t.Errorf("%s: %v allocations a frame", l.name, n)
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	pcm, code := make([]int16, 160), make([]byte, 160)
	for i := range pcm {
		pcm[i] = int16(12000 * math.Sin(float64(i)/5))
	}
	for _, l := range laws {
		b.Run("encode "+l.name, func(b *testing.B) {
			for b.Loop() {
				l.encode(code, pcm)
			}
		})
		b.Run("decode "+l.name, func(b *testing.B) {
			for b.Loop() {
				l.decode(pcm, code)
			}
		})
	}
}
