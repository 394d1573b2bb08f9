package v4l2

import (
	"bytes"
	"image"
	"image/color"
	"image/jpeg"
	"testing"
)

// sample is the colour of one pixel of the test picture, a different one for
// every two by two pixels.
func sample(x, y int) (luma, cb, cr byte) {
	return byte(16 + 7*x + 3*y), byte(100 + x/2), byte(150 - y/2)
}

// made is the test picture in a camera's format, with lines of stride bytes
// whose ends are nonsense.
func made(format uint32, w, h, stride int) []byte {
	set := func(out []byte, at int, v byte) { out[at] = v }
	size := map[uint32]int{formatYUYV: stride * h, formatNV12: stride * (h + (h+1)/2), formatYU12: stride*h + stride/2*((h+1)/2)*2}[format]
	out := bytes.Repeat([]byte{0xEE}, size)
	for y := range h {
		for x := range w {
			luma, cb, cr := sample(x, y)
			switch format {
			case formatYUYV:
				set(out, y*stride+2*x, luma)
				set(out, y*stride+x/2*4+1, cb)
				set(out, y*stride+x/2*4+3, cr)
			case formatNV12:
				set(out, y*stride+x, luma)
				set(out, stride*h+y/2*stride+x&^1, cb)
				set(out, stride*h+y/2*stride+x&^1+1, cr)
			case formatYU12:
				set(out, y*stride+x, luma)
				set(out, stride*h+y/2*(stride/2)+x/2, cb)
				set(out, stride*h+stride/2*((h+1)/2)+y/2*(stride/2)+x/2, cr)
			}
		}
	}
	return out
}

func TestRawFormats(t *testing.T) {
	for _, c := range []struct {
		format       uint32
		w, h, stride int
	}{
		{formatYUYV, 8, 6, 16}, {formatYUYV, 8, 6, 24}, {formatYUYV, 8, 7, 16},
		{formatNV12, 8, 6, 8}, {formatNV12, 8, 6, 16}, {formatNV12, 8, 7, 8},
		{formatYU12, 8, 6, 8}, {formatYU12, 8, 6, 16}, {formatYU12, 8, 7, 8},
	} {
		p, err := newPainter(pixelFormat{width: uint32(c.w), height: uint32(c.h), format: c.format, bytesPerLine: uint32(c.stride)})
		if err != nil {
			t.Fatal(err)
		}
		data := made(c.format, c.w, c.h, c.stride)
		got, err := p.paint(data)
		if err != nil {
			t.Errorf("%s %dx%d: %v", fourCC(c.format), c.w, c.h, err)
			continue
		}
		if got.Width != c.w || got.Height != c.h&^1 {
			t.Errorf("%s: %dx%d pixels of %dx%d", fourCC(c.format), got.Width, got.Height, c.w, c.h)
		}
		for y := range got.Height {
			for x := range got.Width {
				luma, cb, cr := sample(x, y)
				at := y/2*(c.w/2) + x/2
				if got.Y[y*c.w+x] != luma || got.U[at] != cb || got.V[at] != cr {
					t.Fatalf("%s stride %d: pixel %d,%d is %d %d %d, want %d %d %d", fourCC(c.format), c.stride, x, y,
						got.Y[y*c.w+x], got.U[at], got.V[at], luma, cb, cr)
				}
			}
		}
		if _, err := p.paint(data[:len(data)-1]); err == nil {
			t.Errorf("%s: a torn picture was taken", fourCC(c.format))
		}
	}
}

func TestSizesThatAreRefused(t *testing.T) {
	for _, pix := range []pixelFormat{
		{width: 0, height: 2, format: formatNV12}, {width: 2, height: 1, format: formatNV12},
		{width: maxSide + 1, height: 2, format: formatMJPEG}, {width: 2, height: 2, format: formatH264},
		{width: 2, height: 2, format: formatYU12, bytesPerLine: 1 << 31},
	} {
		if _, err := newPainter(pix); err == nil {
			t.Errorf("%+v was taken", pix)
		}
	}
}

// photo is an image/jpeg picture of one colour in each half.
func photo(t testing.TB, w, h int) []byte {
	t.Helper()
	m := image.NewRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.RGBA{255, 255, 255, 255}
			if x >= w/2 {
				c = color.RGBA{200, 0, 0, 255}
			}
			m.Set(x, y, c)
		}
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, &jpeg.Options{Quality: 95}); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// withoutTables is what many cameras send: the encoder's tables are the usual
// ones, so a picture without them can still be decoded.
func withoutTables(t testing.TB, data []byte) []byte {
	t.Helper()
	at := bytes.Index(data, []byte{0xFF, markerTables})
	if at < 0 {
		t.Fatal("no tables in the picture")
	}
	return append(bytes.Clone(data[:at]), data[at+2+int(data[at+2])<<8+int(data[at+3]):]...)
}

func TestJPEG(t *testing.T) {
	p, err := newPainter(pixelFormat{width: 32, height: 16, format: formatMJPEG})
	if err != nil {
		t.Fatal(err)
	}
	whole := photo(t, 32, 16)
	for name, data := range map[string][]byte{"with tables": whole, "without": withoutTables(t, whole)} {
		got, err := p.paint(data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		near := func(is byte, want int) bool { return int(is) >= want-3 && int(is) <= want+3 }
		// White is 235 128 128; red of 200 is about 67 100 216 (BT.601, video range).
		if !near(got.Y[0], 235) || !near(got.U[0], 128) || !near(got.V[0], 128) {
			t.Errorf("%s: white is %d %d %d", name, got.Y[0], got.U[0], got.V[0])
		}
		if !near(got.Y[31], 67) || !near(got.U[15], 98) || !near(got.V[15], 216) {
			t.Errorf("%s: red is %d %d %d", name, got.Y[31], got.U[15], got.V[15])
		}
	}
	for name, data := range map[string][]byte{
		"another size": photo(t, 64, 16), "nothing": nil, "no picture": []byte("GIF89a"), "torn": whole[:len(whole)/2],
	} {
		if _, err := p.paint(data); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

func FuzzJPEG(f *testing.F) {
	f.Add(photo(f, 32, 16))
	f.Add(withoutTables(f, photo(f, 32, 16)))
	f.Add([]byte{0xFF, 0xD8, 0xFF, 0xFF, 0xFF, 0xC0, 0, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := newPainter(pixelFormat{width: 32, height: 16, format: formatMJPEG})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := p.paint(data); err == nil && (len(got.Y) != 512 || len(got.U) != 128) {
			t.Errorf("a picture of %d bytes", len(got.Y))
		}
	})
}

func BenchmarkYUYV(b *testing.B) {
	p, _ := newPainter(pixelFormat{width: 640, height: 480, format: formatYUYV})
	data := make([]byte, 640*480*2)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.paint(data); err != nil {
			b.Fatal(err)
		}
	}
}
