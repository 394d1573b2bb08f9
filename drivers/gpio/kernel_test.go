//go:build board

package gpio

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/board/emulator"
	"doorstation/drivers"

	"periph.io/x/conn/v3/gpio"
)

// These tests run this package on emulated boards: the test program, built for
// the board, is in the guest, and plays the role that this variable names. What
// it says in lines that begin with "emu: " reaches the host as marks.
const roleVariable = "GPIO_TEST_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := map[string]func() error{"watch": playWatch, "outputs": playOutputs}[role](); err != nil {
		say("%s failed: %v", role, err)
	}
}

func say(format string, args ...any) { fmt.Printf("emu: "+format+"\n", args...) }

const stuckInTest = 3 * time.Second

func playWatch() error {
	in := Inputs{
		Lines: []InputLine{
			{Name: "a", Line: "BUTTON1", ActiveLow: true, Pull: gpio.PullUp, Debounce: 20 * time.Millisecond, StuckAfter: stuckInTest},
			{Name: "b", Line: "BUTTON2", ActiveLow: true, StuckAfter: stuckInTest},
			{Name: "c", Line: "NOWHERE"},
		},
		Notice: func(n Notice) { say("notice %s %s", n.Input, n.What) },
	}
	return in.Watch(context.Background(), func(c drivers.Input) {
		say("input %s %v %dms ago", c.Name, c.Active, (monotonic() - c.At).Milliseconds())
	})
}

// playOutputs drives two lines, whose edges the host counts.
func playOutputs() error {
	quiet, err := OpenOutput("DOOR1", gpio.Low, PushPull)
	if err != nil {
		return err
	}
	out, err := OpenOutput("DOOR2", gpio.High, PushPull)
	if err != nil {
		return err
	}
	if _, err := OpenOutput("DOOR2", gpio.Low, PushPull); err == nil {
		return fmt.Errorf("DOOR2 was given twice")
	}
	for range 100 {
		if l, err := level(out.fd); err != nil || l != gpio.High {
			return fmt.Errorf("DOOR2 reads %v, %w", l, err)
		}
	}
	for _, l := range []gpio.Level{gpio.High, gpio.Low, gpio.High} {
		if err := out.Out(l); err != nil {
			return err
		}
	}
	if err := quiet.Close(); err != nil {
		return err
	}
	if err := out.Close(); err != nil {
		return err
	}
	again, err := OpenOutput("DOOR2", gpio.High, PushPull) // takes it over as it is
	if err != nil {
		return err
	}
	say("outputs done")
	return again.Close()
}

// kernelBoot starts a board that has this test program.
func kernelBoot(t *testing.T, board string) *emulator.Machine {
	t.Helper()
	program := filepath.Join(t.TempDir(), "gpio.test")
	build := exec.Command("go", "test", "-c", "-tags", "board", "-ldflags", "-s -w", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+map[string]string{"armhf": "arm", "arm64": "arm64"}[emulator.Arch(board)])
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	m, err := emulator.Boot(t.Context(), emulator.Options{Board: board, Files: []emulator.File{{Path: "/bin/gpio.test", From: program}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(m.Close)
	mark(t, m, "ready", 0)
	return m
}

// mark waits for what the guest says.
func mark(t *testing.T, m *emulator.Machine, prefix string, index int) emulator.Mark {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), emulator.BootTime)
	defer stop()
	k, err := m.Mark(ctx, prefix, index)
	if err != nil {
		t.Fatalf("%q, number %d: %v\n%s", prefix, index, err, m.Console())
	}
	return k
}

func shell(t *testing.T, m *emulator.Machine, script string) {
	t.Helper()
	if out, code, err := m.Run(t.Context(), script); err != nil || code != 0 {
		t.Fatalf("%s: status %d, %v\n%s", script, code, err, out)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// marks counts what the guest has said.
func marks(m *emulator.Machine, prefix string) int { return strings.Count(m.Console(), "emu: "+prefix) }

func TestOutputsOnTheKernel(t *testing.T) {
	for _, board := range emulator.Boards() {
		t.Run(board, func(t *testing.T) {
			m := kernelBoot(t, board)
			shell(t, m, roleVariable+"=outputs gpio.test >/dev/console 2>&1 &")
			mark(t, m, "outputs", 0)
			if marks(m, "outputs done") != 1 {
				t.Fatal(m.Console())
			}
			shell(t, m, "true") // all edges from before have come
			var seen []string
			for _, e := range m.Edges() {
				seen = append(seen, fmt.Sprint(e.Line, e.High))
			}
			if got := strings.Join(seen, " "); got != "DOOR2true DOOR2false DOOR2true" {
				t.Errorf("edges seen from outside: %s; want DOOR2 up, down, up and no other", got)
			}
		})
	}
}

func TestInputsOnTheKernel(t *testing.T) {
	for _, board := range emulator.Boards() {
		t.Run(board, func(t *testing.T) {
			m := kernelBoot(t, board)
			shell(t, m, roleVariable+"=watch gpio.test >/dev/console 2>&1 & echo $! >/tmp/pid")
			mark(t, m, "notice c "+NoticeAbsent, 0)
			for n := 0; marks(m, "input b true") == 0; n++ { // until it watches
				must(t, m.Press("BUTTON2"))
				shell(t, m, "usleep 100000")
				must(t, m.Release("BUTTON2"))
				shell(t, m, "usleep 100000")
			}
			must(t, m.Press("BUTTON1"))
			t.Log(mark(t, m, "input a true", 0).Text)
			must(t, m.Release("BUTTON1"))
			t.Log(mark(t, m, "input a false", 0).Text)
			t.Logf("debounced by the kernel: %v", marks(m, "notice a "+NoticeDebounce) == 0)

			before := marks(m, "input b true")
			shell(t, m, "kill -STOP $(cat /tmp/pid)")
			for range 10 { // more edges than the kernel keeps, each of them seen by it
				must(t, m.Press("BUTTON2"))
				shell(t, m, "usleep 2000")
				must(t, m.Release("BUTTON2"))
				shell(t, m, "usleep 2000")
			}
			must(t, m.Press("BUTTON1"))
			shell(t, m, "usleep 100000; kill -CONT $(cat /tmp/pid)")
			mark(t, m, "input a true", 1)
			mark(t, m, "input b false", before)
			if n := marks(m, "input b true") - before; n != 1 {
				t.Errorf("10 presses unseen were reported as %d", n)
			}
			mark(t, m, "notice a "+NoticeStuck, 0)
			must(t, m.Press("BUTTON2")) // the other one works while one is stuck
			mark(t, m, "input b true", before+1)
			must(t, m.Release("BUTTON1"))
			mark(t, m, "notice a "+NoticeFreed, 0)
			mark(t, m, "input a false", 1)
			if n := marks(m, "notice a "+NoticeStuck); n != 1 {
				t.Errorf("stuck was said %d times", n)
			}
		})
	}
}
