// Package gpio drives and watches lines of Linux GPIO chips through the
// kernel's character devices (GPIO v2 interface, Linux 5.10 and newer).
//
// A line is given by its name, as the device tree has it ("DOOR1"), or by chip
// and number ("gpiochip0:17"), where the chip is its device's name or its label
// ("pinctrl-bcm2835:17", "209c000.gpio:3").
//
// The package speaks to the kernel itself, in a few system calls: it is linked
// into the guard, which has to stay small. An output is requested together
// with its first level, so that it never has another one; it keeps its level
// when it is closed, and nothing here ever reads it back through a request
// that could turn it into an input.
package gpio

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"doorstation/drivers"
)

// consumer is the name under which the kernel lists our lines.
const consumer = "doorstation"

// Drive says how an output makes its levels.
type Drive uint8

// The ways to drive a line.
const (
	PushPull   Drive = iota // both levels are driven
	OpenDrain               // low is driven, high is let go
	OpenSource              // high is driven, low is let go
)

// lineError explains why a line cannot be had. A chip or a line that does not
// exist is drivers.ErrAbsent.
func lineError(want string, err error) error {
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		return fmt.Errorf("gpio: line %s: %w: %w", want, err, drivers.ErrAbsent)
	case errors.Is(err, unix.EBUSY):
		return fmt.Errorf("gpio: line %s is in use by another process or a kernel driver: %w", want, err)
	case errors.Is(err, unix.ENOTTY), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("gpio: line %s: the kernel refuses the request; it takes Linux 5.10 or newer: %w", want, err)
	}
	return fmt.Errorf("gpio: line %s: %w", want, err)
}
