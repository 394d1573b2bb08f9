package sim

import (
	"fmt"
	"sync"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// An Output drives one line. It is a gpio.PinOut.
type Output struct {
	name string
	mu   sync.Mutex
	link *link
}

var _ gpio.PinOut = (*Output)(nil)

// OpenOutput becomes the only one who drives this line of the line process at
// path. It does not change the level: the first Out does, to its own level at
// once. The error is ErrBusy while another process drives the line, ErrGone if
// there is no line process.
func OpenOutput(path, line string) (*Output, error) {
	l, err := claim(path, roleOutput, line)
	if err != nil {
		return nil, fmt.Errorf("sim: output %s: %w", line, err)
	}
	return &Output{name: line, link: l}, nil
}

// Out drives the line, and returns once it has this level. After an error,
// which is ErrGone, the line keeps its level and this Output is of no more use.
func (o *Output) Out(level gpio.Level) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err := o.link.request(packet{kind: kindSet, level: bool(level)}); err != nil {
		return fmt.Errorf("sim: output %s: %w", o.name, err)
	}
	return nil
}

// Close stops driving the line, which keeps its level.
func (o *Output) Close() error { return o.link.conn.Close() }

// Halt does nothing: the line keeps its level.
func (o *Output) Halt() error { return nil }

// PWM is not possible on these lines.
func (o *Output) PWM(gpio.Duty, physic.Frequency) error {
	return fmt.Errorf("sim: output %s has no PWM", o.name)
}

// Name is the name of the line.
func (o *Output) Name() string { return o.name }

// Number is -1: simulated lines have none.
func (o *Output) Number() int { return -1 }

// Function says that the line is driven.
func (o *Output) Function() string { return "Out" }

func (o *Output) String() string { return "sim(" + o.name + ")" }
