// Package detect says which machine this is, by the device tree that the kernel
// runs on, and whether a board file is that machine's.
package detect

import (
	"fmt"
	"slices"
	"strings"

	"doorstation/board"

	"periph.io/x/host/v3/distro"
)

// A Machine is what the kernel says of the hardware under it.
type Machine struct {
	Model      string   `json:"model,omitempty"`      // in words; empty: it has no device tree
	Compatible []string `json:"compatible,omitempty"` // the most special one first
}

// This is the machine that the program runs on.
func This() Machine {
	m := Machine{Model: distro.DTModel(), Compatible: distro.DTCompatible()}
	if len(m.Compatible) == 0 {
		m.Model = "" // periph has words of its own for none
	}
	return m
}

// Fit says by which of the machine's compatible strings a board file is of this
// machine, and how many more special ones there are before it: 0 is the best.
func (m Machine) Fit(b *board.Board) (by string, before int, ok bool) {
	for i, c := range m.Compatible {
		if slices.Contains(b.Compatible, c) {
			return c, i, true
		}
	}
	return "", 0, false
}

// Mismatch says in words that a board file is of another machine. It is empty
// when the file fits, or names no machine.
func (m Machine) Mismatch(b *board.Board) string {
	if len(b.Compatible) == 0 {
		return ""
	}
	if _, _, ok := m.Fit(b); ok {
		return ""
	}
	return fmt.Sprintf("board file %s is for %s, and this machine is %s: lines may be others than their names say; the panel goes on with them",
		b.Name, strings.Join(b.Compatible, " or "), m)
}

// String is the machine in words, for a person.
func (m Machine) String() string {
	if len(m.Compatible) == 0 {
		return "one without a device tree"
	}
	return fmt.Sprintf("%s (%s)", m.Model, strings.Join(m.Compatible, ", "))
}
