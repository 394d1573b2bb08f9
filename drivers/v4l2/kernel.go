package v4l2

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A kernel is how cameras are reached: that of Linux, or one that a test plays.
type kernel interface {
	open(path string) (fd int, err error)
	close(fd int)
	ioctl(fd int, request uintptr, arg unsafe.Pointer) error
	mmap(fd int, offset int64, length int) ([]byte, error)
	munmap(mem []byte)
	poll(fd int, wait time.Duration) (events int16, err error) // 0: nothing yet
	now() time.Duration                                        // CLOCK_MONOTONIC
}

type linux struct{}

// open does without os.OpenFile, whose poller keeps the device busy.
func (linux) open(path string) (int, error) {
	return unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
}

func (linux) close(fd int) { _ = unix.Close(fd) }

// ioctl makes a request, again if a signal interrupts it.
func (linux) ioctl(fd int, request uintptr, arg unsafe.Pointer) error {
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

func (linux) mmap(fd int, offset int64, length int) ([]byte, error) {
	return unix.Mmap(fd, offset, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}

func (linux) munmap(mem []byte) { _ = unix.Munmap(mem) }

func (linux) poll(fd int, wait time.Duration) (int16, error) {
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if _, err := unix.Poll(poll, int(wait/time.Millisecond)); err != nil && err != unix.EINTR {
		return 0, err
	}
	return poll[0].Revents, nil
}

func (linux) now() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("v4l2: no CLOCK_MONOTONIC: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
