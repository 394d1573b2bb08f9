package gpio

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The structures below are those of linux/gpio.h, the same on 32 and 64 bit.
const (
	maxLines   = 64 // GPIO_V2_LINES_MAX
	maxAttrs   = 10 // GPIO_V2_LINE_NUM_ATTRS_MAX
	nameLength = 32 // GPIO_MAX_NAME_SIZE
)

// Line flags (enum gpio_v2_line_flag).
const (
	flagInput        = 1 << 2
	flagOutput       = 1 << 3
	flagEdgeRising   = 1 << 4
	flagEdgeFalling  = 1 << 5
	flagOpenDrain    = 1 << 6
	flagOpenSource   = 1 << 7
	flagPullUp       = 1 << 8
	flagPullDown     = 1 << 9
	flagBiasDisabled = 1 << 10
)

// Attributes of a line configuration (enum gpio_v2_line_attr_id).
const (
	attrOutputValues = 2
	attrDebounce     = 3
)

// Events (enum gpio_v2_line_event_id).
const eventRising = 1

type chipInfo struct {
	name, label [nameLength]byte
	lines       uint32
}

type lineAttribute struct {
	id, _ uint32
	value uint64 // flags, values, or in its first four bytes the debounce time in microseconds
}

type configAttribute struct {
	attr lineAttribute
	mask uint64 // of the requested lines
}

type lineConfig struct {
	flags    uint64
	numAttrs uint32
	_        [5]uint32
	attrs    [maxAttrs]configAttribute
}

type lineRequest struct {
	offsets   [maxLines]uint32
	consumer  [nameLength]byte
	config    lineConfig
	numLines  uint32
	eventSize uint32 // of the kernel's queue; 0 is 16 for one line
	_         [5]uint32
	fd        int32
}

type lineInfo struct {
	name, consumer [nameLength]byte
	offset         uint32
	numAttrs       uint32
	flags          uint64
	attrs          [maxAttrs]lineAttribute
	_              [4]uint32
}

type lineValues struct {
	bits, mask uint64
}

type lineEvent struct {
	timestamp uint64 // CLOCK_MONOTONIC in nanoseconds
	id        uint32
	offset    uint32
	seqno     uint32
	lineSeqno uint32
	_         [6]uint32
}

// The requests of linux/gpio.h that we make.
const (
	ioctlChipInfo  = 2<<30 | unsafe.Sizeof(chipInfo{})<<16 | 0xB4<<8 | 0x01
	ioctlLineInfo  = 3<<30 | unsafe.Sizeof(lineInfo{})<<16 | 0xB4<<8 | 0x05
	ioctlGetLine   = 3<<30 | unsafe.Sizeof(lineRequest{})<<16 | 0xB4<<8 | 0x07
	ioctlGetValues = 3<<30 | unsafe.Sizeof(lineValues{})<<16 | 0xB4<<8 | 0x0E
	ioctlSetValues = 3<<30 | unsafe.Sizeof(lineValues{})<<16 | 0xB4<<8 | 0x0F
)

// ioctl makes a request, again if a signal interrupts it.
func ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
	for {
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(arg))
		if errno == 0 {
			return nil
		}
		if errno != unix.EINTR {
			return errno
		}
	}
}
