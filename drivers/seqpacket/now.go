package seqpacket

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// The descriptors are non-blocking: the kernel answers at once. So the calls
// are raw ones. An ordinary one tells Go's scheduler that it may wait, which
// wakes the runtime's monitor thread each time; at the pace of sound that was a
// third of the processor time of a call.

// readNow reads one message, or fails with EAGAIN.
func readNow(fd int, buf []byte) (int, error) {
	n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(buf))), uintptr(len(buf)))
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// sendNow sends one message, or fails with EAGAIN.
func sendNow(fd int, msg []byte) error {
	const flags = unix.MSG_DONTWAIT | unix.MSG_NOSIGNAL
	_, _, errno := unix.RawSyscall6(unix.SYS_SENDTO, uintptr(fd), uintptr(unsafe.Pointer(unsafe.SliceData(msg))), uintptr(len(msg)), flags, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
