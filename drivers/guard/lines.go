package guard

import (
	"errors"
	"fmt"
	"time"

	"periph.io/x/conn/v3/gpio"
)

// An Output is a relay and the pin that drives it.
type Output struct {
	Name      string
	Pin       gpio.PinOut
	ActiveLow bool
	Max       time.Duration // longest time from the first rise
}

// A SelfTimed pin ends a pulse by itself, even if this process has ended: its
// timer is the kernel's.
type SelfTimed interface {
	// Pulse makes the pin active for d from now on, also when it is active.
	Pulse(d time.Duration) error
}

// outputs drives relays. It never reads a pin: on some drivers that would turn
// an output into an input.
type outputs []Output

func (o outputs) relays() []Relay {
	relays := make([]Relay, len(o))
	for i, out := range o {
		relays[i] = Relay{Name: out.Name, Max: out.Max}
	}
	return relays
}

// drive sets a relay; d is how long it is to be active.
func (o outputs) drive(i int, active bool, d time.Duration) error {
	if active {
		if done, err := o.pulse(i, d); done {
			return err
		}
	}
	if err := o[i].Pin.Out(gpio.Level(active != o[i].ActiveLow)); err != nil {
		return fmt.Errorf("guard: relay %s: %w", o[i].Name, err)
	}
	return nil
}

// pulse lets a relay that can end its pulse itself be active for d. It says
// whether the relay is of this kind.
func (o outputs) pulse(i int, d time.Duration) (bool, error) {
	pin, ok := o[i].Pin.(SelfTimed)
	if !ok {
		return false, nil
	}
	if err := pin.Pulse(d); err != nil {
		return true, fmt.Errorf("guard: relay %s: %w", o[i].Name, err)
	}
	return true, nil
}

// safe drives every relay to its safe level, whatever happens to the others.
func (o outputs) safe() error {
	var faults []error
	for i := range o {
		faults = append(faults, o.drive(i, false, 0))
	}
	return errors.Join(faults...)
}

func (o outputs) check() error {
	seen := map[string]bool{}
	for _, out := range o {
		switch {
		case !validName(out.Name):
			return fmt.Errorf("guard: relay %q: name wants 1 to %d of a-z, 0-9, - and _", out.Name, maxName)
		case seen[out.Name]:
			return fmt.Errorf("guard: relay %q is named twice", out.Name)
		case out.Max <= Lead || out.Max > maxDuration:
			return fmt.Errorf("guard: relay %s: longest pulse %v is outside %v to %v", out.Name, out.Max, Lead, maxDuration)
		}
		seen[out.Name] = true
	}
	return nil
}
