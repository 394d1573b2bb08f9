package guard

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// monotonic is the time of CLOCK_MONOTONIC, which nobody can set and which all
// processes of the machine share. The call is a raw one: it never waits, and an
// ordinary one would wake the runtime's monitor thread with every heart-beat.
func monotonic() time.Duration {
	var ts unix.Timespec
	if _, _, errno := unix.RawSyscall(unix.SYS_CLOCK_GETTIME, unix.CLOCK_MONOTONIC, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		panic("guard: no CLOCK_MONOTONIC: " + errno.Error())
	}
	return time.Duration(ts.Nano())
}
