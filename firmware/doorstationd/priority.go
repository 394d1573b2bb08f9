package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

// niceness puts the panel before what else the board runs: packets of sound leave
// every 20 ms, also while something else is busy.
const niceness = -10

// raisePriority gives every thread of this process its niceness, and with it
// those that they will make. It needs CAP_SYS_NICE, or a limit of the service
// manager's (RLIMIT_NICE); one that the service manager has set already stays.
func raisePriority() error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return err
	}
	var fault error // that of one thread is that of all
	for _, t := range threads {
		id, err := strconv.Atoi(t.Name())
		if err != nil {
			continue
		}
		err = unix.Setpriority(unix.PRIO_PROCESS, id, niceness)
		if err != nil && !errors.Is(err, unix.ESRCH) { // it has ended
			fault = fmt.Errorf("niceness %d: %w", niceness, err)
		}
	}
	return fault
}
