package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"doorstation/board"
	"doorstation/drivers"
	kernel "doorstation/drivers/gpio"
	"doorstation/drivers/guard"
	"doorstation/drivers/led"
	"doorstation/drivers/sim"
	"doorstation/drivers/watchdog"

	"periph.io/x/conn/v3/gpio"
)

// relayKit is what this build can drive, by the driver's name in board files.
// Each takes a relay's line; safe is its safe level.
var relayKit = map[string]func(dir string, r board.Relay, safe gpio.Level) (gpio.PinOut, error){
	"sim":           takeSim,
	"gpio":          takeGPIO,
	board.DriverLED: takeLED,
}

// inputKit is how this build watches the guard's own inputs.
var inputKit = map[string]func(dir string, lines []board.Input, say func(string)) drivers.Inputs{
	"sim":  watchSim,
	"gpio": watchGPIO,
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

// takeLED switches it off first of all.
func takeLED(_ string, r board.Relay, _ gpio.Level) (gpio.PinOut, error) {
	return led.OpenOutput(r.Line)
}

// drives and pulls are the words of board files, to the kernel's driver.
var (
	drives = map[board.Drive]kernel.Drive{
		board.OpenDrain: kernel.OpenDrain, board.OpenSource: kernel.OpenSource,
	}
	pulls = map[board.Pull]gpio.Pull{
		"": gpio.PullNoChange, board.PullUp: gpio.PullUp, board.PullDown: gpio.PullDown, board.PullNone: gpio.Float,
	}
)

func watchSim(dir string, lines []board.Input, _ func(string)) drivers.Inputs {
	specs := make([]sim.InputLine, len(lines))
	for i, in := range lines {
		specs[i] = sim.InputLine{
			Name: in.Name, Line: in.Line, ActiveLow: in.Active == board.Low, Debounce: in.Debounce.Time(), Present: true,
		}
	}
	return simInputs{path: filepath.Join(dir, "sim.sock"), lines: specs}
}

// simInputs dials each time it watches.
type simInputs struct {
	path  string
	lines []sim.InputLine
}

func (s simInputs) Watch(ctx context.Context, report func(drivers.Input)) error {
	panel, err := sim.Dial(s.path)
	if err != nil {
		return err
	}
	return panel.Inputs(s.lines).Watch(ctx, report)
}

func watchGPIO(_ string, lines []board.Input, say func(string)) drivers.Inputs {
	specs := make([]kernel.InputLine, len(lines))
	for i, in := range lines {
		specs[i] = kernel.InputLine{
			Name: in.Name, Line: in.Line, ActiveLow: in.Active == board.Low, Pull: pulls[in.Pull],
			Debounce: in.Debounce.Time(), StuckAfter: in.Stuck.Time(), Present: true,
		}
	}
	return &kernel.Inputs{Lines: specs, Notice: func(n kernel.Notice) {
		say(n.Input + ": " + n.What)
	}}
}

// openRelays takes the lines of the relays and drives each to its safe level at
// once. One that cannot be had does not keep the others from being made safe.
func openRelays(relays []board.Relay, dir string) ([]guard.Output, error) {
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
	openLine, ok := relayKit[r.Driver]
	if !ok {
		return guard.Output{}, fmt.Errorf("this build has no driver %q", r.Driver)
	}
	low := r.Active == board.Low
	pin, err := openLine(dir, r, gpio.Level(low))
	return guard.Output{Name: r.Name, Pin: pin, ActiveLow: low, Max: r.MaxPulse.Time()}, err
}

// inputsOf are the inputs that the guard owns.
func inputsOf(b *board.Board) (own []guard.Input) {
	for _, in := range b.Inputs {
		if in.Guarded() {
			own = append(own, guard.Input{Name: in.Name, Opens: in.Opens, For: in.OpensFor.Time(), Tamper: in.Tamper})
		}
	}
	return own
}

// watchers report those inputs. One that this build cannot watch is said, and
// does not keep the others from being watched.
func watchers(b *board.Board, dir string, say func(string)) (watch []drivers.Inputs) {
	byDriver := map[string][]board.Input{}
	for _, in := range b.Inputs {
		if in.Guarded() {
			byDriver[in.Driver] = append(byDriver[in.Driver], in)
		}
	}
	for driver, lines := range byDriver {
		open, ok := inputKit[driver]
		if !ok {
			say("inputs: this build has no driver " + driver)
			continue
		}
		watch = append(watch, open(dir, lines, say))
	}
	return watch
}

// watchdogOf opens the board's watchdog; nil if it has none.
func watchdogOf(w board.Watchdog) func() (guard.Watchdog, error) {
	if w.Device == "" {
		return nil
	}
	return func() (guard.Watchdog, error) {
		dog, err := watchdog.Open(w.Device, w.Timeout.Time())
		if err != nil {
			return nil, err
		}
		return dog, nil
	}
}
