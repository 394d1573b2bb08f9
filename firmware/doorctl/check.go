package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"doorstation/board"
	"doorstation/board/compile"
	"doorstation/provisioning"
)

// checked is what config check has to say, as JSON.
type checked struct {
	File     string  `json:"file"`
	Good     bool    `json:"good"`
	Revision string  `json:"revision,omitempty"`
	Board    string  `json:"board,omitempty"` // empty: checked without one
	Faults   []fault `json:"faults,omitempty"`
}

type fault struct {
	Line  int    `json:"line,omitempty"`
	Field string `json:"field,omitempty"`
	Value string `json:"value,omitempty"` // never of a secret
	Wrong string `json:"wrong"`
}

// checkConfig reads a configuration as a panel would.
func (t *tool) checkConfig(_ context.Context, words []string) error {
	file := words[0]
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("the configuration cannot be read: %w", err)
	}
	limits, err := t.limits()
	if err != nil {
		return err
	}
	doc, err := provisioning.Decode(raw, file, limits, nil)
	if t.json {
		return t.reportJSON(file, limits, doc, err)
	}
	if err != nil {
		return t.reportFaults(file, err)
	}
	codes := 0
	for _, d := range doc.Doors {
		codes += len(d.Codes)
	}
	hint := ""
	if t.board == "" {
		hint = "It was checked without a board: its buttons, relays and pulses were not compared. Use -board.\n"
	}
	_, err = fmt.Fprintf(t.out, "%s is good: revision %s, flats: %d, doors: %d, codes: %d\n%s",
		file, doc.Revision, len(doc.Flats), len(doc.Doors), codes, hint)
	return err
}

// reportFaults prints a fault a line, and gives the sentence that ends them.
func (t *tool) reportFaults(file string, err error) error {
	var faults provisioning.Errors
	if !errors.As(err, &faults) {
		return err
	}
	for _, one := range faults {
		fmt.Fprintln(t.out, one)
	}
	return fmt.Errorf("a panel would refuse %s and stay on what it has", file)
}

func (t *tool) reportJSON(file string, limits provisioning.Limits, doc *provisioning.Document, err error) error {
	result := checked{File: file, Good: err == nil, Board: limits.Board}
	if doc != nil && err == nil {
		result.Revision = doc.Revision
	}
	var faults provisioning.Errors
	switch {
	case errors.As(err, &faults):
		for _, one := range faults {
			result.Faults = append(result.Faults, fault{one.Line, one.Field, one.Value, one.Limit})
		}
	case err != nil:
		result.Faults = []fault{{Wrong: err.Error()}}
	}
	if printed := t.print(result); printed != nil || err == nil {
		return printed
	}
	return fmt.Errorf("a panel would refuse %s and stay on what it has", file)
}

// limits are those of the board, if there is one.
func (t *tool) limits() (provisioning.Limits, error) {
	if t.board == "" {
		return provisioning.Limits{}, nil
	}
	b, err := readBoard(t.board)
	if err != nil {
		return provisioning.Limits{}, err
	}
	limits := provisioning.Limits{Board: b.Name, Buttons: []string{}, Relays: map[string]time.Duration{}}
	for _, in := range b.Inputs {
		if in.Opens == "" { // the others open a door by themselves and ring nobody
			limits.Buttons = append(limits.Buttons, in.Name)
		}
	}
	for _, relay := range b.Relays {
		limits.Relays[relay.Name] = time.Duration(relay.MaxPulse)
	}
	return limits, nil
}

// readBoard reads a board file as the build's YAML or the panel's JSON.
func readBoard(file string) (*board.Board, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("the board file cannot be read: %w", err)
	}
	if filepath.Ext(file) != ".json" {
		if raw, err = compile.Compile(file, raw); err != nil {
			return nil, err
		}
	}
	b, err := board.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return b, nil
}

// compileBoard prints a board file as the JSON that the panel reads.
func (t *tool) compileBoard(_ context.Context, words []string) error {
	raw, err := os.ReadFile(words[0])
	if err != nil {
		return fmt.Errorf("the board file cannot be read: %w", err)
	}
	out, err := compile.Compile(words[0], raw)
	if err != nil {
		return err
	}
	_, err = t.raw.Write(append(out, '\n'))
	return err
}
