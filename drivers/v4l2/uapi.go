package v4l2

import "unsafe"

// The structures below are those of linux/videodev2.h, as far as single-planar
// capture needs them. On 32 bit they are those with 64-bit times, which Linux
// has had since 5.6: they outlive the year 2038.

const word = unsafe.Sizeof(uintptr(0))

type capability struct {
	driver       [16]byte
	card         [32]byte
	busInfo      [32]byte
	version      uint32
	capabilities uint32
	deviceCaps   uint32
	_            [3]uint32
}

type formatDescription struct {
	index       uint32
	typ         uint32
	flags       uint32
	description [32]byte
	pixelFormat uint32
	_           [4]uint32
}

type pixelFormat struct {
	width, height uint32
	format        uint32
	field         uint32
	bytesPerLine  uint32
	sizeImage     uint32
	colorspace    uint32
	priv          uint32
	flags         uint32
	encoding      uint32
	quantization  uint32
	transfer      uint32
}

type format struct {
	typ uint32
	_   [word - 4]byte // the union below holds pointers in C
	pix pixelFormat
	_   [200 - unsafe.Sizeof(pixelFormat{})]byte
}

type streamParameters struct {
	typ          uint32
	capability   uint32
	mode         uint32
	numerator    uint32 // seconds of a frame
	denominator  uint32
	extendedMode uint32
	readBuffers  uint32
	_            [200 - 6*4]byte
}

type requestBuffers struct {
	count        uint32
	typ          uint32
	memory       uint32
	capabilities uint32
	_            uint32
}

type buffer struct {
	index     uint32
	typ       uint32
	bytesUsed uint32
	flags     uint32
	field     uint32
	_         uint32
	seconds   int64
	micros    int64
	timecode  [16]byte
	sequence  uint32
	memory    uint32
	offset    uint32
	_         [word - 4]byte // offset is in a union with a pointer in C
	length    uint32
	_         uint32
	_         uint32
}

type control struct {
	id    uint32
	value int32
}

// ioc is the number of a request (asm-generic/ioctl.h): direction 1 is write, 2
// is read.
func ioc(direction, number, size uintptr) uintptr {
	return direction<<30 | size<<16 | 'V'<<8 | number
}

var (
	ioctlQueryCap  = ioc(2, 0, unsafe.Sizeof(capability{}))
	ioctlEnumFmt   = ioc(3, 2, unsafe.Sizeof(formatDescription{}))
	ioctlSetFmt    = ioc(3, 5, unsafe.Sizeof(format{}))
	ioctlReqBufs   = ioc(3, 8, unsafe.Sizeof(requestBuffers{}))
	ioctlQueryBuf  = ioc(3, 9, unsafe.Sizeof(buffer{}))
	ioctlQBuf      = ioc(3, 15, unsafe.Sizeof(buffer{}))
	ioctlDQBuf     = ioc(3, 17, unsafe.Sizeof(buffer{}))
	ioctlStreamOn  = ioc(1, 18, 4)
	ioctlStreamOff = ioc(1, 19, 4)
	ioctlSetParm   = ioc(3, 22, unsafe.Sizeof(streamParameters{}))
	ioctlSetCtrl   = ioc(3, 28, unsafe.Sizeof(control{}))
)

// Constants of linux/videodev2.h and linux/v4l2-controls.h.
const (
	typeCapture    = 1
	memoryMapped   = 1
	fieldNone      = 1
	capCapture     = 0x1
	capStreaming   = 0x04000000
	capDeviceCaps  = 0x80000000
	flagError      = 0x40
	flagMonotonic  = 0x2000
	flagClockMask  = 0xe000
	ctrlBitrate    = 0x9909cf
	ctrlForceKey   = 0x9909e5
	ctrlProfile    = 0x990a6b
	profileConBase = 1
	formatYUYV     = 'Y' | 'U'<<8 | 'Y'<<16 | 'V'<<24
	formatNV12     = 'N' | 'V'<<8 | '1'<<16 | '2'<<24
	formatYU12     = 'Y' | 'U'<<8 | '1'<<16 | '2'<<24
	formatMJPEG    = 'M' | 'J'<<8 | 'P'<<16 | 'G'<<24
	formatH264     = 'H' | '2'<<8 | '6'<<16 | '4'<<24
)
