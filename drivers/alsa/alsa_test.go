//go:build cgo

package alsa

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gen2brain/malgo"

	"doorstation/drivers"
)

// nullBackend is a card of miniaudio's own that hears silence at the right
// pace. The library's name for it has the number of another one.
const nullBackend = malgo.BackendNull + 1

func TestDuplex(t *testing.T) {
	card := &Card{log: slog.New(slog.DiscardHandler), backend: nullBackend}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	frames := 0
	err := card.Run(ctx, func(mic, speaker []int16) {
		if len(mic) != drivers.FrameSamples || len(speaker) != drivers.FrameSamples {
			t.Errorf("%d samples heard, %d to play", len(mic), len(speaker))
		}
		if frames++; frames == 10 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) || frames < 10 {
		t.Errorf("%d frames, %v", frames, err)
	}
}

func TestNoCard(t *testing.T) {
	c := &Card{}
	if err := c.openError(malgo.ErrNoDevice); anyCard(soundCards) == errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("error %v, with a card: %v", err, anyCard(soundCards))
	}
	dir := t.TempDir()
	if anyCard(dir) || anyCard(dir+"/none") {
		t.Error("an empty folder has a sound card")
	}
	for _, name := range []string{"timer", "pcmC0D0p"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if anyCard(dir) != (name != "timer") {
			t.Errorf("with %s: %v", name, anyCard(dir))
		}
	}
}

func TestLongName(t *testing.T) {
	card := &Card{device: strings.Repeat("x", 256), log: slog.New(slog.DiscardHandler), backend: nullBackend}
	if err := card.Run(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "limit 255") {
		t.Error(err)
	}
}

func TestCardEnds(t *testing.T) {
	for name, end := range map[string]func(beats, stopped chan struct{}, stop context.CancelFunc){
		"unplugged":    func(_, stopped chan struct{}, _ context.CancelFunc) { stopped <- struct{}{} },
		"stands still": func(_, _ chan struct{}, _ context.CancelFunc) {},
		"told to":      func(_, _ chan struct{}, stop context.CancelFunc) { stop() },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				beats, stopped := make(chan struct{}), make(chan struct{})
				ended := make(chan error, 1)
				began := time.Now()
				go func() { ended <- attend(ctx, beats, stopped) }()
				for range 100 {
					time.Sleep(patience - time.Millisecond)
					beats <- struct{}{}
				}
				end(beats, stopped, stop)
				err := <-ended
				if want := name != "told to"; errors.Is(err, errStopped) != want {
					t.Errorf("ended with %v", err)
				}
				if lived := time.Since(began); lived < 100*(patience-time.Millisecond) {
					t.Errorf("ended after %v already", lived)
				}
			})
		})
	}
}

// TestFramer sends a ramp through an exchange that echoes it: whatever the card
// brings at once, it comes out whole and in order once it has begun.
func TestFramer(t *testing.T) {
	for _, sizes := range [][]int{{160}, {80}, {320}, {480}, {1}, {100}, {159}, {161}, {441}, {7, 300, 160}} {
		f := newFramer(func(mic, speaker []int16) {
			if speaker[0] != 0 {
				t.Error("the speaker's frame is not silent at first")
			}
			copy(speaker, mic)
		})
		var next, wanted int16 = 1, 1
		total, silent := 0, 0
		for i := 0; total < 20000; i++ {
			in := make([]int16, sizes[i%len(sizes)])
			out := make([]int16, len(in))
			for j := range in {
				in[j] = next
				next++
			}
			out[0] = 99 // what the card had there before
			f.pass(in, out)
			total += len(in)
			for _, s := range out {
				if s == 0 {
					silent++
					continue
				}
				if s != wanted {
					t.Fatalf("pieces of %v: sample %d, want %d", sizes, s, wanted)
				}
				wanted++
			}
		}
		if silent >= drivers.FrameSamples || sizes[0]%drivers.FrameSamples == 0 && silent != 0 {
			t.Errorf("pieces of %v: %d samples of silence, want less than one frame, and none for whole frames", sizes, silent)
		}
	}
}
