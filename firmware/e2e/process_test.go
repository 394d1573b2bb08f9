package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for something that should come at once. It
// is a limit against hanging, never a measure.
const patience = 20 * time.Second

// tool finds a program that scripts/setup installs.
func tool(name string) (string, error) {
	for _, dir := range []string{"/usr/sbin", "/usr/bin", "/sbin", "/bin"} {
		path := filepath.Join(dir, name)
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%s is not installed: run scripts/setup test", name)
}

// A process is one program of a peer or of the panel, on a host.
type process struct {
	t    testing.TB
	name string
	cmd  *exec.Cmd
	log  string        // file with its output
	done chan struct{} // closed when it has ended
	err  error         // valid after done
}

// start runs a program on the host until the test ends. Its output goes to
// name.log in the artefacts of the test.
func (h *host) start(name, path string, args ...string) *process {
	h.t.Helper()
	p := h.command(name, path, args...)
	p.run()
	return p
}

// command prepares a program; run starts it.
func (h *host) command(name, path string, args ...string) *process {
	h.t.Helper()
	if !strings.Contains(path, "/") {
		found, err := tool(path)
		if err != nil {
			h.t.Fatal(err)
		}
		path = found
	}
	ipTool, err := tool("ip")
	if err != nil {
		h.t.Fatal(err)
	}
	within := []string{"netns", "exec", h.namespace}
	if h.names != nil {
		within = append(within, h.names.asked()...)
	}
	cmd := exec.Command(ipTool, append(append(within, path), args...)...)
	cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	return &process{t: h.t, name: name, cmd: cmd, log: filepath.Join(artefacts(h.t), name+".log"), done: make(chan struct{})}
}

func (p *process) run() {
	p.t.Helper()
	out, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		p.t.Fatal(err)
	}
	p.cmd.Stdout, p.cmd.Stderr = out, out
	if err := p.cmd.Start(); err != nil {
		p.t.Fatalf("start %s: %v", p.name, err)
	}
	out.Close()
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	p.t.Cleanup(p.stop)
}

// stop asks the program and its children to end, then makes them.
func (p *process) stop() {
	for _, step := range []struct {
		signal syscall.Signal
		wait   time.Duration
	}{{syscall.SIGTERM, 3 * time.Second}, {syscall.SIGKILL, patience}} {
		_ = syscall.Kill(-p.cmd.Process.Pid, step.signal)
		select {
		case <-p.done:
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			return
		case <-time.After(step.wait):
		}
	}
	p.t.Errorf("%s does not end, even after SIGKILL", p.name)
}

// kill ends it without a chance to tidy up.
func (p *process) kill() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

// signal sends a signal to the program alone.
func (p *process) signal(s syscall.Signal) {
	p.t.Helper()
	if err := p.cmd.Process.Signal(s); err != nil {
		p.t.Fatalf("signal %v to %s: %v", s, p.name, err)
	}
}

// wait waits for its end and returns its exit code.
func (p *process) wait(limit time.Duration) int {
	p.t.Helper()
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode()
	case <-time.After(limit):
		p.t.Fatalf("%s has not ended after %v\n%s", p.name, limit, p.tail())
		return -1
	}
}

// output is everything it has written so far.
func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		p.t.Fatal(err)
	}
	return string(text)
}

// says waits until its output contains text.
func (p *process) says(text string) {
	p.t.Helper()
	p.until(fmt.Sprintf("%s says %q", p.name, text), func() error {
		if strings.Contains(p.output(), text) {
			return nil
		}
		return fmt.Errorf("its last words:\n%s", p.tail())
	})
}

// until is await for something this process does: its end ends the waiting.
func (p *process) until(what string, ready func() error) {
	p.t.Helper()
	await(p.t, what, func() error {
		err := ready()
		if err == nil {
			return nil
		}
		select {
		case <-p.done:
			p.t.Fatalf("%s: %s has ended: %v\n%s", what, p.name, p.err, p.tail())
		default:
		}
		return err
	})
}

// tail is the end of its output, for messages.
func (p *process) tail() string {
	text, _ := os.ReadFile(p.log)
	lines := bytes.SplitAfter(text, []byte("\n"))
	return string(bytes.Join(lines[max(0, len(lines)-25):], nil))
}

// await asks until ready returns nil, and fails the test with its last error
// when that takes longer than anything here may take.
func await(t testing.TB, what string, ready func() error) {
	t.Helper()
	awaitFor(t, patience, what, ready)
}

func awaitFor(t testing.TB, limit time.Duration, what string, ready func() error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	tick := time.NewTicker(8 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ready()
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("waited %v until %s: %v", limit, what, err)
		case <-tick.C:
		}
	}
}
