package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"doorstation/board"
	"doorstation/board/compile"
	"doorstation/board/detect"
	"doorstation/board/detect/chips"
)

// detected is what board detect has to say, as JSON.
type detected struct {
	Machine detect.Machine `json:"machine"`
	Fits    []fitting      `json:"fits"` // the best first
	Chips   []chips.Chip   `json:"chips"`
	Lines   []foundLine    `json:"lines,omitempty"` // of the board that fits best
}

// fitting is a board file that is of this machine.
type fitting struct {
	Board string `json:"board"`
	By    string `json:"by"` // the machine's compatible string

	before int // how many more special strings stand before it
	of     *board.Board
}

// foundLine is a line of the board file on this machine.
type foundLine struct {
	Name string `json:"name"`           // the board's
	Line string `json:"line"`           // the driver's
	At   string `json:"at,omitempty"`   // chip and number; empty: not on this machine
	User string `json:"user,omitempty"` // who has it
}

// detectBoard says which board file this machine wants, and lists its lines.
func (t *tool) detectBoard(context.Context, []string) error {
	boards, err := t.boards()
	if err != nil {
		return err
	}
	list, failed := chips.List()
	d := detectAmong(detect.This(), list, boards)
	if t.json {
		err = t.print(d)
	} else {
		err = d.write(t.out)
	}
	switch {
	case err != nil:
		return err
	case failed != nil:
		return failed
	case len(d.Fits) == 0:
		return fmt.Errorf("none of %d board files is for this machine; board/README.md tells how to write one", len(boards))
	}
	return nil
}

// boards are the one of -board, or all that this build knows.
func (t *tool) boards() ([]*board.Board, error) {
	if t.board != "" {
		b, err := readBoard(t.board)
		return []*board.Board{b}, err
	}
	entries, err := board.Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	var all []*board.Board
	for _, e := range entries {
		yaml, err := board.Files.ReadFile(e.Name())
		if err != nil {
			return nil, err
		}
		raw, err := compile.Compile(e.Name(), yaml)
		if err != nil {
			return nil, err
		}
		b, err := board.Parse(raw)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Name(), err)
		}
		all = append(all, b)
	}
	return all, nil
}

// detectAmong judges boards by what the machine is.
func detectAmong(m detect.Machine, list []chips.Chip, boards []*board.Board) detected {
	d := detected{Machine: m, Fits: []fitting{}, Chips: list}
	for _, b := range boards {
		if by, before, ok := m.Fit(b); ok {
			d.Fits = append(d.Fits, fitting{Board: b.Name, By: by, before: before, of: b})
		}
	}
	slices.SortStableFunc(d.Fits, func(a, b fitting) int { return cmp.Compare(a.before, b.before) })
	if len(d.Fits) > 0 {
		d.Lines = linesOn(list, d.Fits[0].of)
	}
	return d
}

// linesOn finds the kernel's lines of a board.
func linesOn(list []chips.Chip, b *board.Board) []foundLine {
	var lines []foundLine
	for _, w := range wires(b) {
		if w.driver != "gpio" {
			continue
		}
		f := foundLine{Name: w.name, Line: w.line}
		if chip, line, ok := chips.Find(list, w.line); ok {
			f.At, f.User = fmt.Sprintf("%s:%d", chip.Name, line.Number), line.User
		}
		lines = append(lines, f)
	}
	return lines
}

// A wire is one line of a board.
type wire struct{ name, driver, line, terminal string }

// wires are the lines of a board in the order of its file.
func wires(b *board.Board) []wire {
	var all []wire
	for _, in := range b.Inputs {
		all = append(all, wire{in.Name, in.Driver, in.Line, in.Terminal})
	}
	for _, r := range b.Relays {
		all = append(all, wire{r.Name, r.Driver, r.Line, r.Terminal})
	}
	for _, l := range b.Lamps {
		all = append(all, wire{l.Name, l.Driver, l.Line, l.Terminal})
	}
	for _, o := range b.Outputs {
		all = append(all, wire{o.Name, o.Driver, o.Line, o.Terminal})
	}
	return all
}

// write prints a subject a line.
func (d detected) write(w io.Writer) error {
	var b strings.Builder
	line := func(subject, format string, args ...any) {
		fmt.Fprintf(&b, "%-9s %s\n", subject, fmt.Sprintf(format, args...))
	}
	line("machine", "%s", d.Machine)
	for _, f := range d.Fits {
		line("board", "%s fits, by %s", f.Board, f.By)
	}
	for _, c := range d.Chips {
		used := 0
		for _, l := range c.Lines {
			if l.User != "" {
				used++
			}
		}
		line("chip", "%s (%s), lines: %d, in use: %d", c.Name, c.Label, len(c.Lines), used)
	}
	for _, l := range d.Lines {
		where := orElse(l.At, "not on this machine")
		if l.User != "" {
			where += ", in use by " + l.User
		}
		line("line", "%s is %s: %s", l.Name, l.Line, where)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
