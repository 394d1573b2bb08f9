package guard

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the time of CLOCK_MONOTONIC, which nobody can set and which all
// processes of the machine share.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("guard: no CLOCK_MONOTONIC: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
