package gpio

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"periph.io/x/conn/v3/gpio"
)

// outputRequest asks for one line as an output that has this level at once.
func outputRequest(number uint32, level gpio.Level, drive Drive) lineRequest {
	r := newRequest(number, flagOutput)
	switch drive {
	case OpenDrain:
		r.config.flags |= flagOpenDrain
	case OpenSource:
		r.config.flags |= flagOpenSource
	}
	value := lineAttribute{id: attrOutputValues}
	if level == gpio.High {
		value.value = 1
	}
	r.add(value)
	return r
}

// inputRequest asks for one line as an input. Debounce of 0 asks the kernel for
// none.
func inputRequest(number uint32, pull gpio.Pull, edge gpio.Edge, debounce time.Duration) lineRequest {
	r := newRequest(number, flagInput)
	switch pull {
	case gpio.PullUp:
		r.config.flags |= flagPullUp
	case gpio.PullDown:
		r.config.flags |= flagPullDown
	case gpio.Float:
		r.config.flags |= flagBiasDisabled
	}
	if edge == gpio.RisingEdge || edge == gpio.BothEdges {
		r.config.flags |= flagEdgeRising
	}
	if edge == gpio.FallingEdge || edge == gpio.BothEdges {
		r.config.flags |= flagEdgeFalling
	}
	if debounce > 0 {
		time := lineAttribute{id: attrDebounce}
		*(*uint32)(unsafe.Pointer(&time.value)) = uint32(debounce.Microseconds()) // a union in C
		r.add(time)
	}
	return r
}

func newRequest(number uint32, flags uint64) lineRequest {
	r := lineRequest{numLines: 1, config: lineConfig{flags: flags}}
	r.offsets[0] = number
	copy(r.consumer[:], consumer)
	return r
}

// add gives the one line of the request an attribute.
func (r *lineRequest) add(a lineAttribute) {
	r.config.attrs[r.config.numAttrs] = configAttribute{attr: a, mask: 1}
	r.config.numAttrs++
}

// request takes a line from its chip; the descriptor is the line's. Closing it
// gives the line back, which keeps its level.
func request(at place, r lineRequest) (fd int, err error) {
	chip, err := unix.Open(at.path, unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, err
	}
	defer unix.Close(chip)
	if err := ioctl(chip, ioctlGetLine, unsafe.Pointer(&r)); err != nil {
		return -1, err
	}
	fd = int(r.fd)
	if err := unix.SetNonblock(fd, true); err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

// level reads a line, an output too, and changes nothing.
func level(fd int) (gpio.Level, error) {
	v := lineValues{mask: 1}
	if err := ioctl(fd, ioctlGetValues, unsafe.Pointer(&v)); err != nil {
		return gpio.Low, err
	}
	return v.bits&1 != 0, nil
}

// setLevel drives an output.
func setLevel(fd int, l gpio.Level) error {
	v := lineValues{mask: 1}
	if l == gpio.High {
		v.bits = 1
	}
	return ioctl(fd, ioctlSetValues, unsafe.Pointer(&v))
}

// An edge is one change that the kernel has queued.
type edge struct {
	level gpio.Level // after it
	at    time.Duration
}

// queueLength is how many edges of a line the kernel keeps; of more the oldest
// are lost.
const queueLength = 16

// edges empties the queue of an input.
func edges(fd int, into []edge) ([]edge, error) {
	var raw [queueLength]lineEvent
	into = into[:0]
	for {
		buf := unsafe.Slice((*byte)(unsafe.Pointer(&raw)), unsafe.Sizeof(raw))
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR:
			continue
		case err == unix.EAGAIN:
			return into, nil
		case err != nil:
			return into, err
		case n == 0:
			return into, unix.ENODEV
		}
		for _, e := range raw[:n/int(unsafe.Sizeof(lineEvent{}))] {
			into = append(into, edge{level: e.id == eventRising, at: time.Duration(e.timestamp)})
		}
		if n < len(buf) {
			return into, nil
		}
	}
}
