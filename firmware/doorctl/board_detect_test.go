package main

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"doorstation/board"
	"doorstation/board/detect"
	"doorstation/board/detect/chips"
)

func TestDetectAmong(t *testing.T) {
	soc := &board.Board{Name: "any-3", Compatible: []string{"acme,soc"}}
	panel := &board.Board{
		Name: "panel-3", Compatible: []string{"acme,panel-3"},
		Inputs: []board.Input{{Name: "button1", Driver: "gpio", Line: "B1"}, {Name: "far", Driver: "sim", Line: "F"}},
		Relays: []board.Relay{{Name: "door1", Driver: "gpio", Line: "acme:4"}},
		Lamps:  []board.Lamp{{Name: "open", Driver: "gpio", Line: "NONE"}},
	}
	list := []chips.Chip{{Name: "gpiochip0", Label: "acme", Lines: []chips.Line{{Number: 3, Name: "B1"}, {Number: 4, User: "led"}}}}
	m := detect.Machine{Model: "Panel", Compatible: []string{"acme,panel-3", "acme,soc"}}

	d := detectAmong(m, list, []*board.Board{soc, panel, {Name: "other", Compatible: []string{"other"}}})
	var out bytes.Buffer
	if err := d.write(&out); err != nil {
		t.Fatal(err)
	}
	want := `machine   Panel (acme,panel-3, acme,soc)
board     panel-3 fits, by acme,panel-3
board     any-3 fits, by acme,soc
chip      gpiochip0 (acme), lines: 2, in use: 1
line      button1 is B1: gpiochip0:3
line      door1 is acme:4: gpiochip0:4, in use by led
line      open is NONE: not on this machine
`
	if out.String() != want {
		t.Errorf("it says\n%s\nwant\n%s", out.String(), want)
	}
	if d := detectAmong(m, list, []*board.Board{{Name: "other"}}); len(d.Fits) > 0 || d.Lines != nil {
		t.Errorf("%+v fits", d)
	}
}

// TestBoardDetect runs the command on this machine, whatever it is.
func TestBoardDetect(t *testing.T) {
	code, out, says := doorctl(t, "board", "detect", "-json", "-board", "../../board/sim.yaml")
	var d detected
	if err := json.Unmarshal([]byte(out), &d); err != nil || code != exitFailed || len(d.Fits) > 0 || d.Fits == nil {
		t.Errorf("the simulated panel names no machine: %d %v %s", code, err, out)
	}
	if !strings.Contains(says, "none of 1 board files") && !strings.Contains(says, "GPIO chips") {
		t.Errorf("it says %q", says)
	}
	if _, out, _ := doorctl(t, "board", "detect"); !strings.HasPrefix(out, "machine   ") {
		t.Errorf("all boards: %q", out)
	}
}

func TestBoardDraw(t *testing.T) {
	want, err := os.ReadFile("../../board/nanopi-neo.svg")
	if err != nil {
		t.Fatal(err)
	}
	if code, out, says := doorctl(t, "board", "draw", "../../board/nanopi-neo.yaml"); code != exitDone || out != string(want) {
		t.Errorf("%d %s, drawn otherwise than in board/", code, says)
	}
	if code, _, _ := doorctl(t, "board", "draw", "none.yaml"); code != exitFailed {
		t.Errorf("no file: %d", code)
	}
}

// TestBuildKnowsAllBoards compiles every board file of the build.
func TestBuildKnowsAllBoards(t *testing.T) {
	all, err := (&tool{}).boards()
	if err != nil || len(all) < 10 {
		t.Errorf("%d boards, %v", len(all), err)
	}
	seen := make(map[string]string)
	for _, b := range all {
		for _, c := range b.Compatible {
			if other := seen[c]; other != "" {
				t.Errorf("%s and %s both claim %s", b.Name, other, c)
			}
			seen[c] = b.Name
		}
	}
}
