// Command doorguard alone drives the relays of a panel. It takes pulses from
// one client over DIR/guard.sock, and makes every relay safe when it starts,
// when its client ends, and when it ends itself. It contains no network code
// and reads no configuration but the board.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"doorstation/board"
	kernel "doorstation/drivers/gpio"
	"doorstation/drivers/guard"
	"doorstation/drivers/sim"

	"periph.io/x/conn/v3/gpio"
)

// kit is what this build can drive, by the driver's name in board files. Each
// takes a relay's line; safe is its safe level.
var kit = map[string]func(dir string, r board.Relay, safe gpio.Level) (gpio.PinOut, error){
	"sim":  takeSim,
	"gpio": takeGPIO,
}

// takeSim takes the line of a process as it is, and then makes it safe.
func takeSim(dir string, r board.Relay, safe gpio.Level) (gpio.PinOut, error) {
	pin, err := sim.OpenOutput(filepath.Join(dir, "sim.sock"), r.Line)
	if err != nil {
		return nil, err
	}
	return pin, pin.Out(safe)
}

// takeGPIO takes the line and makes it safe in one request.
func takeGPIO(_ string, r board.Relay, safe gpio.Level) (gpio.PinOut, error) {
	return kernel.OpenOutput(r.Line, safe, drives[r.Drive])
}

// drives are the words of board files, to the kernel's driver.
var drives = map[board.Drive]kernel.Drive{
	board.OpenDrain: kernel.OpenDrain, board.OpenSource: kernel.OpenSource,
}

func main() {
	boardFile := flag.String("board", "", "board description, the JSON `file` that the build made of the board's YAML")
	dir := flag.String("run", "", "`directory` of the sockets: guard.sock, and those of the drivers")
	flag.Usage = usage
	flag.Parse()
	if *boardFile == "" || *dir == "" || flag.NArg() != 0 {
		usage()
		os.Exit(2)
	}
	if err := run(*boardFile, *dir); err != nil {
		fmt.Fprintln(os.Stderr, "doorguard:", err)
		os.Exit(1)
	}
}

func usage() {
	fmt.Fprint(os.Stderr, `doorguard drives the relays of a door station and keeps them safe.

usage: doorguard -board board.json -run DIR

`)
	flag.PrintDefaults()
	fmt.Fprint(os.Stderr, `
It writes a line per event to standard error. SIGTERM makes the relays safe and
ends it with status 0; a fault ends it with status 1, and whoever started it
starts it again.
`)
}

func run(boardFile, dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT)
	defer stop()
	// Standard error may be a pipe that nobody reads any more. Writing to it
	// must not end the guard in the middle of a pulse.
	signal.Ignore(syscall.SIGPIPE)
	raw, err := os.ReadFile(boardFile)
	if err != nil {
		return err
	}
	b, err := board.Parse(raw)
	if err != nil {
		return fmt.Errorf("%s: %w", boardFile, err)
	}
	outs, err := open(b.Relays, dir)
	if err != nil {
		return err
	}
	return guard.Serve(ctx, filepath.Join(dir, "guard.sock"), outs, os.Stderr)
}

// open takes the lines of the relays and drives each to its safe level at once.
// One that cannot be had does not keep the others from being made safe.
func open(relays []board.Relay, dir string) ([]guard.Output, error) {
	var outs []guard.Output
	var faults []error
	for _, r := range relays {
		out, err := take(r, dir)
		if err != nil {
			faults = append(faults, fmt.Errorf("relay %s: %w", r.Name, err))
			continue
		}
		outs = append(outs, out)
	}
	return outs, errors.Join(faults...)
}

func take(r board.Relay, dir string) (guard.Output, error) {
	openLine, ok := kit[r.Driver]
	if !ok {
		return guard.Output{}, fmt.Errorf("this build has no driver %q", r.Driver)
	}
	low := r.Active == board.Low
	pin, err := openLine(dir, r, gpio.Level(low))
	return guard.Output{Name: r.Name, Pin: pin, ActiveLow: low, Max: r.MaxPulse.Time()}, err
}
