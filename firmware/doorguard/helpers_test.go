package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/board"
	"doorstation/drivers/guard"
	"doorstation/drivers/seqpacket"
	"doorstation/drivers/sim"
)

// roleVariable tells this test binary, started again, what to be.
const roleVariable = "DOORGUARD_TEST_ROLE"

// fence is an input line that a test moves to know that it has seen all that
// happened before.
const fence = "FENCE"

// program is the doorguard that the tests run.
var program string

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		if err := play(strings.Fields(role)); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		return
	}
	os.Exit(buildAndRun(m))
}

func buildAndRun(m *testing.M) int {
	dir, err := os.MkdirTemp("", "doorguard")
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "doorguard")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Printf("go build: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// play is what the other processes of the tests do. Arguments are the role and
// the directory of the sockets, then what the role wants.
func play(args []string) error {
	role, dir, rest := args[0], args[1], args[2:]
	switch role {
	case "lines":
		return playLines(dir, rest)
	case "hold":
		return playClient(dir, func(c *guard.Client) error {
			if err := persist(c); err != nil {
				return err
			}
			fmt.Println("pulsing")
			select {}
		})
	case "extend":
		for { // whatever happens to it, it comes again
			_ = playClient(dir, extend)
		}
	case "close", "nonsense":
		return playRude(dir, role)
	}
	return errors.New("no such role: " + role)
}

// playLines is the line process; active are lines that are found active.
func playLines(dir string, active []string) error {
	raw, err := os.ReadFile(filepath.Join(dir, "board.json"))
	if err != nil {
		return err
	}
	b, err := board.Parse(raw)
	if err != nil {
		return err
	}
	lines := []sim.LineSpec{{Name: fence}}
	for _, r := range b.Relays {
		lines = append(lines, sim.LineSpec{
			Name: r.Line, Output: true, ActiveLow: r.Active == board.Low, StartActive: slices.Contains(active, r.Line),
		})
	}
	for _, in := range b.Inputs {
		lines = append(lines, sim.LineSpec{Name: in.Line, ActiveLow: in.Active == board.Low, StartActive: slices.Contains(active, in.Line)})
	}
	return sim.Serve(context.Background(), filepath.Join(dir, "sim.sock"), lines,
		sim.Options{Ready: func() { fmt.Println("ready") }})
}

func playClient(dir string, then func(*guard.Client) error) error {
	c, err := guard.Dial(filepath.Join(dir, "guard.sock"))
	if err != nil {
		return err
	}
	end := make(chan error, 1)
	go func() { end <- c.Run(context.Background(), guard.Handler{}) }()
	go func() { end <- then(c) }()
	return <-end
}

// persist asks for a pulse until the guard's limit of pulses in a second allows
// it: the benchmarks start one client after the other.
func persist(c *guard.Client) error {
	for every := time.NewTicker(guard.BeatEvery); ; <-every.C {
		if err := c.Pulse("door1", 8*time.Second, "hold"); !errors.Is(err, guard.ErrRefused) {
			return err
		}
	}
}

// extend asks for one pulse after the other, for ever, whatever the guard says.
func extend(c *guard.Client) error {
	fmt.Println("extending")
	for every := time.NewTicker(60 * time.Millisecond); ; <-every.C {
		if err := c.Pulse("door1", 300*time.Millisecond, "extend"); err != nil && !errors.Is(err, guard.ErrRefused) {
			return err
		}
	}
}

// playRude speaks the protocol without the Client, and ends badly when it is
// told to on standard input.
func playRude(dir, how string) error {
	conn, err := seqpacket.Dial(filepath.Join(dir, "guard.sock"))
	if err != nil {
		return err
	}
	ctx, buf := context.Background(), make([]byte, 512)
	if _, err := conn.Recv(ctx, buf); err != nil {
		return err
	}
	if err := conn.Send(ctx, fmt.Appendf(nil, "2 pulse 1 door1 8000 %d rude", monotonic())); err != nil {
		return err
	}
	fmt.Println("pulsing")
	go func() {
		for range time.Tick(guard.BeatEvery) {
			if conn.Send(ctx, []byte("2 beat")) != nil {
				return
			}
		}
	}()
	if _, err := os.Stdin.Read(buf); err != nil {
		return err
	}
	if how == "close" {
		return conn.Close()
	}
	if err := conn.Send(ctx, []byte("2 pulse 2 door1 8000 0 \x00")); err != nil {
		return err
	}
	select {}
}
