// Package watchdog speaks to the hardware that resets the board unless it is fed
// (linux/watchdog.h).
package watchdog

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"
	"unsafe"

	"doorstation/drivers"

	"golang.org/x/sys/unix"
)

// A Device is a watchdog that runs. It bites after Timeout without Feed, also
// when this process has ended without Stop.
type Device struct {
	file    *os.File
	timeout time.Duration
	reset   bool
}

// Open starts the watchdog at path and feeds it for the first time. It is to
// bite after timeout, in whole seconds; hardware that cannot be set keeps its
// own time, which Timeout tells. The error wraps drivers.ErrAbsent if there is
// no such device, and unix.EBUSY while another process has it.
func Open(path string, timeout time.Duration) (*Device, error) {
	file, err := os.OpenFile(path, os.O_WRONLY, 0)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		return nil, fmt.Errorf("watchdog: %w: %w", err, drivers.ErrAbsent)
	}
	if err != nil {
		return nil, fmt.Errorf("watchdog: %w", err)
	}
	d := &Device{file: file}
	if err := d.begin(int32(timeout / time.Second)); err != nil {
		return nil, fmt.Errorf("watchdog %s: %w", path, errors.Join(err, d.Stop()))
	}
	return d, nil
}

// begin sets the time, feeds, and asks what the hardware knows.
func (d *Device) begin(seconds int32) error {
	// Some hardware has a time of its own: the answer is what counts.
	set := d.ioctl(unix.WDIOC_SETTIMEOUT, &seconds)
	if set != nil {
		if err := d.ioctl(unix.WDIOC_GETTIMEOUT, &seconds); err != nil {
			return fmt.Errorf("timeout: %w", errors.Join(set, err))
		}
	}
	if seconds <= 0 {
		return fmt.Errorf("timeout of %d s", seconds)
	}
	d.timeout = time.Duration(seconds) * time.Second
	var status int32
	if d.ioctl(unix.WDIOC_GETBOOTSTATUS, &status) == nil {
		d.reset = status&unix.WDIOF_CARDRESET != 0
	}
	return d.Feed()
}

// Timeout is after which time without food it bites.
func (d *Device) Timeout() time.Duration { return d.timeout }

// HasReset says whether the watchdog was the cause of the last start of the
// board. Hardware that does not know says false.
func (d *Device) HasReset() bool { return d.reset }

// Feed keeps it from biting for another Timeout.
func (d *Device) Feed() error {
	var none int32
	if err := d.ioctl(unix.WDIOC_KEEPALIVE, &none); err != nil {
		return fmt.Errorf("watchdog: feed: %w", err)
	}
	return nil
}

// Stop ends it, where the kernel allows that (nowayout), and closes the device.
func (d *Device) Stop() error {
	_, err := d.file.WriteString("V") // the magic close
	return errors.Join(err, d.file.Close())
}

func (d *Device) ioctl(request uintptr, value *int32) error {
	raw, err := d.file.SyscallConn()
	if err != nil {
		return err
	}
	var errno unix.Errno
	if err := raw.Control(func(fd uintptr) {
		_, _, errno = unix.Syscall(unix.SYS_IOCTL, fd, request, uintptr(unsafe.Pointer(value)))
	}); err != nil {
		return err
	}
	if errno != 0 {
		return errno
	}
	return nil
}
