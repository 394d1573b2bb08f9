package chips_test

import (
	"path/filepath"
	"syscall"
	"testing"

	"doorstation/board/detect/chips"
)

func TestFind(t *testing.T) {
	list := []chips.Chip{
		{Name: "gpiochip0", Label: "pinctrl-bcm2835", Lines: []chips.Line{{Number: 0}, {Number: 1, Name: "GPIO1"}, {Number: 2, Name: "TWICE"}}},
		{Name: "gpiochip1", Label: "GPIOE", Lines: []chips.Line{{Number: 0, Name: "TWICE"}, {Number: 1, User: "led"}}},
	}
	for want, at := range map[string]string{
		"GPIO1": "gpiochip0 1", "gpiochip0:0": "gpiochip0 0", "GPIOE:1": "gpiochip1 1", "pinctrl-bcm2835:2": "gpiochip0 2",
		"TWICE": "", "": "", "GPIOE:2": "", "GPIOE": "", ":1": "", "gpiochip0:01": "",
	} {
		chip, line, ok := chips.Find(list, want)
		got := ""
		if ok {
			got = chip.Name + " " + string(rune('0'+line.Number))
		}
		if got != at {
			t.Errorf("line %q is at %q, want %q", want, got, at)
		}
	}
}

// TestList holds for any machine: it has chips where the kernel has devices,
// and file 0 is what it was.
func TestList(t *testing.T) {
	var before, after syscall.Stat_t
	if err := syscall.Fstat(0, &before); err != nil {
		t.Fatal(err)
	}
	list, err := chips.List()
	devices, _ := filepath.Glob("/dev/gpiochip*")
	if len(devices) == 0 && (len(list) > 0 || err != nil) {
		t.Errorf("chips %v, %v without devices", list, err)
	}
	if len(devices) > 0 && (len(list) == 0) != (err != nil) {
		t.Errorf("%d devices: chips %v, %v", len(devices), list, err)
	}
	if err := syscall.Fstat(0, &after); err != nil || before.Ino != after.Ino {
		t.Errorf("file 0 is another one: %v", err)
	}
}
