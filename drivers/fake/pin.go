package fake

import (
	"errors"
	"slices"
	"sync"
	"time"

	"periph.io/x/conn/v3/gpio"
	"periph.io/x/conn/v3/physic"
)

// A Pin is a line in memory: an input that a test moves, or an output that a
// test looks at. It keeps its level when nobody drives it.
type Pin struct {
	name  string
	edges chan struct{}

	mu     sync.Mutex
	level  gpio.Level
	driven []gpio.Level
	edge   gpio.Edge
	fault  error
}

var _ gpio.PinIO = (*Pin)(nil)

// NewPin returns a line that has this level.
func NewPin(name string, level gpio.Level) *Pin {
	return &Pin{name: name, level: level, edges: make(chan struct{}, 1)}
}

// Move changes the level from outside.
func (p *Pin) Move(level gpio.Level) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if level == p.level {
		return
	}
	p.level = level
	rising := level == gpio.High
	if p.edge == gpio.BothEdges || p.edge == gpio.RisingEdge && rising || p.edge == gpio.FallingEdge && !rising {
		select {
		case p.edges <- struct{}{}:
		default:
		}
	}
}

// Break makes every In and Out fail with err; nil repairs the pin.
func (p *Pin) Break(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault = err
}

// Driven is every level that Out was given and has set, in order.
func (p *Pin) Driven() []gpio.Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.driven)
}

// Out implements gpio.PinOut.
func (p *Pin) Out(level gpio.Level) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil {
		return p.fault
	}
	p.level = level
	p.driven = append(p.driven, level)
	return nil
}

// In implements gpio.PinIn. Bias is accepted and has no effect.
func (p *Pin) In(_ gpio.Pull, edge gpio.Edge) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.fault != nil {
		return p.fault
	}
	p.edge = edge
	select {
	case <-p.edges:
	default:
	}
	return nil
}

// Read is the level, and changes nothing.
func (p *Pin) Read() gpio.Level {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.level
}

// WaitForEdge implements gpio.PinIn. A negative timeout waits for ever.
func (p *Pin) WaitForEdge(timeout time.Duration) bool {
	if timeout < 0 {
		<-p.edges
		return true
	}
	select {
	case <-p.edges:
		return true
	case <-time.After(timeout):
		return false
	}
}

// PWM is not possible on a fake pin.
func (p *Pin) PWM(gpio.Duty, physic.Frequency) error { return errors.New("fake: no PWM") }

// Pull implements gpio.PinIn.
func (p *Pin) Pull() gpio.Pull { return gpio.PullNoChange }

// DefaultPull implements gpio.PinIn.
func (p *Pin) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// Halt does nothing: the pin keeps its level.
func (p *Pin) Halt() error { return nil }

// Name is the name of the pin.
func (p *Pin) Name() string { return p.name }

// Number is -1.
func (p *Pin) Number() int { return -1 }

// Function names the kind of pin.
func (p *Pin) Function() string { return "Fake" }

func (p *Pin) String() string { return "fake(" + p.name + ")" }
