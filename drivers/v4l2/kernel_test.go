//go:build board

package v4l2

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/board/emulator"
	"doorstation/drivers"

	"golang.org/x/sys/unix"
)

// roleVariable tells this test program, in a guest, to film with the kernel's
// vivid. Lines that begin with "emu: " reach the host as marks.
const roleVariable = "V4L2_TEST_ROLE"

// disconnect is the control of vivid that pulls its plug (vivid-core.h).
const disconnect = 0x00f0f041

const framesInTest = 10

func TestMain(m *testing.M) {
	if os.Getenv(roleVariable) == "" {
		os.Exit(m.Run())
	}
	for _, format := range []uint32{formatYU12, formatNV12, formatYUYV} {
		if err := film(format); err != nil {
			fmt.Printf("emu: format %s failed: %v\n", fourCC(format), err)
		}
	}
	fmt.Printf("emu: unplugged: %v\n", unplug())
}

// film takes some pictures in one format and says what they are like.
func film(format uint32) error {
	preferred = []uint32{format}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	frames, first, last := 0, time.Duration(0), time.Duration(0)
	err := New("", slog.New(slog.DiscardHandler)).Capture(ctx, drivers.VideoFormat{Width: 320, Height: 180, FPS: 5}, func(p drivers.Picture) {
		if frames == 0 {
			first = p.At
			// Of the eight bars (75 %, BT.601) the last are red, blue and black; its
			// own text covers the others.
			fmt.Printf("emu: format %s %dx%d", fourCC(format), p.Width, p.Height)
			for _, bar := range []int{5, 6, 7} {
				x, y := p.Width*bar/8+p.Width/16, p.Height*3/4
				at := y/2*(p.Width/2) + x/2
				fmt.Printf(" %d %d %d", p.Y[y*p.Width+x], p.U[at], p.V[at])
			}
			fmt.Println()
		}
		last = p.At
		if frames++; frames == framesInTest {
			stop()
		}
	})
	fmt.Printf("emu: rate of %s: %d frames in %v\n", fourCC(format), frames-1, last-first)
	if errors.Is(err, context.Canceled) {
		return nil
	}
	return err
}

// unplug pulls the plug in the middle of a stream, and says how that ends.
func unplug() error {
	hand, err := unix.Open(DefaultDevice, unix.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer unix.Close(hand)
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	return New("", slog.New(slog.DiscardHandler)).Capture(ctx, drivers.VideoFormat{Width: 320, Height: 180, FPS: 5}, func(drivers.Picture) {
		(&device{kernel: linux{}, fd: hand}).setControl(disconnect, 1)
	})
}

func TestVivid(t *testing.T) {
	for _, board := range emulator.Boards() {
		t.Run(board, func(t *testing.T) {
			program := filepath.Join(t.TempDir(), "v4l2.test")
			build := exec.Command("go", "test", "-c", "-tags", "board", "-ldflags", "-s -w", "-o", program, ".")
			build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+map[string]string{"armhf": "arm", "arm64": "arm64"}[emulator.Arch(board)])
			if out, err := build.CombinedOutput(); err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			m, err := emulator.Boot(t.Context(), emulator.Options{Board: board, Files: []emulator.File{{Path: "/bin/v4l2.test", From: program}}})
			if err != nil {
				t.Fatal(err)
			}
			defer m.Close()
			mark := func(prefix string) string {
				t.Helper()
				ctx, stop := context.WithTimeout(t.Context(), emulator.BootTime)
				defer stop()
				k, err := m.Mark(ctx, prefix, 0)
				if err != nil {
					t.Fatalf("%q: %v\n%s", prefix, err, m.Console())
				}
				return k.Text
			}
			mark("ready")
			if err := m.Tell(roleVariable + "=film v4l2.test >/dev/console 2>&1"); err != nil {
				t.Fatal(err)
			}
			for _, format := range []uint32{formatYU12, formatNV12, formatYUYV} {
				said := mark("format " + fourCC(format))
				want := fmt.Sprintf("format %s 320x180 64 99 211 34 211 114 16 128 128", fourCC(format))
				if said != want {
					t.Errorf("%s; want %s", said, want)
				}
				t.Log(said, "-", mark("rate of "+fourCC(format)))
			}
			if said := mark("unplugged"); !strings.HasSuffix(said, "no such device") {
				t.Error(said)
			}
		})
	}
}
