package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
)

// builtEnv names the folder of the built programs, inside the namespace.
const builtEnv = "DOORSTATION_SIM_PROGRAMS"

// built is the folder of the building's programs.
var built = os.Getenv(builtEnv)

// TestMain builds the programs, then runs the tests in a network namespace of
// their own: they meet nobody else's ports, and may block one.
func TestMain(m *testing.M) {
	if built == "" {
		os.Exit(outside())
	}
	if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "ip link set lo up: %v\n%s", err, out)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// outside builds, starts this test binary again in a namespace, and takes the
// programs away. It gives the exit code.
func outside() int {
	dir, err := os.MkdirTemp("", "programs-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	build := exec.Command("go", "build", "-o", dir, "./firmware/sim", "./firmware/doorguard", "./firmware/doorstationd")
	build.Dir = filepath.Join("..", "..")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "go build: %v\n%s", err, out)
		return 1
	}
	again := exec.Command("/proc/self/exe", os.Args[1:]...)
	again.Env = append(os.Environ(), builtEnv+"="+dir)
	again.Stdout, again.Stderr = os.Stdout, os.Stderr
	again.SysProcAttr = namespace()
	err = again.Run()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return max(exit.ExitCode(), 1)
	case err != nil:
		fmt.Fprintf(os.Stderr, "no network namespace for uid %d: %v; run the tests as root, or allow unprivileged user namespaces\n", os.Getuid(), err)
		return 1
	}
	return 0
}

// namespace asks for a network of our own, and for the rights in it when we are
// not root.
func namespace() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	if uid, gid := os.Getuid(), os.Getgid(); uid != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}}
	}
	return attr
}

// block drops every packet to a UDP port, until the returned function is called.
func block(t *testing.T, port int) (unblock func()) {
	t.Helper()
	nft(t, fmt.Sprintf("table inet blocked { chain in { type filter hook input priority 0; udp dport %d drop; }; }", port))
	return func() { nft(t, "delete table inet blocked") }
}

func nft(t *testing.T, command string) {
	t.Helper()
	if out, err := exec.Command("nft", command).CombinedOutput(); err != nil {
		t.Fatalf("nft %s: %v\n%s(apt-get install -y nftables)", command, err, out)
	}
}
