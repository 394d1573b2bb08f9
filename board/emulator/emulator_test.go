package emulator

import (
	"os"
	"testing"
)

func TestTry(t *testing.T) {
	m, err := Boot(t.Context(), Options{Board: os.Getenv("B"), Console: os.Stdout})
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	m.Run(t.Context(), "ls -l /sys/class/gpio; cat /sys/kernel/debug/gpio; ls /sys/class/leds /sys/class/watchdog; date; ls /sys/class/gpio/*/; cat /sys/class/gpio/*/label")
}
