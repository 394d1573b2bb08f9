//go:build board

package emulator

import (
	"context"
	"testing"
)

// A watchdog that is opened and not fed resets the board, and we hear of it.
// The 32-bit virt machine has none: Debian's kernel for it lacks the driver.
func TestWatchdogResets(t *testing.T) {
	for _, board := range []string{"qemu-virt-arm64", "imx6ul-evk"} {
		t.Run(board, func(t *testing.T) {
			m := boot(t, Options{Board: board})
			out, code, err := m.Run(t.Context(), "watchdog -T 5 -t 1000 /dev/watchdog0 && echo armed")
			if err != nil || code != 0 || out != "armed" {
				t.Fatalf("arming: %q, %d, %v", out, code, err)
			}
			ctx, cancel := context.WithTimeout(t.Context(), BootTime)
			defer cancel()
			fired, err := m.Event(ctx, "WATCHDOG", 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := m.Event(ctx, "RESET", 0); err != nil {
				t.Fatal(err)
			}
			t.Logf("fired %v after power-on: %v", fired.At.Sub(m.Started), fired.Data)
			if _, err := m.Mark(ctx, "ready", 1); err != nil {
				t.Error(err)
			}
		})
	}
}
