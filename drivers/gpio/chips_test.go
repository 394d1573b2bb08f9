package gpio

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstation/drivers"
)

func TestFind(t *testing.T) {
	list := []chip{
		{path: "/dev/gpiochip0", name: "gpiochip0", label: "9030000.pl061", lines: []string{"BUTTON1", "", "TWICE", "gpiochip1:1"}},
		{path: "/dev/gpiochip1", name: "gpiochip1", label: "same", lines: []string{"DOOR1", "TWICE", "A:B"}},
		{path: "/dev/gpiochip2", name: "gpiochip2", label: "same", lines: []string{"", ""}},
	}
	for want, at := range map[string]place{
		"BUTTON1":         {"/dev/gpiochip0", 0},
		"DOOR1":           {"/dev/gpiochip1", 0},
		"A:B":             {"/dev/gpiochip1", 2},
		"gpiochip2:1":     {"/dev/gpiochip2", 1},
		"9030000.pl061:1": {"/dev/gpiochip0", 1},
	} {
		if got, err := find(list, want); err != nil || got != at {
			t.Errorf("%s: found %v, %v; want %v", want, got, err, at)
		}
	}
	for _, want := range []string{"DOOR2", "gpiochip3:0", "gpiochip2:2", "gpiochip2:-1", ":0", "gpiochip2:", "gpiochip2:4294967296"} {
		if at, err := find(list, want); !errors.Is(err, drivers.ErrAbsent) {
			t.Errorf("%s: found %v, %v; want ErrAbsent", want, at, err)
		}
	}
	for _, want := range []string{"TWICE", "same:0", "gpiochip1:1"} {
		if at, err := find(list, want); err == nil || errors.Is(err, drivers.ErrAbsent) || !strings.Contains(err.Error(), "ambiguous") {
			t.Errorf("%s: found %v, %v; want it refused as ambiguous", want, at, err)
		}
	}
}

func TestChipsOfAFolder(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"gpiochip0", "gpiomem", "null"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	list, err := chips(dir) // a plain file answers no ioctl
	if len(list) != 0 || err == nil || !strings.Contains(err.Error(), "gpiochip0") || strings.Contains(err.Error(), "gpiomem") {
		t.Errorf("chips %v, %v", list, err)
	}
}

func TestNoLine(t *testing.T) {
	if _, err := OpenOutput("no such line", false, PushPull); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("output: %v, want ErrAbsent", err)
	}
	if _, err := OpenLamp("no such line", false, PushPull, false); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("lamp: %v, want ErrAbsent", err)
	}
	var said []Notice
	in := Inputs{Lines: []InputLine{{Name: "b", Line: "no such line"}}, Notice: func(n Notice) { said = append(said, n) }}
	if err := in.Watch(t.Context(), nil); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("inputs: %v, want ErrAbsent", err)
	}
	if len(said) != 1 || said[0].Input != "b" || said[0].What != NoticeAbsent {
		t.Errorf("notices %v", said)
	}
}
