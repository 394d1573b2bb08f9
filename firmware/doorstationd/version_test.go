package main

import (
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestVersionSaysWhatIsMissing(t *testing.T) {
	var out strings.Builder
	tell(&out, "v1.2", []string{"H.264 encoder", "sound"})
	if want := "doorstationd v1.2\nlacks: H.264 encoder\nlacks: sound\n"; out.String() != want {
		t.Errorf("told %q, want %q", out.String(), want)
	}
}

func TestVersionNeedsNoPanel(t *testing.T) {
	if _, err := options([]string{"-version"}, io.Discard); !errors.Is(err, errTold) {
		t.Errorf("options: %v, want %v", err, errTold)
	}
}

func TestBuiltAt(t *testing.T) {
	for seconds, want := range map[string]time.Time{
		"1795348800": time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC), "0": {}, "-1": {}, "": {}, "today": {},
	} {
		if got := builtAt(seconds); !got.Equal(want) {
			t.Errorf("%q is %v, want %v", seconds, got, want)
		}
	}
}
