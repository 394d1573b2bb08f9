package main

import (
	"errors"
	"fmt"
	"io"
)

// version is set by the linker.
var version = "dev"

// errTold ends a run that was only asked for its version.
var errTold = errors.New("version told")

// tell writes the version, and a line for each thing that this build lacks.
func tell(out io.Writer, version string, missing []string) {
	fmt.Fprintln(out, "doorstationd", version)
	for _, lack := range missing {
		fmt.Fprintln(out, "lacks:", lack)
	}
}
