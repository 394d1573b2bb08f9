// Package building starts the simulated building's processes and keeps them
// running, makes their configuration, and goes through a call without a person.
package building

import (
	"doorstation/board"
	"doorstation/drivers/sim"
)

// LinesSocket is the name of the line process's socket in the run folder.
const LinesSocket = "sim.sock"

// simDriver is the board's name of the driver whose lines we hold.
const simDriver = "sim"

// Lines are the lines of a board that the line process holds. They begin at
// rest: nothing pressed, no lamp lit, no relay drawn.
func Lines(b *board.Board) []sim.LineSpec {
	var lines []sim.LineSpec
	add := func(driver, name string, active board.Level, output bool) {
		if driver == simDriver {
			lines = append(lines, sim.LineSpec{Name: name, Output: output, ActiveLow: active == board.Low})
		}
	}
	for _, in := range b.Inputs {
		add(in.Driver, in.Line, in.Active, false)
	}
	for _, r := range b.Relays {
		add(r.Driver, r.Line, r.Active, true)
	}
	for _, l := range b.Lamps {
		add(l.Driver, l.Line, l.Active, true)
	}
	return lines
}
