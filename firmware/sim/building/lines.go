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
// rest: nothing pressed, no lamp lit, no relay drawn, the doors and the cover
// closed.
func Lines(b *board.Board) []sim.LineSpec {
	var lines []sim.LineSpec
	add := func(driver string, level board.Level, line sim.LineSpec) {
		if line.ActiveLow = level == board.Low; driver == simDriver {
			lines = append(lines, line)
		}
	}
	for _, in := range b.Inputs {
		add(in.Driver, in.Active, sim.LineSpec{Name: in.Line, StartActive: in.Contact != ""})
	}
	for _, r := range b.Relays {
		add(r.Driver, r.Active, sim.LineSpec{Name: r.Line, Output: true})
	}
	for _, l := range b.Lamps {
		add(l.Driver, l.Active, sim.LineSpec{Name: l.Line, Output: true})
	}
	for _, o := range b.Outputs {
		add(o.Driver, o.Active, sim.LineSpec{Name: o.Line, Output: true})
	}
	return lines
}
