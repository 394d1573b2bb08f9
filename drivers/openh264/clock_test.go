//go:build cgo

package openh264_test

import (
	"bytes"
	"context"
	"log/slog"
	"os/exec"
	"testing"
	"time"

	"doorstation/drivers"
	"doorstation/drivers/openh264"
	"doorstation/drivers/testcard"
)

// cards is the test card without its rhythm: pictures come as fast as they are
// taken.
type cards struct{ count int }

func (c cards) Capture(ctx context.Context, f drivers.VideoFormat, deliver func(drivers.Picture)) error {
	draw := testcard.Drawer(f.Width, f.Height)
	for n := range c.count {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		deliver(draw(time.Duration(n) * time.Second / time.Duration(f.FPS)))
	}
	return nil
}

// The clock in the test card is what tests of the whole panel look at: a decoder
// that is not ours must give it back, also from a stream of few bits and when
// the receiver scales the picture.
func TestClockIsReadableAfterForeignDecoder(t *testing.T) {
	const count, w, h = 45, 320, 240
	ffmpeg, err := exec.LookPath("ffmpeg")
	if err != nil {
		t.Fatal("ffmpeg is missing; install it: sudo apt-get install ffmpeg")
	}
	coded := encodeCards(t, cards{count}, drivers.VideoFormat{Width: 640, Height: 480, FPS: 15, Bitrate: 128_000})
	cmd := exec.CommandContext(t.Context(), ffmpeg, "-loglevel", "error", "-f", "h264", "-i", "-",
		"-vf", "scale=320:240", "-fps_mode", "passthrough", "-pix_fmt", "yuv420p", "-f", "rawvideo", "-")
	var complaints bytes.Buffer
	cmd.Stdin, cmd.Stderr = bytes.NewReader(coded), &complaints
	raw, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("ffmpeg: %v: %s", err, complaints.String())
	}
	if len(raw) != count*w*h*3/2 {
		t.Fatalf("%d bytes decoded, want %d pictures", len(raw), count)
	}
	for n := range count {
		ms, ok := testcard.ReadClock(raw[n*w*h*3/2:], w, w, h)
		if want := uint32(n * 1000 / 15); !ok || ms != want {
			t.Errorf("picture %d: read %d ms, %v; drawn was %d ms", n, ms, ok, want)
		}
	}
}

func encodeCards(t *testing.T, raw drivers.RawCamera, f drivers.VideoFormat) []byte {
	t.Helper()
	var coded []byte
	camera := openh264.New(raw, slog.New(slog.DiscardHandler))
	err := camera.Stream(t.Context(), f, func(f drivers.Frame) {
		for _, n := range f.NALs {
			coded = append(append(coded, 0, 0, 0, 1), n...)
		}
		f.Release()
	})
	if err != nil {
		t.Fatal(err)
	}
	return coded
}

func TestProfileLevelID(t *testing.T) {
	for want, f := range map[string]drivers.VideoFormat{
		"42c016": {Width: 640, Height: 480, FPS: 15, Bitrate: 512_000},
		"42c01f": {Width: 1280, Height: 720, FPS: 15, Bitrate: 1_500_000},
	} {
		if got, err := openh264.ProfileLevelID(f); err != nil || got != want {
			t.Errorf("%dx%d: %q, %v; want %q", f.Width, f.Height, got, err, want)
		}
	}
}

// One operation is one picture of the test card at 640x480, drawn and encoded:
// times 15 it is the share of a core that the picture takes.
func BenchmarkTestcard640x480(b *testing.B) {
	b.ReportAllocs()
	camera := openh264.New(cards{b.N}, slog.New(slog.DiscardHandler))
	size := 0
	err := camera.Stream(b.Context(), drivers.VideoFormat{Width: 640, Height: 480, FPS: 15, Bitrate: 512_000}, func(f drivers.Frame) {
		for _, n := range f.NALs {
			size += len(n)
		}
		f.Release()
	})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(size)/float64(b.N), "coded-B/op")
}
