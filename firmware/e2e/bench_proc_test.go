package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

// userHz is the unit of times in /proc/PID/stat (proc(5)); Linux has had 100 on
// every architecture that we build for.
const userHz = 100

// worked is the processor time of the process so far, user and system.
func (p *process) worked() time.Duration {
	p.t.Helper()
	text := p.proc("stat")
	fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
	var ticks int
	for _, field := range fields[11:13] { // utime, stime
		n, err := strconv.Atoi(field)
		if err != nil {
			p.t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / userHz
}

// resident is a number of kB in /proc/PID/status or smaps_rollup, in MB.
func (p *process) resident(file, key string) float64 {
	p.t.Helper()
	_, rest, found := strings.Cut(p.proc(file), "\n"+key+":")
	if !found {
		p.t.Fatalf("/proc/%d/%s has no %s", p.cmd.Process.Pid, file, key)
	}
	kB, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		p.t.Fatal(err)
	}
	return float64(kB) / 1024
}

func (p *process) rss() float64  { p.t.Helper(); return p.resident("status", "VmRSS") }
func (p *process) anon() float64 { p.t.Helper(); return p.resident("status", "RssAnon") }
func (p *process) pss() float64  { p.t.Helper(); return p.resident("smaps_rollup", "Pss") }

func (p *process) proc(file string) string {
	p.t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, file))
	if err != nil {
		p.t.Fatalf("%s: %v\n%s", p.name, err, p.tail())
	}
	return string(text)
}

// execute starts the process from a thread in the host's namespace, with no
// other program before it, and returns when that began.
func (p *process) execute(h *host) time.Time {
	p.t.Helper()
	p.cmd.Args = p.cmd.Args[4:] // without "ip netns exec NAME"
	p.cmd.Path = p.cmd.Args[0]
	var began time.Time
	err := inside(h.namespace, func() error {
		began = time.Now()
		p.run()
		return nil
	})
	if err != nil {
		p.t.Fatal(err)
	}
	return began
}

// busy keeps every core busy until the returned function is called.
func busy(t testing.TB) (stop func()) {
	t.Helper()
	var loops []*exec.Cmd
	stop = func() {
		for _, loop := range loops {
			_ = loop.Process.Kill()
			_ = loop.Wait()
		}
		loops = nil
	}
	t.Cleanup(stop)
	for range runtime.NumCPU() {
		loop := exec.Command("/bin/sh", "-c", "while :; do :; done")
		if err := loop.Start(); err != nil {
			t.Fatal(err)
		}
		loops = append(loops, loop)
	}
	return stop
}
