package building

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"time"
)

const (
	// restartAfter is the wait before an ended process is started again, as an
	// init of a panel would.
	restartAfter = 20 * time.Millisecond

	// healthy is how long a process must have run for its end not to count
	// among the quick ones.
	healthy = time.Second

	// maxQuickEnds of a process in a row end the building: what cannot start
	// is a fault to report.
	maxQuickEnds = 10

	// stopAfter is the time a process has to end in order.
	stopAfter = 3 * time.Second
)

// A process is one program of the building.
type process struct {
	name    string
	program string
	args    []string
	restart bool // start it again when it ends
	quick   int  // ends in a row that came soon
}

// run keeps the process running until ctx ends, and gives the reason when it is
// over for another one. Its lines go to out.
func (p *process) run(ctx context.Context, out *output) error {
	for {
		began := time.Now()
		err := p.once(ctx, out)
		if ctx.Err() != nil {
			return nil
		}
		if err == nil {
			err = errors.New("ended by itself")
		}
		p.quick++
		if time.Since(began) >= healthy {
			p.quick = 0
		}
		if !p.restart || p.quick >= maxQuickEnds {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		out.line("building", fmt.Sprintf("%s %v; starting it again", p.name, err))
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(restartAfter):
		}
	}
}

// once runs the process to its end. It gets a terminating signal when ctx ends,
// and also when this program dies: its thread is held for that, since the kernel
// watches the thread and not the process (prctl(2), PR_SET_PDEATHSIG).
func (p *process) once(ctx context.Context, out *output) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	cmd := exec.CommandContext(ctx, p.program, p.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopAfter
	lines := out.writer(p.name)
	cmd.Stdout, cmd.Stderr = lines, lines
	defer lines.Close()
	return cmd.Run()
}

// An output takes the lines of all processes, in whole lines.
type output struct {
	mu   sync.Mutex
	to   io.Writer
	wait sync.WaitGroup // for the writers
}

// line writes one line of a process.
func (o *output) line(name, text string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	fmt.Fprintf(o.to, "%-9s │ %s\n", name, text)
}

// writer takes what one process writes.
func (o *output) writer(name string) io.WriteCloser {
	r, w := io.Pipe()
	o.wait.Go(func() {
		lines := bufio.NewScanner(r)
		for lines.Scan() {
			o.line(name, lines.Text())
		}
		_, _ = io.Copy(io.Discard, r) // a line too long to scan; the rest is let go
	})
	return w
}
