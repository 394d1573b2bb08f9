package led

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/drivers"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/gpio"
)

// sysfs is a folder whose attributes tell, in order, what is written to them:
// they are fifos, of which each write is one message.
type sysfs struct {
	dir string
	fds map[string]int
}

func newSysfs(t *testing.T, attributes ...string) *sysfs {
	t.Helper()
	s := &sysfs{dir: t.TempDir(), fds: map[string]int{}}
	for _, a := range attributes {
		path := filepath.Join(s.dir, a)
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Fatal(err)
		}
		fd, err := unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { unix.Close(fd) })
		s.fds[a] = fd
	}
	return s
}

// written empties an attribute.
func (s *sysfs) written(t *testing.T, attribute string) string {
	t.Helper()
	buf := make([]byte, 64)
	n, err := unix.Read(s.fds[attribute], buf)
	if err != nil && err != unix.EAGAIN {
		t.Fatal(err)
	}
	return string(buf[:max(0, n)])
}

var attributes = []string{"brightness", "trigger", "state", "activate", "duration"}

func TestPulse(t *testing.T) {
	s := newSysfs(t, attributes...)
	o, err := open(s.dir, "panel:door1")
	if err != nil {
		t.Fatal(err)
	}
	for attribute, want := range map[string]string{"brightness": "0", "trigger": "transient", "state": "1", "activate": "", "duration": ""} {
		if got := s.written(t, attribute); got != want {
			t.Errorf("opening wrote %q to %s, want %q", got, attribute, want)
		}
	}
	for _, c := range []struct {
		do                 func() error
		activate, duration string
		fails              bool
	}{
		{do: func() error { return o.Pulse(3 * time.Second) }, activate: "01", duration: "3000"},
		{do: func() error { return o.Pulse(1500 * time.Microsecond) }, activate: "01", duration: "2"},
		{do: func() error { return o.Out(gpio.Low) }, activate: "0"},
		{do: func() error { return o.Out(gpio.High) }, fails: true},
		{do: func() error { return o.Pulse(0) }, fails: true},
		{do: func() error { return o.Pulse(-time.Second) }, fails: true},
		{do: func() error { return o.Pulse(600 * time.Hour) }, fails: true},
	} {
		if err := c.do(); (err != nil) != c.fails {
			t.Errorf("error %v, want one: %v", err, c.fails)
		}
		activate, duration := s.written(t, "activate"), s.written(t, "duration")
		if activate != c.activate || duration != c.duration {
			t.Errorf("wrote %q to activate and %q to duration, want %q and %q", activate, duration, c.activate, c.duration)
		}
	}
	if err := o.Close(); err != nil {
		t.Error(err)
	}
	if err := o.Pulse(time.Second); !errors.Is(err, os.ErrClosed) {
		t.Errorf("pulse of a closed LED: %v", err)
	}
}

func TestOffComesFirst(t *testing.T) {
	s := newSysfs(t, "brightness") // a kernel without the trigger
	if _, err := open(s.dir, "x"); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "ledtrig-transient") {
		t.Errorf("error %v", err)
	}
	if got := s.written(t, "brightness"); got != "0" {
		t.Errorf("brightness %q, want 0: the LED is off, whatever else is wrong", got)
	}
}

func TestAbsent(t *testing.T) {
	if _, err := OpenOutput("no-such-led-on-this-machine"); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("error %v, want ErrAbsent", err)
	}
}

func TestWords(t *testing.T) {
	s := newSysfs(t, attributes...)
	o, err := open(s.dir, "panel:door1")
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	words := []string{o.Name(), o.String(), o.Function()}
	if want := []string{"panel:door1", "led(panel:door1)", "Out"}; !slices.Equal(words, want) || o.Number() != -1 {
		t.Errorf("%q, %d", words, o.Number())
	}
	if o.PWM(gpio.DutyHalf, 0) == nil || o.Halt() != nil {
		t.Error("PWM works, or Halt does not")
	}
	var _ io.Closer = o
}
