package watchdog

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"doorstation/drivers"
)

func TestAbsent(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "watchdog0"), time.Second); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("error %v, want ErrAbsent", err)
	}
}

// TestNoWatchdog is about a device that is something else: it is let go in the
// way that stops a watchdog.
func TestNoWatchdog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	// ENOTTY, or what the emulator for programs says.
	if _, err := Open(path, 10*time.Second); err == nil || errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("error %v, want one that is not ErrAbsent", err)
	}
	if raw, err := os.ReadFile(path); string(raw) != "V" {
		t.Errorf("it was given %q, want V; %v", raw, err)
	}
}
