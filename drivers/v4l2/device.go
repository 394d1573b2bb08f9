package v4l2

import (
	"errors"
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"

	"doorstation/drivers"
)

// A device is an open camera.
type device struct {
	kernel  kernel
	path    string
	fd      int
	pix     pixelFormat // as it was set
	buffers [][]byte    // shared with the kernel
}

// open opens a capture device. One that does not exist is drivers.ErrAbsent.
func open(k kernel, path string) (*device, error) {
	fd, err := k.open(path)
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		return nil, fmt.Errorf("v4l2: %s: %w: %w", path, err, drivers.ErrAbsent)
	case err != nil:
		return nil, fmt.Errorf("v4l2: %s: %w", path, err)
	}
	d := &device{kernel: k, path: path, fd: fd}
	if err := d.check(); err != nil {
		d.close()
		return nil, err
	}
	return d, nil
}

// check refuses what is no single-planar capture device with streaming.
func (d *device) check() error {
	var c capability
	if err := d.kernel.ioctl(d.fd, ioctlQueryCap, unsafe.Pointer(&c)); err != nil {
		return d.fail("is no V4L2 device", err)
	}
	caps := c.capabilities
	if caps&capDeviceCaps != 0 {
		caps = c.deviceCaps
	}
	if caps&capCapture == 0 || caps&capStreaming == 0 {
		return fmt.Errorf("v4l2: %s: is no single-planar capture device with streaming (capabilities %#x)", d.path, caps)
	}
	return nil
}

func (d *device) fail(what string, err error) error {
	return fmt.Errorf("v4l2: %s: %s: %w", d.path, what, err)
}

// close ends the stream and gives everything back.
func (d *device) close() {
	typ := int32(typeCapture)
	_ = d.kernel.ioctl(d.fd, ioctlStreamOff, unsafe.Pointer(&typ))
	for _, b := range d.buffers {
		d.kernel.munmap(b)
	}
	d.kernel.close(d.fd)
}

// formats lists what the camera can give.
func (d *device) formats() []uint32 {
	var list []uint32
	for i := range uint32(64) {
		f := formatDescription{index: i, typ: typeCapture}
		if d.kernel.ioctl(d.fd, ioctlEnumFmt, unsafe.Pointer(&f)) != nil {
			break
		}
		list = append(list, f.pixelFormat)
	}
	return list
}

// setFormat asks for a size and a rate. The camera may give another size; a
// rate that it cannot have is left to it.
func (d *device) setFormat(pixel uint32, f drivers.VideoFormat) error {
	want := format{typ: typeCapture, pix: pixelFormat{
		width: uint32(f.Width), height: uint32(f.Height), format: pixel, field: fieldNone,
	}}
	if err := d.kernel.ioctl(d.fd, ioctlSetFmt, unsafe.Pointer(&want)); err != nil {
		return d.fail("set the format", err)
	}
	if want.pix.format != pixel {
		return fmt.Errorf("v4l2: %s: gives %s instead of %s", d.path, fourCC(want.pix.format), fourCC(pixel))
	}
	d.pix = want.pix
	rate := streamParameters{typ: typeCapture, numerator: 1, denominator: uint32(f.FPS)}
	_ = d.kernel.ioctl(d.fd, ioctlSetParm, unsafe.Pointer(&rate))
	return nil
}

// setControl sets a control if the camera has it.
func (d *device) setControl(id uint32, value int) {
	c := control{id: id, value: int32(value)}
	_ = d.kernel.ioctl(d.fd, ioctlSetCtrl, unsafe.Pointer(&c))
}

// Buffers in the kernel's hands: one is filled, one waits, one is read, and one
// is for a moment in which nobody looks.
const bufferCount = 4

// start maps the buffers and begins to stream.
func (d *device) start() error {
	r := requestBuffers{count: bufferCount, typ: typeCapture, memory: memoryMapped}
	if err := d.kernel.ioctl(d.fd, ioctlReqBufs, unsafe.Pointer(&r)); err != nil {
		return d.fail("request buffers", err)
	}
	for i := range r.count {
		b := buffer{index: i, typ: typeCapture, memory: memoryMapped}
		if err := d.kernel.ioctl(d.fd, ioctlQueryBuf, unsafe.Pointer(&b)); err != nil {
			return d.fail("query a buffer", err)
		}
		mem, err := d.kernel.mmap(d.fd, int64(b.offset), int(b.length))
		if err != nil {
			return d.fail("map a buffer", err)
		}
		d.buffers = append(d.buffers, mem)
		if err := d.enqueue(i); err != nil {
			return err
		}
	}
	typ := int32(typeCapture)
	if err := d.kernel.ioctl(d.fd, ioctlStreamOn, unsafe.Pointer(&typ)); err != nil {
		return d.fail("start the stream", err)
	}
	return nil
}

// enqueue gives a buffer to the kernel.
func (d *device) enqueue(index uint32) error {
	b := buffer{index: index, typ: typeCapture, memory: memoryMapped}
	if err := d.kernel.ioctl(d.fd, ioctlQBuf, unsafe.Pointer(&b)); err != nil {
		return d.fail("queue a buffer", err)
	}
	return nil
}

// dequeue takes a filled buffer. The error is EAGAIN if there is none.
func (d *device) dequeue() (buffer, error) {
	b := buffer{typ: typeCapture, memory: memoryMapped}
	if err := d.kernel.ioctl(d.fd, ioctlDQBuf, unsafe.Pointer(&b)); err != nil {
		return b, err
	}
	if int(b.index) >= len(d.buffers) || int(b.bytesUsed) > len(d.buffers[b.index]) {
		return b, fmt.Errorf("v4l2: %s: buffer %d with %d bytes was never given", d.path, b.index, b.bytesUsed)
	}
	return b, nil
}

// fourCC is a pixel format as people write it.
func fourCC(f uint32) string {
	return fmt.Sprintf("%q", []byte{byte(f), byte(f >> 8), byte(f >> 16), byte(f >> 24)})
}
