package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// built is the folder of the building's programs, for all tests of the package.
var built string

func TestMain(m *testing.M) {
	os.Exit(withPrograms(m))
}

// withPrograms builds the programs, runs the tests, and takes the programs away.
func withPrograms(m *testing.M) int {
	dir, err := os.MkdirTemp("", "programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	cmd := exec.Command("go", "build", "-o", dir, "./firmware/sim", "./firmware/doorguard", "./firmware/doorstationd")
	cmd.Dir = filepath.Join("..", "..")
	if out, err := cmd.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	built = dir
	return m.Run()
}
