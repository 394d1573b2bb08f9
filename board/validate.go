package board

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A FieldError is one fault of a board description.
type FieldError struct {
	Path  string // such as relays[0].max_pulse
	Value string // as it was found
	Want  string // what it may be, with limit and unit
}

func (e *FieldError) Error() string {
	if e.Value == "" {
		return fmt.Sprintf("%s is missing, want %s", e.Path, e.Want)
	}
	return fmt.Sprintf("%s: %s, want %s", e.Path, e.Value, e.Want)
}

// Lengths of text in a board description, in bytes.
const (
	maxName  = 24 // also the limit of the guard's protocol
	maxModel = 64
	maxLabel = 64
	maxLine  = 32

	maxCompatible = 128
)

// lampNames are the lamps that have a meaning.
var lampNames = []string{"calling", "talking", "open", "trouble"}

// Validate checks the whole board and returns every fault, joined, each of
// them a *FieldError.
func (b *Board) Validate() error {
	c := checker{names: map[string]string{}, lines: map[string]string{}, contacts: map[string]string{}}
	c.name("name", b.Name)
	c.text("model", b.Model, maxModel, true)
	c.identity(b.Identity)
	c.count("inputs", len(b.Inputs))
	c.count("relays", len(b.Relays))
	c.count("lamps", len(b.Lamps))
	c.count("outputs", len(b.Outputs))
	for i, in := range b.Inputs {
		c.input(b, at("inputs", i), in)
	}
	for i, r := range b.Relays {
		c.relay(at("relays", i), r)
	}
	for i, l := range b.Lamps {
		c.lamp(at("lamps", i), l)
	}
	for i, o := range b.Outputs {
		c.output(at("outputs", i), o)
	}
	c.device("sound", b.Sound.Driver, b.Sound.Device)
	c.camera(b.Camera)
	c.compatible(b.Compatible)
	c.tamperBlock(b)
	c.watchdog(b.Watchdog)
	return errors.Join(c.faults...)
}

func at(list string, i int) string { return list + "[" + strconv.Itoa(i) + "]" }

// checker collects faults, and remembers names and lines to find them used
// twice.
type checker struct {
	faults []error
	names  map[string]string // name to path
	lines  map[string]string // driver and line to path

	contacts map[string]string // relay to path
}

func (c *checker) fault(path, value, want string) {
	c.faults = append(c.faults, &FieldError{Path: path, Value: value, Want: want})
}

func (c *checker) input(b *Board, path string, in Input) {
	c.line(path, in.Name, in.Driver, in.Line, in.Active)
	c.text(path+".label", in.Label, maxLabel, false)
	c.text(path+".terminal", in.Terminal, maxLabel, false)
	c.duration(path+".debounce", in.Debounce, 0, MaxDebounce)
	if in.Stuck != 0 {
		c.duration(path+".stuck_after", in.Stuck, MinStuck, MaxStuck)
	}
	if !slices.Contains([]Pull{"", PullUp, PullDown, PullNone}, in.Pull) {
		c.fault(path+".pull", quoted(string(in.Pull)), "up, down or none")
	}
	c.opens(b, path, in)
	c.role(b, path, in)
}

func (c *checker) opens(b *Board, path string, in Input) {
	if in.Opens == "" {
		if in.OpensFor != 0 {
			c.fault(path+".opens_for", in.OpensFor.String(), "nothing without opens")
		}
		return
	}
	if r, ok := c.relayOf(b, path+".opens", in.Opens); ok {
		c.duration(path+".opens_for", in.OpensFor, MinPulse, time.Duration(r.MaxPulse))
	}
}

func (c *checker) relay(path string, r Relay) {
	c.line(path, r.Name, r.Driver, r.Line, r.Active)
	c.text(path+".terminal", r.Terminal, maxLabel, false)
	c.drive(path, r.Drive)
	c.duration(path+".max_pulse", r.MaxPulse, MinPulse, MaxPulse)
	c.led(path, r)
}

func (c *checker) lamp(path string, l Lamp) {
	c.line(path, l.Name, l.Driver, l.Line, l.Active)
	c.text(path+".terminal", l.Terminal, maxLabel, false)
	c.drive(path, l.Drive)
	for _, name := range lampNames {
		if l.Name == name {
			return
		}
	}
	c.fault(path+".name", strconv.Quote(l.Name), "one of "+strings.Join(lampNames, ", "))
}

// line checks what every line has.
func (c *checker) line(path, name, driver, line string, active Level) {
	if c.name(path+".name", name) {
		c.once(c.names, path+".name", name)
	}
	driverOK := c.name(path+".driver", driver)
	if c.text(path+".line", line, maxLine, true) && driverOK {
		c.once(c.lines, path+".line", driver+" "+line)
	}
	if active != High && active != Low {
		c.fault(path+".active", quoted(string(active)), "high or low")
	}
}

func (c *checker) drive(path string, d Drive) {
	if !slices.Contains([]Drive{"", PushPull, OpenDrain, OpenSource}, d) {
		c.fault(path+".drive", quoted(string(d)), "push-pull, open-drain or open-source")
	}
}

func (c *checker) once(seen map[string]string, path, value string) {
	if first, twice := seen[value]; twice {
		c.fault(path, strconv.Quote(value), "a value of its own; "+first+" has it already")
		return
	}
	seen[value] = path
}

func (c *checker) device(path, driver, device string) {
	if driver == "" {
		if device != "" {
			c.fault(path+".driver", "", "the driver of device "+strconv.Quote(device))
		}
		return
	}
	c.name(path+".driver", driver)
	c.text(path+".device", device, maxModel, false)
}

func (c *checker) camera(cam Camera) {
	c.device("camera", cam.Driver, cam.Device)
	if cam.Width != 0 || cam.Height != 0 {
		c.pixels("camera.max_width", cam.Width, MaxCameraWidth)
		c.pixels("camera.max_height", cam.Height, MaxCameraHeight)
	}
	if cam.FPS < 0 || cam.FPS > MaxCameraFPS {
		c.fault("camera.max_fps", strconv.Itoa(cam.FPS), "1 to "+strconv.Itoa(MaxCameraFPS)+" pictures a second")
	}
}

func (c *checker) pixels(path string, n, most int) {
	if n < MinCameraSide || n > most || n%2 != 0 {
		c.fault(path, strconv.Itoa(n), "an even number of pixels from "+strconv.Itoa(MinCameraSide)+" to "+strconv.Itoa(most))
	}
}

func (c *checker) count(path string, n int) {
	if n > MaxLines {
		c.fault(path, strconv.Itoa(n)+" entries", "at most "+strconv.Itoa(MaxLines))
	}
}

// duration checks that d has a value from least to most.
func (c *checker) duration(path string, d Duration, least, most time.Duration) {
	if t := time.Duration(d); t < least || t > most {
		c.fault(path, d.String(), least.String()+" to "+most.String())
	}
}

// name checks a word that other files and protocols use.
func (c *checker) name(path, s string) bool {
	ok := s != "" && len(s) <= maxName
	for _, r := range []byte(s) {
		ok = ok && ('a' <= r && r <= 'z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	}
	if !ok {
		c.fault(path, quoted(s), "1 to "+strconv.Itoa(maxName)+" of a-z, 0-9, - and _")
	}
	return ok
}

// text checks text of printable characters.
func (c *checker) text(path, s string, most int, needed bool) bool {
	ok := len(s) <= most && (s != "" || !needed)
	for _, r := range s {
		ok = ok && strconv.IsPrint(r)
	}
	if !ok {
		c.fault(path, quoted(s), "printable text of at most "+strconv.Itoa(most)+" bytes")
	}
	return ok
}

// quoted shows a value, and nothing for a missing one.
func quoted(s string) string {
	if s == "" {
		return ""
	}
	return strconv.Quote(s)
}
