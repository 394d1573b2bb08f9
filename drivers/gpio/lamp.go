package gpio

import "periph.io/x/conn/v3/gpio"

// A Lamp is a light on one line. It is a drivers.Lamp.
type Lamp struct {
	out       *Output
	activeLow bool
}

// OpenLamp takes the line of a lamp, which is lit or dark from then on. The
// errors are those of OpenOutput.
func OpenLamp(line string, activeLow bool, drive Drive, lit bool) (*Lamp, error) {
	out, err := OpenOutput(line, gpio.Level(lit != activeLow), drive)
	if err != nil {
		return nil, err
	}
	return &Lamp{out: out, activeLow: activeLow}, nil
}

// Set lights the lamp, or makes it dark.
func (l *Lamp) Set(on bool) error { return l.out.Out(gpio.Level(on != l.activeLow)) }

// Close gives the line back; the lamp stays as it is.
func (l *Lamp) Close() error { return l.out.Close() }
