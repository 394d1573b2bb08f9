package e2e

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

const (
	insideEnv   = "DOORSTATION_E2E_INSIDE"   // set in the namespaces
	programsEnv = "DOORSTATION_E2E_PROGRAMS" // folder of the built programs
)

// TestMain builds the programs where the network still is, then runs the tests
// in the namespaces.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(insideEnv) != "" {
		if err := settle(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e: preparing the namespaces:", err)
			os.Exit(1)
		}
		sideBySide()
		os.Exit(m.Run())
	}
	os.Exit(outside())
}

// downloads are what must be in the cache before the tests, which have no
// network but their own.
var downloads []func() error

// outside builds and starts the test binary again, and returns its exit code.
func outside() int {
	programs, err := os.MkdirTemp("", "doorstation-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	defer os.RemoveAll(programs)
	build(programs)
	for _, fetch := range downloads {
		if err := fetch(); err != nil {
			fmt.Fprintln(os.Stderr, "e2e:", err) // the tests that need it fail
		}
	}

	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), insideEnv+"=1", programsEnv+"="+programs)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, os.Stdout, os.Stderr
	cmd.SysProcAttr = namespaces()
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return max(exit.ExitCode(), 1)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "e2e: this kernel gives no namespaces to uid %d: %v; run the tests as root, or allow unprivileged user namespaces\n", os.Getuid(), err)
		return 1
	}
	return 0
}

// build puts the programs into dir, or beside each what the compiler said: the
// tests that need it fail with that, the others run.
func build(dir string) {
	tags, err := tags()
	for _, name := range []string{"doorstationd", "doorguard", "doorctl", "sim"} {
		path, out, err := filepath.Join(dir, name), []byte(nil), err
		if err == nil {
			out, err = exec.Command("go", "build", "-tags", tags, "-o", path, "../"+name).CombinedOutput()
		}
		if err != nil {
			_ = os.WriteFile(path+".error", fmt.Appendf(out, "%v", err), 0o644)
		}
	}
}

// tags are the build tags of the programs that panels get.
func tags() (string, error) {
	const file = "../../scripts/tags"
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	_, words, found := strings.Cut(string(raw), "\ntags=")
	if !found {
		return "", fmt.Errorf("%s has no line tags=", file)
	}
	return strings.TrimSpace(words), nil
}

// namespaces asks for network, mounts and processes of our own, and for a user
// namespace when we are not root. Everything in it dies with its first process.
func namespaces() *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS | syscall.CLONE_NEWPID,
		Pdeathsig:  syscall.SIGKILL,
	}
	if os.Getuid() != 0 {
		attr.Cloneflags |= syscall.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{HostID: os.Getuid(), Size: 1}}
		attr.GidMappings = []syscall.SysProcIDMap{{HostID: os.Getgid(), Size: 1}}
	}
	return attr
}

// settle makes the namespaces fit to live in: a /proc of our own, a /run for
// named network namespaces, and no name server, since nobody would answer.
func settle() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	if err := unix.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return fmt.Errorf("mount /proc: %w", err)
	}
	if err := unix.Mount("tmpfs", "/run", "tmpfs", 0, ""); err != nil {
		return fmt.Errorf("mount /run: %w", err)
	}
	empty := "/run/resolv.conf"
	if err := os.WriteFile(empty, nil, 0o644); err != nil {
		return err
	}
	if err := unix.Mount(empty, "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("mount an empty /etc/resolv.conf: %w", err)
	}
	return ip("link set lo up")
}
