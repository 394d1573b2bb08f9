package v4l2

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"testing"
	"time"

	"doorstation/drivers"
)

func TestNoCamera(t *testing.T) {
	log := slog.New(slog.DiscardHandler)
	f := drivers.VideoFormat{Width: 320, Height: 180, FPS: 5}
	none := t.TempDir() + "/video0"
	if err := New(none, log).Capture(t.Context(), f, nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("raw: %v, want ErrAbsent", err)
	}
	if err := NewCoded(none, log).Stream(t.Context(), f, nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("coded: %v, want ErrAbsent", err)
	}
	if err := New("/dev/null", log).Capture(t.Context(), f, nil); err == nil || errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("/dev/null: %v, want a fault", err)
	}
	if err := New(none, log).Capture(t.Context(), drivers.VideoFormat{Width: 320, Height: 180}, nil); err == nil || errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("no rate: %v, want a fault", err)
	}
}

func TestCaptureTime(t *testing.T) {
	b := buffer{seconds: 5, micros: 20, flags: flagMonotonic}
	if at := b.captured(time.Hour); at != 5*time.Second+20*time.Microsecond {
		t.Error("captured at", at)
	}
	b.flags = 0x4000 // copied from an output: not the camera's clock
	if at := b.captured(time.Hour); at != time.Hour {
		t.Error("of an unknown clock:", at)
	}
}

// stream joins NAL units, given by their first bytes, with start codes of both
// lengths.
func stream(types ...byte) []byte {
	var b []byte
	for i, typ := range types {
		if i%2 == 0 {
			b = append(b, 0)
		}
		b = append(b, 0, 0, 1, 0x60|typ, byte(0x80+i))
	}
	return b
}

func kinds(nals [][]byte) string {
	var s []byte
	for _, n := range nals {
		s = append(s, '0'+n[0]&0x1F)
	}
	return string(s)
}

func TestAccessUnits(t *testing.T) {
	type buffers []struct{ given, want string }
	for name, c := range map[string]buffers{
		"sets before each": {{"9785", "785"}, {"91", "1"}, {"785", "785"}},
		"sets once":        {{"785", "785"}, {"1", "1"}, {"5", "785"}},
		"sets alone":       {{"78", ""}, {"5", "785"}, {"1", "1"}},
		"in the middle":    {{"1", ""}, {"6", ""}, {"785", "785"}},
		"no sets":          {{"5", ""}, {"1", ""}},
		"slices":           {{"7855", "7855"}, {"11", "11"}, {"61", "61"}},
		"nothing":          {{"", ""}},
	} {
		var a assembler
		for i, b := range c {
			var types []byte
			for _, k := range b.given {
				types = append(types, byte(k-'0'))
			}
			given := stream(types...)
			nals, key := a.take(given)
			clear(given) // the camera fills its buffer again
			if got := kinds(nals); got != b.want || key != (b.want != "" && b.want[0] == '7') {
				t.Errorf("%s, buffer %d: %q, key %v; want %q", name, i, got, key, b.want)
			}
		}
	}
}

func FuzzAccessUnits(f *testing.F) {
	f.Add(stream(7, 8, 5), stream(1))
	f.Add([]byte{0, 0, 1}, []byte{0, 0, 0, 1, 0})
	f.Fuzz(func(t *testing.T, first, second []byte) {
		var a assembler
		for _, data := range [][]byte{first, second} {
			nals, key := a.take(data)
			for _, n := range nals {
				if len(n) == 0 || bytes.Contains(n, []byte{0, 0, 1}) {
					t.Errorf("NAL unit %x", n)
				}
			}
			if key && kinds(nals)[:2] != "78" {
				t.Errorf("key frame %s", kinds(nals))
			}
		}
	})
}

func TestFourCC(t *testing.T) {
	if got := fmt.Sprint(fourCC(formatYUYV)); got != `"YUYV"` {
		t.Error(got)
	}
}
