// Package board describes one kind of panel as data: which lines it has, how
// they are wired, and the limits that no configuration can loosen.
//
// A board file is written in YAML. Package board/compile checks it and turns
// it into JSON, which is what the running processes read.
package board

import (
	"fmt"
	"time"
)

// Limits of a board's values.
const (
	MaxPulse    = 60 * time.Second // no board may allow a longer pulse
	MinPulse    = 100 * time.Millisecond
	MaxDebounce = time.Second
	MinStuck    = 10 * time.Second
	MaxStuck    = time.Hour
	MaxLines    = 64 // of one kind

	MinLongPress   = 500 * time.Millisecond
	MaxLongPress   = 10 * time.Second
	MinTamperBlock = time.Minute
	MaxTamperBlock = 24 * time.Hour
	MinWatchdog    = 2 * time.Second
	MaxWatchdog    = 30 * time.Second // the board has to be reset a minute after the last sign of life
	MaxCompatible  = 16               // entries
)

// A Board is one kind of panel.
type Board struct {
	Name     string   `json:"name" jsonschema:"short name of the board, as in its file name"`
	Model    string   `json:"model" jsonschema:"model as the operator orders it; replaces {model} in URLs"`
	Identity Identity `json:"identity" jsonschema:"where this one panel's serial number and MAC address come from"`
	Inputs   []Input  `json:"inputs,omitempty" jsonschema:"buttons and contacts"`
	Relays   []Relay  `json:"relays,omitempty" jsonschema:"outputs that open something; only the guard drives them"`
	Lamps    []Lamp   `json:"lamps,omitempty" jsonschema:"lights that tell a person what the panel does"`
	Outputs  []Output `json:"outputs,omitempty" jsonschema:"what else the panel switches"`
	Sound    Sound    `json:"sound,omitzero" jsonschema:"microphone and speaker; left out when there are none"`
	Camera   Camera   `json:"camera,omitzero" jsonschema:"left out when there is none"`

	Compatible  []string `json:"compatible,omitempty" jsonschema:"compatible strings of this board's device tree, by which the machine is recognised"`
	TamperBlock Duration `json:"tamper_block,omitempty" jsonschema:"no relay opens for so long after the cover was opened, 1m to 24h, restarts included; left out: tamper is only reported"`
	Watchdog    Watchdog `json:"watchdog,omitzero" jsonschema:"the hardware that resets a board which hangs; left out when there is none"`
}

// Watchdog is the timer in hardware that resets the board unless the guard
// feeds it. Without a device the board has none.
type Watchdog struct {
	Device  string   `json:"device,omitempty" jsonschema:"its device, such as /dev/watchdog0"`
	Timeout Duration `json:"timeout,omitempty" jsonschema:"it resets a board that has not fed it for so long, 2s to 30s in whole seconds"`
}

// Identity says where the serial number and the MAC address of one panel come
// from: of each pair exactly one field is set.
type Identity struct {
	Serial     string `json:"serial,omitempty" jsonschema:"the serial number itself (simulated panels)"`
	SerialFile string `json:"serial_file,omitempty" jsonschema:"file whose first line is the serial number"`
	MAC        string `json:"mac,omitempty" jsonschema:"the MAC address itself (simulated panels)"`
	MACFile    string `json:"mac_file,omitempty" jsonschema:"file whose first line is the MAC address"`
}

// Level is the electrical level at which a line means yes.
type Level string

// The two levels.
const (
	High Level = "high"
	Low  Level = "low"
)

// Pull is the resistor inside the chip that gives an input a level when nothing
// else does. Chips without one accept the wish and have none.
type Pull string

// The pulls. Without one, what the boot loader or the device tree has set stays.
const (
	PullUp   Pull = "up"
	PullDown Pull = "down"
	PullNone Pull = "none"
)

// Drive is how an output makes its two levels.
type Drive string

// The drives. Without one, both levels are driven.
const (
	PushPull   Drive = "push-pull"
	OpenDrain  Drive = "open-drain"
	OpenSource Drive = "open-source"
)

// An Input is a button or a contact. At most one of Opens, Contact and Tamper
// is set; with Opens or Tamper the guard owns the line, otherwise the daemon.
type Input struct {
	Name     string   `json:"name" jsonschema:"name for the rest of the firmware, such as button1"`
	Driver   string   `json:"driver" jsonschema:"driver of the line, such as sim"`
	Line     string   `json:"line" jsonschema:"the driver's name of the line"`
	Active   Level    `json:"active" jsonschema:"level when pressed; of a door contact: when the door is closed; of a tamper switch: when the cover is open"`
	Debounce Duration `json:"debounce,omitempty" jsonschema:"the level counts once it has been stable for so long, up to 1s"`
	Pull     Pull     `json:"pull,omitempty" jsonschema:"resistor inside the chip; left out: as the boot left it"`
	Stuck    Duration `json:"stuck_after,omitempty" jsonschema:"a button that is held so long, 10s to 1h, is reported as stuck and ignored until released; left out: never (contacts)"`
	Label    string   `json:"label,omitempty" jsonschema:"what is printed beside it"`
	Opens    string   `json:"opens,omitempty" jsonschema:"relay that this input opens without a call (exit button)"`
	OpensFor Duration `json:"opens_for,omitempty" jsonschema:"for how long; needed with opens"`

	Contact   string   `json:"contact,omitempty" jsonschema:"relay whose door this contact watches"`
	Terminal  string   `json:"terminal,omitempty" jsonschema:"where a person connects it, such as J8 pin 11"`
	Tamper    bool     `json:"tamper,omitempty" jsonschema:"this is the switch below the cover"`
	LongPress Duration `json:"long_press,omitempty" jsonschema:"a press that lasts so long is told as a long one too, 500ms to 10s; buttons only"`
}

// Guarded says whether the guard owns this input: what it does must not depend
// on the daemon.
func (in Input) Guarded() bool { return in.Opens != "" || in.Tamper }

// DriverLED is the driver of relays that the kernel has as LEDs, and whose
// pulses end by the kernel's own timer. It knows on and off, and nothing of
// levels: active is high, and the device tree has the polarity.
const DriverLED = "led"

// A Relay is an output that opens something.
type Relay struct {
	Name     string   `json:"name" jsonschema:"name for the rest of the firmware, such as door1"`
	Driver   string   `json:"driver" jsonschema:"driver of the line"`
	Line     string   `json:"line" jsonschema:"the driver's name of the line"`
	Active   Level    `json:"active" jsonschema:"level when the door is open; the other one is the safe level"`
	Drive    Drive    `json:"drive,omitempty" jsonschema:"how the levels are made; left out: push-pull"`
	MaxPulse Duration `json:"max_pulse" jsonschema:"longest time from the first rise, 100ms to 60s; nothing can exceed it"`

	Terminal string `json:"terminal,omitempty" jsonschema:"where a person connects it, such as J8 pin 11"`
}

// A Lamp is a light. Its name says what it means: calling, talking, open, or
// trouble for a panel that could not ring somebody now.
type Lamp struct {
	Name   string `json:"name" jsonschema:"what it means: calling or talking or open or trouble"`
	Driver string `json:"driver" jsonschema:"driver of the line"`
	Line   string `json:"line" jsonschema:"the driver's name of the line"`
	Active Level  `json:"active" jsonschema:"level when lit"`
	Drive  Drive  `json:"drive,omitempty" jsonschema:"how the levels are made; left out: push-pull"`

	Terminal string `json:"terminal,omitempty" jsonschema:"where a person connects it, such as J8 pin 11"`
}

// An Output is what the panel switches besides relays and lamps.
type Output struct {
	Name   string `json:"name" jsonschema:"name for the rest of the firmware, such as ir1"`
	Role   Role   `json:"role" jsonschema:"what it is there for"`
	Driver string `json:"driver" jsonschema:"driver of the line"`
	Line   string `json:"line" jsonschema:"the driver's name of the line"`
	Active Level  `json:"active" jsonschema:"level when on"`
	Drive  Drive  `json:"drive,omitempty" jsonschema:"how the levels are made; left out: push-pull"`

	Terminal string `json:"terminal,omitempty" jsonschema:"where a person connects it, such as J8 pin 11"`
}

// Role is what an output is there for.
type Role string

// The roles.
const (
	IRLamp      Role = "ir-lamp"      // lights the scene for the camera
	IRCut       Role = "ir-cut"       // on: the filter is before the sensor, as by day
	CameraPower Role = "camera-power" // supply of the camera
	LockPower   Role = "lock-power"   // supply of the lock; the relay is apart from it
	Sounder     Role = "sounder"      // makes a noise while on
)

// Roles are all of them.
var Roles = []Role{IRLamp, IRCut, CameraPower, LockPower, Sounder}

// Sound is the sound card. Without a driver the board has none.
type Sound struct {
	Driver string `json:"driver,omitempty" jsonschema:"driver of the sound card"`
	Device string `json:"device,omitempty" jsonschema:"the driver's name of the device"`
}

// Camera is the camera. Without a driver the board has none. Width, height and
// rate are the most that the board bears; a configuration that asks for more
// gets these.
type Camera struct {
	Driver string `json:"driver,omitempty" jsonschema:"driver of the camera"`
	Device string `json:"device,omitempty" jsonschema:"the driver's name of the device"`
	Width  int    `json:"max_width,omitempty" jsonschema:"largest picture in pixels, even, 64 to 1920; goes with max_height"`
	Height int    `json:"max_height,omitempty" jsonschema:"largest picture in pixels, even, 64 to 1080"`
	FPS    int    `json:"max_fps,omitempty" jsonschema:"most pictures a second, 1 to 30"`
}

// Limits of a camera's most.
const (
	MinCameraSide   = 64 // pixels
	MaxCameraWidth  = 1920
	MaxCameraHeight = 1080
	MaxCameraFPS    = 30
)

// A Duration is written as text with a unit: 250ms, 10s.
type Duration time.Duration

// MarshalText writes d with its unit.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads a number with a unit.
func (d *Duration) UnmarshalText(b []byte) error {
	t, err := time.ParseDuration(string(b))
	if err != nil {
		return fmt.Errorf("%q is no duration, such as 250ms or 10s", b)
	}
	*d = Duration(t)
	return nil
}

func (d Duration) String() string { return time.Duration(d).String() }

// Relay finds a relay by its name.
func (b *Board) Relay(name string) (Relay, bool) {
	for _, r := range b.Relays {
		if r.Name == name {
			return r, true
		}
	}
	return Relay{}, false
}

// Time is d as the rest of Go knows it.
func (d Duration) Time() time.Duration { return time.Duration(d) }
