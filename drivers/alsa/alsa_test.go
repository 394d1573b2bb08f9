//go:build cgo

package alsa

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"doorstation/drivers"
)

const (
	again = -int(syscall.EAGAIN)
	xrun  = -int(syscall.EPIPE)
	gone  = -int(syscall.ENODEV)
)

// A card is one direction of a sound card in memory. As a microphone it hears a
// ramp, in pieces of piece samples at most; as a speaker it keeps what it gets.
type card struct {
	speaker bool
	piece   int
	faults  map[int]int // codes that move gives, by its count from 0
	ready   bool        // what wait says of a card that gives nothing
	mute    bool        // it gives nothing
	moves   int
	starts  int
	waits   int
	ramp    int16
	played  []int16
}

func (c *card) move(samples []int16) int {
	n := c.moves
	c.moves++
	if code, bad := c.faults[n]; bad {
		return code
	}
	if c.mute {
		return again
	}
	if c.speaker {
		c.played = append(c.played, samples...)
		return len(samples)
	}
	samples = samples[:min(c.piece, len(samples))]
	for i := range samples {
		c.ramp++
		samples[i] = c.ramp
	}
	return len(samples)
}

func (c *card) wait(time.Duration) int {
	c.waits++
	if c.ready {
		return 1
	}
	return 0
}

func (c *card) start() int { c.starts++; return 0 }
func (c *card) holds() int { return depth * drivers.FrameSamples }

func (c *card) recover(code int) int {
	if code == xrun {
		return 0
	}
	return code
}

func newDuplex(mic, speaker *card) *duplex {
	if mic.piece == 0 {
		mic.piece = drivers.FrameSamples
	}
	speaker.speaker = true
	return &duplex{mic: mic, speaker: speaker, describe: func(code int) error { return fmt.Errorf("code %d", code) }}
}

// exchanged runs a duplex for so many frames, which echo what is heard.
func exchanged(t *testing.T, d *duplex, frames int) error {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	return d.run(ctx, func(heard, spoken []int16) {
		if len(heard) != drivers.FrameSamples || len(spoken) != drivers.FrameSamples || spoken[0] != 0 {
			t.Errorf("%d samples heard, %d to be spoken, the first is %d", len(heard), len(spoken), spoken[0])
		}
		copy(spoken, heard)
		if frames--; frames == 0 {
			stop()
		}
	})
}

// Whatever pieces a card brings at once, the frames are whole and in order, and
// before the first one there is silence.
func TestDuplexEchoes(t *testing.T) {
	for _, piece := range []int{160, 80, 1000, 1, 159, 161, 7} {
		mic, speaker := &card{piece: piece}, &card{}
		if err := exchanged(t, newDuplex(mic, speaker), 5); !errors.Is(err, context.Canceled) {
			t.Errorf("pieces of %d: %v", piece, err)
		}
		want := make([]int16, 2*drivers.FrameSamples)
		for i := range int16(5 * drivers.FrameSamples) {
			want = append(want, i+1)
		}
		if !slices.Equal(speaker.played, want) {
			t.Errorf("pieces of %d: %d samples are played, want silence of two frames and the five that were heard", piece, len(speaker.played))
		}
	}
}

func TestDuplexFaults(t *testing.T) {
	for name, c := range map[string]struct {
		mic, speaker card
		lost         bool
		starts       int // of the microphone
		played       int // frames, those of silence too
	}{
		"no fault":                        {starts: 1, played: 7},
		"microphone waits":                {mic: card{faults: map[int]int{2: again}}, starts: 1, played: 7},
		"microphone overruns":             {mic: card{faults: map[int]int{2: xrun}}, starts: 2, played: 7},
		"microphone is unplugged":         {mic: card{faults: map[int]int{2: gone}}, starts: 1, played: 4, lost: true},
		"speaker runs dry":                {speaker: card{faults: map[int]int{2: xrun}}, starts: 1, played: 9},
		"speaker is full":                 {speaker: card{faults: map[int]int{2: again}}, starts: 1, played: 6},
		"speaker is unplugged":            {speaker: card{faults: map[int]int{2: gone}}, starts: 1, played: 3, lost: true},
		"speaker is unplugged at first":   {speaker: card{faults: map[int]int{0: gone}}, starts: 1, lost: true},
		"microphone stands still":         {mic: card{mute: true}, starts: 1, played: 2, lost: true},
		"microphone is ready for nothing": {mic: card{mute: true, ready: true}, starts: 1, played: 2, lost: true},
	} {
		t.Run(name, func(t *testing.T) {
			err := exchanged(t, newDuplex(&c.mic, &c.speaker), 5)
			if errors.Is(err, errStopped) != c.lost || errors.Is(err, context.Canceled) == c.lost {
				t.Errorf("ended with %v; lost: want %v", err, c.lost)
			}
			if c.mic.starts != c.starts {
				t.Errorf("the microphone was started %d times, want %d", c.mic.starts, c.starts)
			}
			if got := len(c.speaker.played) / drivers.FrameSamples; got != c.played {
				t.Errorf("%d frames were played, want %d", got, c.played)
			}
			if most := int(patience / time.Millisecond); c.mic.waits > most {
				t.Errorf("waited %d times, want %d at most", c.mic.waits, most)
			}
		})
	}
}

// A card that is waited for again and again is not one that stands still.
func TestDuplexWaitsForEachFrame(t *testing.T) {
	const frames = 2 * int(patience/glance)
	mic, speaker := &card{faults: make(map[int]int)}, &card{}
	for i := range frames {
		mic.faults[2*i] = again
	}
	if err := exchanged(t, newDuplex(mic, speaker), frames); !errors.Is(err, context.Canceled) || mic.waits != frames {
		t.Errorf("waited %d times, want %d; %v", mic.waits, frames, err)
	}
}

// The library's own card of no sound, where there is the library.
func TestLibrary(t *testing.T) {
	lib, err := loadLibrary()
	if err != nil {
		if err := New("null", slog.New(slog.DiscardHandler)).Run(t.Context(), nil); !errors.Is(err, drivers.ErrAbsent) {
			t.Errorf("without the library: %v, want ErrAbsent", err)
		}
		return
	}
	lib.close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	count := 0
	err = New("null", slog.New(slog.DiscardHandler)).Run(ctx, func(mic, speaker []int16) {
		if count++; count == 10 {
			stop()
		}
	})
	if !errors.Is(err, context.Canceled) || count < 10 {
		t.Errorf("%d frames, %v", count, err)
	}
	err = New("plughw:CARD=NoSuchCard", slog.New(slog.DiscardHandler)).Run(t.Context(), nil)
	if err == nil || anyCard(soundCards) == errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("no such card: %v", err)
	}
}

func TestAnyCard(t *testing.T) {
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
