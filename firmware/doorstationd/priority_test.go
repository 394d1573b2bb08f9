package main

import (
	"errors"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"golang.org/x/sys/unix"
)

// priorityVariable makes this test binary, started again, raise its priority and
// tell what came of it.
const priorityVariable = "DOORSTATIOND_TEST_PRIORITY"

func TestMain(m *testing.M) {
	if os.Getenv(priorityVariable) == "" {
		os.Exit(m.Run())
	}
	switch err := raisePriority(); {
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		os.Stdout.WriteString("not allowed")
	case err != nil:
		os.Stdout.WriteString(err.Error())
	default:
		tellPriorities()
	}
}

// tellPriorities writes whether all threads have it. The kernel's answer is 20 less
// the niceness.
func tellPriorities() {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil || len(threads) == 0 {
		os.Stdout.WriteString("no threads")
		return
	}
	for _, t := range threads {
		id, _ := strconv.Atoi(t.Name())
		if got, err := unix.Getpriority(unix.PRIO_PROCESS, id); err == nil && got != 20-niceness {
			os.Stdout.WriteString("a thread was left behind")
			return
		}
	}
	os.Stdout.WriteString("raised")
}

// Where it is allowed all threads have the new priority, and where it is not the
// program learns so.
func TestPriority(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), priorityVariable+"=1")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	if s := string(out); s != "raised" && s != "not allowed" {
		t.Error(s)
	}
}
