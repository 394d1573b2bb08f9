// Package led drives outputs that the Linux kernel has as LEDs, through its
// trigger "transient": the kernel's own timer ends a pulse, whatever has become
// of the process that began it.
//
// A board's device tree says which line the LED is and what its polarity is;
// "on" is all that this package knows.
package led

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"doorstation/drivers"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// leds is where the kernel's LEDs are.
const leds = "/sys/class/leds"

// trigger is the kernel's timer (ledtrig-transient).
const trigger = "transient"

// An Output is one LED. It is a gpio.PinOut whose high level is on, and which
// can also be on for a time.
type Output struct {
	name string

	mu       sync.Mutex
	activate *os.File // 1 begins a pulse, 0 ends it
	duration *os.File // milliseconds, of the next pulse
}

var _ gpio.PinOut = (*Output)(nil)

// OpenOutput takes an LED by its name, switches it off, and sets its trigger.
// The error wraps drivers.ErrAbsent if there is no such LED.
func OpenOutput(name string) (*Output, error) {
	o, err := open(filepath.Join(leds, name), name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("led %s: %w: %w", name, err, drivers.ErrAbsent)
	case err != nil:
		return nil, fmt.Errorf("led %s: %w", name, err)
	}
	return o, nil
}

func open(dir, name string) (*Output, error) {
	// Off first: this also ends the pulse of somebody before us, and his trigger.
	if err := put(dir, "brightness", "0"); err != nil {
		return nil, err
	}
	if err := put(dir, "trigger", trigger); err != nil {
		return nil, fmt.Errorf("trigger %s, which is the kernel's module ledtrig-transient: %w", trigger, err)
	}
	if err := put(dir, "state", "1"); err != nil { // what it is during a pulse
		return nil, err
	}
	activate, err := os.OpenFile(filepath.Join(dir, "activate"), os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	duration, err := os.OpenFile(filepath.Join(dir, "duration"), os.O_WRONLY, 0)
	if err != nil {
		return nil, errors.Join(err, activate.Close())
	}
	return &Output{name: name, activate: activate, duration: duration}, nil
}

// put writes one attribute.
func put(dir, attribute, value string) error {
	f, err := os.OpenFile(filepath.Join(dir, attribute), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteString(value)
	return errors.Join(err, f.Close())
}

// Pulse switches the LED on, and lets the kernel switch it off after d, which is
// rounded up to whole milliseconds. One that is on is off for some microseconds
// in between: the kernel cannot move the end of a pulse, and ending it first is
// the safe order.
func (o *Output) Pulse(d time.Duration) error {
	ms := (d + time.Millisecond - 1) / time.Millisecond
	if ms <= 0 || ms > math.MaxInt32 {
		return fmt.Errorf("led %s: a pulse of %v, want 1ms to %v", o.name, d, math.MaxInt32*time.Millisecond)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	err := o.set(o.activate, "0")
	if err == nil {
		err = o.set(o.duration, strconv.FormatInt(int64(ms), 10))
	}
	if err == nil {
		err = o.set(o.activate, "1")
	}
	return err
}

// Out switches the LED off. On is refused: it would have no end.
func (o *Output) Out(l gpio.Level) error {
	if l == gpio.High {
		return fmt.Errorf("led %s: only pulses, no level without an end", o.name)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.set(o.activate, "0")
}

func (o *Output) set(f *os.File, value string) error {
	if _, err := f.WriteString(value); err != nil {
		return fmt.Errorf("led %s: %w", o.name, err)
	}
	return nil
}

// Close gives the LED back. A pulse goes on to its end.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return errors.Join(o.activate.Close(), o.duration.Close())
}

// Halt does nothing.
func (o *Output) Halt() error { return nil }

// PWM is not possible.
func (o *Output) PWM(gpio.Duty, physic.Frequency) error {
	return fmt.Errorf("led %s has no PWM", o.name)
}

// Name is the LED's name.
func (o *Output) Name() string { return o.name }

// Number is -1: LEDs have none.
func (o *Output) Number() int { return -1 }

// Function says that it is driven.
func (o *Output) Function() string { return "Out" }

func (o *Output) String() string { return "led(" + o.name + ")" }
