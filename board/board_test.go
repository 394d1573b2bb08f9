package board_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorstation/board"
)

// good is a board in JSON that the tests change in one place.
const good = `{
  "name": "test", "model": "t1",
  "identity": {"serial": "T-1", "mac": "02:00:00:00:00:01"},
  "inputs": [
    {"name": "button1", "driver": "gpio", "line": "B1", "active": "low", "debounce": "20ms", "pull": "up", "stuck_after": "1m"},
    {"name": "exit", "driver": "gpio", "line": "EXIT", "active": "low", "opens": "door1", "opens_for": "3s"},
    {"name": "cover", "driver": "gpio", "line": "COVER", "active": "high", "tamper": true},
    {"name": "leaf", "driver": "gpio", "line": "LEAF", "active": "low", "contact": "door1"},
    {"name": "bell", "driver": "gpio", "line": "BELL", "active": "low", "long_press": "3s"}
  ],
  "tamper_block": "30m", "compatible": ["acme,panel-1", "acme,soc"],
  "watchdog": {"device": "/dev/watchdog0", "timeout": "10s"},
  "outputs": [{"name": "ir", "role": "ir-lamp", "driver": "gpio", "line": "IR", "active": "high"}],
  "relays": [
    {"name": "door1", "driver": "gpio", "line": "R1", "active": "high", "max_pulse": "10s"},
    {"name": "door2", "driver": "gpio", "line": "R2", "active": "low", "drive": "open-drain", "max_pulse": "1s"},
    {"name": "gate", "driver": "led", "line": "panel:gate", "active": "high", "max_pulse": "5s"}
  ],
  "lamps": [{"name": "calling", "driver": "gpio", "line": "L1", "active": "high"}],
  "sound": {"driver": "alsa", "device": "hw:0"}, "camera": {"driver": "v4l2", "device": "/dev/video0", "max_width": 640, "max_height": 480, "max_fps": 15}
}`

func TestParse(t *testing.T) {
	b, err := board.Parse([]byte(good))
	if err != nil {
		t.Fatal(err)
	}
	if b.Inputs[1].Opens != "door1" || b.Inputs[1].OpensFor.Time().Seconds() != 3 || b.Relays[1].Active != board.Low {
		t.Errorf("parsed %+v", b)
	}
	if _, ok := b.Relay("door3"); ok {
		t.Error("there is a relay door3")
	}
}

func TestParseRefuses(t *testing.T) {
	for _, c := range []struct {
		old, new string
		path     string // of the fault, if the fault is a value
		says     string
	}{
		{`"model": "t1",`, ``, "model", "missing"},
		{`"name": "test"`, `"name": "Test"`, "name", "a-z"},
		{`"name": "test"`, `"nam": "test"`, "", `unknown field "nam"`},
		{`"model": "t1"`, `"model": 5`, "", "model"},
		{`"pull": "up"`, `"pull": "left"`, "inputs[0].pull", `"left", want up, down or none`},
		{`"1m"`, `"9s"`, "inputs[0].stuck_after", "10s to 1h"},
		{`"open-drain"`, `"open"`, "relays[1].drive", "open-source"},
		{`"20ms"`, `"2s"`, "inputs[0].debounce", "0s to 1s"},
		{`"20ms"`, `20`, "", "debounce"},
		{`"20ms"`, `"quick"`, "", "no duration"},
		{`"max_pulse": "10s"`, `"max_pulse": "61s"`, "relays[0].max_pulse", "1m1s, want 100ms to 1m0s"},
		{`"max_pulse": "1s"`, `"max_pulse": "99ms"`, "relays[1].max_pulse", "100ms to 1m0s"},
		{`"max_pulse": "1s"`, `"max_pulse": "-1s"`, "relays[1].max_pulse", "100ms to 1m0s"},
		{`, "max_pulse": "1s"`, ``, "relays[1].max_pulse", "0s, want"},
		{`"active": "high", "max_pulse"`, `"active": "up", "max_pulse"`, "relays[0].active", `"up", want high or low`},
		{`"opens": "door1"`, `"opens": "door9"`, "inputs[1].opens", "relay of this board"},
		{`"opens_for": "3s"`, `"opens_for": "11s"`, "inputs[1].opens_for", "100ms to 10s"},
		{`"opens": "door1", `, ``, "inputs[1].opens_for", "nothing without opens"},
		{`"name": "exit"`, `"name": "button1"`, "inputs[1].name", "inputs[0].name has it already"},
		{`"name": "exit"`, `"name": "door1"`, "relays[0].name", "inputs[1].name has it already"},
		{`"line": "EXIT"`, `"line": "R2"`, "relays[1].line", "inputs[1].line has it already"},
		{`"line": "R1"`, `"line": ""`, "relays[0].line", "missing"},
		{`"line": "R1"`, `"line": "R1", "terminal": "X\t1"`, "relays[0].terminal", "printable"},
		{`"line": "R1"`, `"line": "R\n1"`, "relays[0].line", "printable"},
		{`"name": "calling"`, `"name": "party"`, "lamps[0].name", "calling, talking, open, trouble"},
		{`"driver": "alsa", `, ``, "sound.driver", "missing"},
		{`"serial": "T-1"`, `"serial": "T-1", "serial_file": "/s"`, "identity.serial_file", "only one"},
		{`"serial": "T-1", `, ``, "identity.serial", "missing"},
		{`"serial": "T-1"`, `"serial_file": "serial"`, "identity.serial_file", "absolute"},
		{`02:00:00:00:00:01`, `02:00:00:00:00`, "identity.mac", "six bytes"},
		{`"camera": {`, `"camera": {"lens": 1, `, "", `unknown field "lens"`},
		{`"max_width": 640`, `"max_width": 641`, "camera.max_width", "even number of pixels from 64 to 1920"},
		{`"max_height": 480`, `"max_height": 1200`, "camera.max_height", "64 to 1080"},
		{`, "max_height": 480`, ``, "camera.max_height", "64 to 1080"},
		{`"max_fps": 15`, `"max_fps": 31`, "camera.max_fps", "1 to 30"},
		{`"contact": "door1"`, `"contact": "door9"`, "inputs[3].contact", "relay of this board"},
		{`"contact": "door1"`, `"contact": "door1", "tamper": true`, "inputs[3].tamper", "only one of opens, contact and tamper"},
		{`"opens_for": "3s"`, `"opens_for": "3s", "tamper": true`, "inputs[1].tamper", "only one of"},
		{`"opens_for": "3s"`, `"opens_for": "3s", "contact": "door2"`, "inputs[1].contact", "only one of"},
		{`"tamper": true`, `"contact": "door1"`, "inputs[3].contact", "inputs[2].contact has it already"},
		{`"tamper": true`, `"tamper": false`, "tamper_block", "30m0s, want an input with tamper"},
		{`"tamper": true`, `"tamper": true, "long_press": "3s"`, "inputs[2].long_press", "nothing for an input with opens"},
		{`"long_press": "3s"`, `"long_press": "11s"`, "inputs[4].long_press", "500ms to 10s"},
		{`"30m"`, `"59s"`, "tamper_block", "1m0s to 24h0m0s"},
		{`"acme,soc"`, `""`, "compatible[1]", "missing"},
		{`"10s"},`, `"31s"},`, "watchdog.timeout", "2s to 30s"},
		{`"10s"},`, `"2500ms"},`, "watchdog.timeout", "whole seconds"},
		{`"/dev/watchdog0"`, `"watchdog0"`, "watchdog.device", "absolute"},
		{`"device": "/dev/watchdog0", `, ``, "watchdog.device", "missing"},
		{`"ir-lamp"`, `"heater"`, "outputs[0].role", `"heater", want one of ir-lamp, ir-cut, camera-power, lock-power, sounder`},
		{`"line": "IR"`, `"line": "R1"`, "outputs[0].line", "relays[0].line has it already"},
		{`"panel:gate", "active": "high"`, `"panel:gate", "active": "low"`, "relays[2].active", "device tree"},
		{`"panel:gate", "active": "high"`, `"panel:gate", "active": "high", "drive": "push-pull"`, "relays[2].drive", "device tree"},
		{`"panel:gate"`, `"../gate"`, "relays[2].line", "/sys/class/leds"},
		{`"max_fps": 15}` + "\n}", `"max_fps": 15}` + "\n}{}", "", "something follows"},
	} {
		raw := strings.Replace(good, c.old, c.new, 1)
		if raw == good {
			t.Fatalf("%q is not in the board", c.old)
		}
		_, err := board.Parse([]byte(raw))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: error %v, want %q", c.new, err, c.says)
			continue
		}
		var fault *board.FieldError
		if errors.As(err, &fault); c.path != "" && (fault == nil || fault.Path != c.path) {
			t.Errorf("%s: fault %v, want it at %s", c.new, err, c.path)
		}
	}
}

func TestParseReportsEveryFault(t *testing.T) {
	raw := strings.NewReplacer(`"10s"`, `"70s"`, `"20ms"`, `"5s"`, `"calling"`, `"party"`).Replace(good)
	_, err := board.Parse([]byte(raw))
	for _, want := range []string{"inputs[0].debounce", "relays[0].max_pulse", "lamps[0].name"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s is missing in %v", want, err)
		}
	}
}

func TestTooLong(t *testing.T) {
	if _, err := board.Parse([]byte(good + strings.Repeat(" ", 64<<10))); err == nil || !strings.Contains(err.Error(), "limit 65536") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte(`{"name":"x","relays":[{"max_pulse":"1h"}]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := board.Parse(raw)
		if err != nil {
			return
		}
		for _, r := range b.Relays {
			if r.MaxPulse.Time() <= 0 || r.MaxPulse.Time() > board.MaxPulse {
				t.Errorf("%s was taken with a longest pulse of %v", r.Name, r.MaxPulse)
			}
		}
	})
}

func TestIdentity(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	serial, mac, err := board.Identity{
		SerialFile: file("serial", "0000abcd\x00"), MACFile: file("address", "02:00:00:AA:bb:01\n"),
	}.Read()
	if err != nil || serial != "0000abcd" || mac != "02:00:00:aa:bb:01" {
		t.Errorf("read %q, %q, %v", serial, mac, err)
	}
	for _, id := range []board.Identity{
		{SerialFile: file("empty", "\n"), MAC: "02:00:00:00:00:01"},
		{SerialFile: dir + "/none", MAC: "02:00:00:00:00:01"},
		{Serial: "1", MACFile: file("words", "no address here\n")},
	} {
		if _, _, err := id.Read(); err == nil {
			t.Errorf("%+v was read", id)
		}
	}
}
