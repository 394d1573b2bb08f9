package main

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstation/drivers/guard"
	"doorstation/drivers/sim"
)

func TestStartMakesLinesSafe(t *testing.T) {
	p := newPanel(t, "10s", "DOOR1", "DOOR2")
	if !p.levels["DOOR1"] || !p.levels["DOOR2"] {
		t.Fatalf("lines begin with %v, want both active", p.levels)
	}
	g := p.guard()
	for _, line := range []string{"DOOR1", "DOOR2"} {
		c := p.expect(line, false)
		t.Logf("process start to %s safe: %v", line, c.At-g.began)
	}
}

func TestStartMovesNoSafeLine(t *testing.T) {
	p := newPanel(t, "10s")
	g := p.guard()
	p.still() // DOOR2 is active low: a low level first would have been a pulse
	g.signal(t, syscall.SIGTERM)
	if err := g.Wait(); err != nil {
		t.Error("SIGTERM:", err)
	}
	p.still()
}

func TestClientEndsInAPulse(t *testing.T) {
	for _, c := range []struct {
		name, role string
		end        func(t *testing.T, client *process) time.Duration
	}{
		{"killed", "hold", func(t *testing.T, client *process) time.Duration { return client.signal(t, syscall.SIGKILL) }},
		{"crashes", "hold", func(t *testing.T, client *process) time.Duration { return client.signal(t, syscall.SIGSEGV) }},
		{"stopped", "hold", func(t *testing.T, client *process) time.Duration { return client.signal(t, syscall.SIGSTOP) }},
		{"nonsense", "nonsense", misbehave},
		{"closes", "close", misbehave},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := newPanel(t, "10s")
			g := p.guard()
			client := p.helper("pulsing", c.role)
			p.expect("DOOR1", true)
			at := c.end(t, client)
			t.Logf("client %s to line safe: %v", c.name, p.expect("DOOR1", false).At-at)
			t.Log(g.await(t, "doorguard: door1 off"))
			p.helper("pulsing", "hold") // and the next client is served
			p.expect("DOOR1", true)
		})
	}
}

// misbehave lets a rude client do what it is there for.
func misbehave(t *testing.T, client *process) time.Duration {
	at := monotonic()
	if _, err := client.stdin.Write([]byte("now")); err != nil {
		t.Fatal(err)
	}
	return at
}

func TestGuardKilledInAPulse(t *testing.T) {
	p := newPanel(t, "10s")
	g := p.guard()
	client := p.helper("pulsing", "hold")
	p.expect("DOOR1", true)
	at := g.signal(t, syscall.SIGKILL)
	_ = g.Wait()
	_ = client.Wait() // it has noticed that the guard is gone
	p.still()         // the line keeps its level, as it does on real hardware
	again := p.guard()
	c := p.expect("DOOR1", false)
	t.Logf("guard started again to line safe: %v; killed to line safe: %v", c.At-again.began, c.At-at)
}

func TestGuardEndsInAPulse(t *testing.T) {
	for _, s := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT} {
		t.Run(s.String(), func(t *testing.T) {
			p := newPanel(t, "10s")
			g := p.guard()
			p.helper("pulsing", "hold")
			p.expect("DOOR1", true)
			at := g.signal(t, s)
			t.Logf("%v to line safe: %v", s, p.expect("DOOR1", false).At-at)
			if err := g.Wait(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestGuardLosesItsLog(t *testing.T) {
	p := newPanel(t, "10s")
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, "-board", filepath.Join(p.dir, "board.json"), "-run", p.dir)
	cmd.Stderr = w
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	w.Close()
	first := make([]byte, 512)
	for seen := ""; !strings.Contains(seen, "serves"); seen += string(first) {
		if _, err := r.Read(first); err != nil {
			t.Fatal(err)
		}
	}
	r.Close() // from here on, writing to the log is a broken pipe
	client := p.helper("pulsing", "hold")
	p.expect("DOOR1", true)
	client.signal(t, syscall.SIGKILL)
	p.expect("DOOR1", false)
	p.helper("pulsing", "hold")
	p.expect("DOOR1", true)
}

func TestHardLimitAgainstExtending(t *testing.T) {
	p := newPanel(t, "600ms")
	p.guard()
	p.helper("extending", "extend")
	var rose, fell sim.Change
	for range 2 {
		rose = p.expect("DOOR1", true)
		if fell.At != 0 {
			t.Logf("safe for %v in between", rose.At-fell.At)
		}
		fell = p.expect("DOOR1", false) // though the client goes on extending
		t.Logf("active for %v, limit 600ms", fell.At-rose.At)
	}
}

func TestSecondGuard(t *testing.T) {
	p := newPanel(t, "10s")
	p.guard()
	client := p.helper("pulsing", "hold")
	p.expect("DOOR1", true)
	out, err := exec.Command(program, "-board", filepath.Join(p.dir, "board.json"), "-run", p.dir).CombinedOutput()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.ExitCode() != 1 || !strings.Contains(string(out), "in use by another process") {
		t.Errorf("second guard: %v, %s", err, out)
	}
	p.still() // the first one's pulse goes on
	client.signal(t, syscall.SIGKILL)
	p.expect("DOOR1", false)
}

func TestSecondClient(t *testing.T) {
	p := newPanel(t, "10s")
	p.guard()
	client := p.helper("pulsing", "hold")
	p.expect("DOOR1", true)
	if _, err := guard.Dial(filepath.Join(p.dir, "guard.sock")); !errors.Is(err, guard.ErrBusy) {
		t.Errorf("second client: %v, want ErrBusy", err)
	}
	p.still()
	client.signal(t, syscall.SIGKILL)
	p.expect("DOOR1", false)
}

func TestClientHearsItsPulse(t *testing.T) {
	p := newPanel(t, "600ms")
	g := p.guard()
	c, err := guard.Dial(filepath.Join(p.dir, "guard.sock"))
	if err != nil {
		t.Fatal(err)
	}
	edges, end := make(chan guard.Edge, 8), make(chan error, 1)
	go func() { end <- c.Run(context.Background(), guard.Handler{Edge: func(e guard.Edge) { edges <- e }}) }()
	if err := c.Pulse("door2", 100*time.Millisecond, "code of Smith"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []guard.Edge{
		{Relay: "door2", Active: true, Seq: 1, Cause: "pulse: code of Smith"},
		{Relay: "door2", Seq: 1, Cause: "pulse over"},
	} {
		line := p.expect("DOOR2", want.Active)
		edge := <-edges
		t.Logf("%s %v: line at %v, guard %v later", line.Line, want.Active, line.At, edge.At-line.At)
		if edge.At = 0; edge != want {
			t.Errorf("edge %+v, want %+v", edge, want)
		}
	}
	if line := g.await(t, "doorguard: door2 on"); line != "doorguard: door2 on seq 1: pulse: code of Smith" {
		t.Error(line)
	}
	var refused *guard.RefusedError
	for _, d := range []time.Duration{0, 601 * time.Millisecond, 2 * time.Hour} {
		if err := c.Pulse("door1", d, "x"); !errors.As(err, &refused) || !errors.Is(err, guard.ErrRefused) {
			t.Errorf("pulse of %v: %v, want a refusal", d, err)
		}
	}
	p.still()
	g.signal(t, syscall.SIGKILL)
	if err := <-end; !errors.Is(err, guard.ErrGone) {
		t.Errorf("Run ended with %v, want ErrGone", err)
	}
	if err := c.Pulse("door1", time.Second, "x"); !errors.Is(err, guard.ErrGone) {
		t.Errorf("pulse without guard: %v, want ErrGone", err)
	}
}

func TestBadStarts(t *testing.T) {
	p := newPanel(t, "10s")
	bad := filepath.Join(p.dir, "bad.json")
	if err := os.WriteFile(bad, []byte(`{"name":"x","relays":[{"name":"door1","max_puls":"5s"}]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-help"}, 0, "usage: doorguard -board board.json -run DIR"},
		{nil, 2, "usage:"},
		{[]string{"-board", bad, "-run", p.dir}, 1, `unknown field "max_puls"`},
		{[]string{"-board", filepath.Join(p.dir, "none.json"), "-run", p.dir}, 1, "no such file"},
		{[]string{"-board", filepath.Join(p.dir, "board.json"), "-run", p.dir + "/none"}, 1, "line process is gone"},
	} {
		cmd := exec.Command(program, c.args...)
		out, _ := cmd.CombinedOutput()
		if cmd.ProcessState.ExitCode() != c.code || !strings.Contains(string(out), c.says) {
			t.Errorf("%q: status %d, %s", c.args, cmd.ProcessState.ExitCode(), out)
		}
	}
	p.still()
}

func BenchmarkClientKilled(b *testing.B) {
	p := newPanel(b, "10s")
	p.guard()
	var times []time.Duration
	for b.Loop() {
		client := p.helper("pulsing", "hold")
		p.expect("DOOR1", true)
		at := client.signal(b, syscall.SIGKILL)
		times = append(times, p.expect("DOOR1", false).At-at)
	}
	report(b, times)
}

func BenchmarkGuardKilled(b *testing.B) {
	p := newPanel(b, "10s")
	var times []time.Duration
	g := p.guard()
	for b.Loop() {
		p.helper("pulsing", "hold")
		p.expect("DOOR1", true)
		at := g.signal(b, syscall.SIGKILL)
		_ = g.Wait()
		g = p.guard()
		times = append(times, p.expect("DOOR1", false).At-at)
	}
	report(b, times)
}

// BenchmarkPulse is one Pulse, until the guard has driven the line and said so.
func BenchmarkPulse(b *testing.B) {
	p := newPanel(b, "10s")
	p.guard()
	c, err := guard.Dial(filepath.Join(p.dir, "guard.sock"))
	if err != nil {
		b.Fatal(err)
	}
	over := make(chan struct{}, 8)
	go func() {
		_ = c.Run(context.Background(), guard.Handler{Edge: func(e guard.Edge) {
			if !e.Active {
				over <- struct{}{}
			}
		}})
	}()
	var times []time.Duration
	for b.Loop() {
		at := monotonic()
		if err := c.Pulse("door1", 60*time.Millisecond, "bench"); err != nil {
			b.Fatal(err)
		}
		times = append(times, p.expect("DOOR1", true).At-at)
		<-over
		p.expect("DOOR1", false)
	}
	report(b, times)
}

// report shows how the times are spread.
func report(b *testing.B, times []time.Duration) {
	slices.Sort(times)
	at := func(percent int) float64 {
		return float64(times[(len(times)-1)*percent/100].Microseconds()) / 1000
	}
	b.ReportMetric(at(50), "median_ms")
	b.ReportMetric(at(99), "p99_ms")
	b.ReportMetric(at(100), "max_ms")
}
