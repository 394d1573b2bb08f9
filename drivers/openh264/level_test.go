//go:build cgo

package openh264

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"doorstation/drivers"
	"doorstation/drivers/annexb"
)

// sent is what the encoder sends for a format, asked of itself.
func sent(t *testing.T, f drivers.VideoFormat) string {
	t.Helper()
	e, err := newEncoder(f.Width, f.Height, f)
	if err != nil {
		t.Fatal(err)
	}
	defer e.close()
	grey := bytes.Repeat([]byte{128}, f.Width*f.Height)
	coded, err := e.encode(drivers.Picture{Width: f.Width, Height: f.Height, Y: grey, U: grey[:len(grey)/4], V: grey[:len(grey)/4]})
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range annexb.Split(nil, coded) {
		if n[0]&0x1F == typeSPS && len(n) > 4 {
			return hex.EncodeToString(n[1:4])
		}
	}
	t.Fatalf("%+v: no sequence parameter set", f)
	return ""
}

// What is told without the encoder is what the encoder sends: at both sides of
// each bound, of cameras that there are.
func TestLevelIsTheEncoders(t *testing.T) {
	told := map[string]bool{}
	for _, size := range [][2]int{
		{64, 48}, {176, 144}, {320, 240}, {352, 288}, {352, 576}, {640, 360}, {640, 480}, {720, 576},
		{960, 540}, {1024, 768}, {1280, 720}, {1280, 960}, {1920, 64}, {1920, 1080},
	} {
		for _, fps := range []int{5, 15, 16, 25, 30, 60} {
			for _, kbps := range []int{64, 128, 512, 1000, 4799, 4801, 12001, 25000} {
				f := drivers.VideoFormat{Width: size[0], Height: size[1], FPS: fps, Bitrate: 1000 * kbps}
				got, err := ProfileLevelID(f)
				if err != nil {
					t.Errorf("%+v: %v", f, err)
					continue
				}
				if told[got] && kbps != 512 {
					continue // an encoder for each would take a minute
				}
				told[got] = true
				if want := sent(t, f); got != want {
					t.Errorf("%+v: told %s, and the encoder sends %s", f, got, want)
				}
			}
		}
	}
	for _, l := range levels {
		if !told[l.id] {
			t.Errorf("nothing has the level %s", l.id)
		}
	}
}

func TestLevelOfWhatCannotBeCoded(t *testing.T) {
	for want, f := range map[string]drivers.VideoFormat{
		"above level 4.2":        {Width: 1920, Height: 1088, FPS: 120, Bitrate: 1_000_000},
		"must be even":           {Width: 641, Height: 480, FPS: 15, Bitrate: 512_000},
		"at least 16":            {Width: 0, Height: 0, FPS: 15, Bitrate: 512_000},
		"90000000 bits a second": {Width: 640, Height: 480, FPS: 15, Bitrate: 90_000_000},
	} {
		if id, err := ProfileLevelID(f); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %q, %v; want %q", f, id, err, want)
		}
	}
}
