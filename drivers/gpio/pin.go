package gpio

import (
	"time"

	"golang.org/x/sys/unix"

	"periph.io/x/conn/v3/gpio"
)

// A Pin is one input line, raw. It is a gpio.PinIn. One goroutine uses it at a
// time. Buttons want Inputs, which debounces and knows about stuck ones.
type Pin struct {
	name string
	at   place
	fd   int // -1 while it is not requested
	pull gpio.Pull
}

var _ gpio.PinIn = (*Pin)(nil)

// OpenPin finds a line, and takes it as an input as it is. The errors are those
// of OpenOutput.
func OpenPin(line string) (*Pin, error) {
	at, err := locate(line)
	if err != nil {
		return nil, err
	}
	p := &Pin{name: line, at: at, fd: -1}
	if err := p.In(gpio.PullNoChange, gpio.NoEdge); err != nil {
		return nil, err
	}
	return p, nil
}

// In takes the line with this pull, and with these edges from now on.
func (p *Pin) In(pull gpio.Pull, edge gpio.Edge) error {
	_ = p.Close()
	fd, err := request(p.at, inputRequest(p.at.number, pull, edge, 0))
	if err != nil {
		return lineError(p.name, err)
	}
	p.fd, p.pull = fd, pull
	return nil
}

// Read is the level; low if the line is lost.
func (p *Pin) Read() gpio.Level {
	l, _ := level(p.fd)
	return l
}

// WaitForEdge waits for an edge that In asked for: true when one came, which
// takes all that are queued; false when the time is over, at the latest after
// refresh, or the line is lost. No wait is endless: the caller looks at its
// context and at the level in between. A negative timeout means the longest.
func (p *Pin) WaitForEdge(timeout time.Duration) bool {
	if timeout < 0 || timeout > refresh {
		timeout = refresh
	}
	poll := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll, int((timeout+time.Millisecond-1)/time.Millisecond)); n == 0 || err != nil {
		return false
	}
	queue, err := edges(p.fd, nil)
	return err == nil && len(queue) > 0
}

// Close gives the line back.
func (p *Pin) Close() error {
	if p.fd < 0 {
		return nil
	}
	fd := p.fd
	p.fd = -1
	return unix.Close(fd)
}

// Pull is what In asked for; the chip may be unable to do it.
func (p *Pin) Pull() gpio.Pull { return p.pull }

// DefaultPull is not known.
func (p *Pin) DefaultPull() gpio.Pull { return gpio.PullNoChange }

// Halt does nothing: no wait is long.
func (p *Pin) Halt() error { return nil }

// Name is the line as it was asked for.
func (p *Pin) Name() string { return p.name }

// Number is the line's number on its chip.
func (p *Pin) Number() int { return int(p.at.number) }

// Function says that the line is an input.
func (p *Pin) Function() string { return "In" }

func (p *Pin) String() string { return "gpio(" + p.name + ")" }
