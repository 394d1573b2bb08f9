package compile

import (
	"os"
	"strings"
	"testing"

	"doorstation/board"
)

func simFile(t *testing.T) []byte {
	t.Helper()
	raw, err := os.ReadFile("../sim.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestSimBoard(t *testing.T) {
	out, err := Compile("sim.yaml", simFile(t))
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.Parse(out)
	if err != nil {
		t.Fatal(err)
	}
	r, ok := b.Relay("door2")
	if !ok || r.Active != board.Low || r.MaxPulse.String() != "10s" {
		t.Errorf("door2 is %+v", r)
	}
	if len(b.Inputs) != 6 || len(b.Outputs) != 4 || len(b.Lamps) != 3 || b.Identity.MAC != "02:00:00:00:00:01" {
		t.Errorf("board is %+v", b)
	}
}

// TestFaultsHaveTheirPlace changes the simulated board in one place each.
func TestFaultsHaveTheirPlace(t *testing.T) {
	for _, c := range []struct{ old, new, want string }{
		{"model: sim-3b2d", "modell: sim", "sim.yaml:4: modell: unknown field, want one of name, model, identity, inputs, relays, lamps, outputs, sound, camera, compatible, tamper_block, watchdog"},
		{"model: sim-3b2d", "model: [a]", "sim.yaml:4: model: a list, want text"},
		{"model: sim-3b2d", "model: true", `sim.yaml:4: model: "true", want text`},
		{"model: sim-3b2d", "model:", `sim.yaml:4: model: nothing, want text`},
		{"model: sim-3b2d", "name: again", "sim.yaml:4: name: given twice, first in line 3"},
		{"model: sim-3b2d", "", "sim.yaml:3: model: missing, want printable text of at most 64 bytes"},
		{"line: DOOR2, active: low, max_pulse: 10s", "line: DOOR2, active: low, max_pulse: 61s", "sim.yaml:23: relays[1].max_pulse: 1m1s, want 100ms to 1m0s"},
		{"line: DOOR2, active: low, max_pulse: 10s", "line: DOOR2, active: low, max_pulse: 10", `sim.yaml:23: relays[1].max_pulse: "10", want a number with its unit, such as 250ms or 10s`},
		{"line: DOOR2, active: low, max_pulse: 10s", "line: DOOR2, active: low", "sim.yaml:23: relays[1].max_pulse: 0s, want 100ms to 1m0s"},
		{"line: DOOR2, active: low", "line: DOOR2, active: off", `sim.yaml:23: relays[1].active: "off", want high or low`},
		{"line: DOOR2", "line: DOOR1", `sim.yaml:23: relays[1].line: "sim DOOR1", want a value of its own; relays[0].line has it already`},
		{"line: DOOR2", "line: &x DOOR2", "sim.yaml:23: relays[1].line: anchors and aliases are not taken"},
		{"sound: {driver: sim}", "sound: sim", `sim.yaml:36: sound: "sim", want fields and their values`},
		{"lamps:", "lamps: {}\nx:", "sim.yaml:25: lamps: a group of fields, want a list"},
		{"camera: {driver: testcard}", "camera: {driver: testcard, max_fps: 010}", `sim.yaml:37: camera.max_fps: "010", want a whole number`},
		{"camera: {driver: testcard}", "camera: {driver: testcard, max_fps: fast}", `sim.yaml:37: camera.max_fps: "fast", want a whole number`},
		{"camera: {driver: testcard}", "camera: {device: x}", `sim.yaml:37: camera.driver: missing, want the driver of device "x"`},
		{"camera: {driver: testcard}", "camera: {driver: testcard}\n---\nname: x", "sim.yaml: want one document, something follows it"},
		{"name: sim", "name: [", "sim.yaml: yaml: line"},
	} {
		raw := strings.Replace(string(simFile(t)), c.old, c.new, 1)
		_, err := Compile("sim.yaml", []byte(raw))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%q: error\n  %v, want\n  %s", c.new, err, c.want)
		}
	}
	for _, raw := range []string{"", "# nothing", "- a", "x", strings.Repeat("#", maxFile+1)} {
		if _, err := Compile("b.yaml", []byte(raw)); err == nil || !strings.HasPrefix(err.Error(), "b.yaml") {
			t.Errorf("%.10q: %v", raw, err)
		}
	}
}

// TestTextStaysAsWritten is about numbers that YAML would read as others.
func TestTextStaysAsWritten(t *testing.T) {
	raw := strings.Replace(string(simFile(t)), `label: "1"`, "label: 012", 1)
	out, err := Compile("sim.yaml", []byte(raw))
	if err != nil {
		t.Fatal(err)
	}
	b, err := board.Parse(out)
	if err != nil || b.Inputs[0].Label != "012" {
		t.Errorf("label is %q, %v", b.Inputs[0].Label, err)
	}
}

func FuzzCompile(f *testing.F) {
	raw, err := os.ReadFile("../sim.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw)
	f.Add([]byte("name: &a [*a]"))
	f.Add([]byte("relays: [{max_pulse: 1h}]"))
	f.Add([]byte("{? {a: b} : c}"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		out, err := Compile("f.yaml", raw)
		if err != nil {
			return
		}
		if _, err := board.Parse(out); err != nil {
			t.Errorf("compiled to a board that is refused: %v", err)
		}
	})
}
