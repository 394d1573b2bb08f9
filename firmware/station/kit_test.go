package station

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
	"doorstation/drivers"
)

// TestAbsentPartIsLookedForAgain has an input that is plugged in after half a
// minute, and later breaks.
func TestAbsentPartIsLookedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, broken := time.Now(), errors.New("broken")
		var mu sync.Mutex
		var told []string
		h := &hardware{fitted: func(name string, err error) {
			mu.Lock()
			defer mu.Unlock()
			told = append(told, fmt.Sprint(time.Since(began), " ", name, " ", err))
		}}
		err := h.whenFitted(t.Context(), "input leaf", func(context.Context) error {
			if time.Since(began) < 12*time.Second {
				return fmt.Errorf("no line: %w", drivers.ErrAbsent)
			}
			time.Sleep(time.Minute)
			return broken
		})
		if err != broken {
			t.Errorf("ended with %v", err)
		}
		mu.Lock()
		defer mu.Unlock()
		want := []string{"0s input leaf no line: not fitted", "5s input leaf no line: not fitted", "10s input leaf no line: not fitted", "15.2s input leaf <nil>"}
		if !slices.Equal(told, want) {
			t.Errorf("told %q, want %q", told, want)
		}
	})
}

func TestUnknownDriverIsAbsent(t *testing.T) {
	h := &hardware{inputs: newMuster(nil), opt: Options{Board: &board.Board{Sound: board.Sound{Driver: "horn"}}}}
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
