package gpio

import (
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// An Output drives one line. It is a gpio.PinOut. Levels are those of the wire,
// whatever they mean.
type Output struct {
	name   string
	number int

	mu sync.Mutex
	fd int // -1 once closed
}

var _ gpio.PinOut = (*Output)(nil)

// OpenOutput takes a line, which has this level from the moment on in which it
// becomes an output. The error wraps drivers.ErrAbsent if there is no such
// line, and unix.EBUSY while somebody else has it.
func OpenOutput(line string, first gpio.Level, drive Drive) (*Output, error) {
	at, err := locate(line)
	if err != nil {
		return nil, err
	}
	fd, err := request(at, outputRequest(at.number, first, drive))
	if err != nil {
		return nil, lineError(line, err)
	}
	return &Output{name: line, number: int(at.number), fd: fd}, nil
}

// Out drives the line.
func (o *Output) Out(l gpio.Level) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := setLevel(o.fd, l); err != nil {
		return fmt.Errorf("gpio: output %s: %w", o.name, err)
	}
	return nil
}

// Close gives the line back, which keeps its level.
func (o *Output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	fd := o.fd
	o.fd = -1
	return unix.Close(fd)
}

// Halt does nothing: the line keeps its level.
func (o *Output) Halt() error { return nil }

// PWM is not possible on these lines.
func (o *Output) PWM(gpio.Duty, physic.Frequency) error {
	return fmt.Errorf("gpio: output %s has no PWM", o.name)
}

// Name is the line as it was asked for.
func (o *Output) Name() string { return o.name }

// Number is the line's number on its chip.
func (o *Output) Number() int { return o.number }

// Function says that the line is driven.
func (o *Output) Function() string { return "Out" }

func (o *Output) String() string { return "gpio(" + o.name + ")" }
