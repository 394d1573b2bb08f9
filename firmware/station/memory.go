package station

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
)

// residentMemory is how many bytes of this process are in RAM: the second
// number of /proc/self/statm (proc_pid_statm(5)), which counts pages.
func residentMemory() (int64, error) {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0, fmt.Errorf("memory of this process: %w", err)
	}
	fields := bytes.Fields(raw)
	if len(fields) < 2 {
		return 0, fmt.Errorf("memory of this process: %q has no second number", raw)
	}
	pages, err := strconv.ParseInt(string(fields[1]), 10, 64)
	if err != nil {
		return 0, fmt.Errorf("memory of this process: %w", err)
	}
	return pages * int64(os.Getpagesize()), nil
}
