package station

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
	"doorstation/drivers"
)

// TestAbsentPartIsSaidOnce has a sound card that is plugged in after half a
// minute, and later breaks: silence in between, and no word of what goes on.
func TestAbsentPartIsSaidOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		h := &hardware{opt: Options{Log: slog.New(slog.NewTextHandler(&log, nil))}}
		began, broken := time.Now(), errors.New("broken")
		frames := 0
		err := h.whenFitted(t.Context(), "sound", func(context.Context) error {
			if time.Since(began) < 30*time.Second {
				return fmt.Errorf("no card: %w", drivers.ErrAbsent)
			}
			return broken
		}, silence(func(mic, speaker []int16) { frames++ }))
		if err != broken {
			t.Errorf("ended with %v", err)
		}
		if said := strings.Count(log.String(), "part not fitted"); said != 1 {
			t.Errorf("said %d times:\n%s", said, log.String())
		}
		if want := int(30 * time.Second / drivers.FrameTime); frames < want-10 || frames > want {
			t.Errorf("%d frames of silence in half a minute, want about %d", frames, want)
		}
	})
}

func TestUnknownDriverIsAbsent(t *testing.T) {
	h := &hardware{opt: Options{Board: &board.Board{Sound: board.Sound{Driver: "horn"}}}}
	if err := h.sound(t.Context(), nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("sound: %v", err)
	}
	if err := h.watch(t.Context(), board.Input{Driver: "horn"}, nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("inputs: %v", err)
	}
}

// TestWordsOfBoards checks that every word a board file may use is translated.
func TestWordsOfBoards(t *testing.T) {
	for _, p := range []board.Pull{"", board.PullUp, board.PullDown, board.PullNone} {
		if _, ok := pulls[p]; !ok {
			t.Errorf("pull %q", p)
		}
	}
	for _, d := range []board.Drive{"", board.PushPull, board.OpenDrain, board.OpenSource} {
		if _, ok := drives[d]; !ok {
			t.Errorf("drive %q", d)
		}
	}
}
