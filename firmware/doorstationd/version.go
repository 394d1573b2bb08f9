package main

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"
)

// Set by the linker: the version, and when its sources were last changed, in Unix
// seconds.
var (
	version = "dev"
	built   = "0"
)

// builtAt is the time before which this program cannot run; zero if the linker
// was not told.
func builtAt(seconds string) time.Time {
	n, err := strconv.ParseInt(seconds, 10, 64)
	if err != nil || n <= 0 {
		return time.Time{}
	}
	return time.Unix(n, 0)
}

// errTold ends a run that was only asked for its version.
var errTold = errors.New("version told")

// tell writes the version, and a line for each thing that this build lacks.
func tell(out io.Writer, version string, missing []string) {
	fmt.Fprintln(out, "doorstationd", version)
	for _, lack := range missing {
		fmt.Fprintln(out, "lacks:", lack)
	}
}
