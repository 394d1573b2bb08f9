// Package compile turns a board file, written by a person in YAML, into the
// checked JSON that the panel's processes read. It runs where the firmware is
// built; no process of a panel imports it.
package compile

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"strings"

	"doorstation/board"

	"go.yaml.in/yaml/v3"
)

// maxFile is the longest board file in bytes.
const maxFile = 64 << 10

// An Error is one fault of a board file.
type Error struct {
	File  string
	Line  int    // 1 is the first; 0: the file as a whole
	Field string // such as relays[0].max_pulse; may be empty
	Fault string // the value and what it may be
}

func (e *Error) Error() string {
	where := e.File
	if e.Line > 0 {
		where = fmt.Sprintf("%s:%d", e.File, e.Line)
	}
	if e.Field == "" {
		return where + ": " + e.Fault
	}
	return where + ": " + e.Field + ": " + e.Fault
}

// Compile checks the board file whole and returns it as JSON that board.Parse
// takes. file is its name for messages. An error holds one *Error for each
// fault (errors.Join), in the order of the board's fields.
func Compile(file string, raw []byte) ([]byte, error) {
	root, err := document(file, raw)
	if err != nil {
		return nil, err
	}
	w := walker{file: file, lines: map[string]int{}}
	value := w.value(root, reflect.TypeFor[board.Board](), "")
	if len(w.faults) > 0 {
		return nil, errors.Join(w.faults...)
	}
	out, err := json.MarshalIndent(value, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if _, err := board.Parse(out); err != nil {
		return nil, w.locate(err)
	}
	return append(out, '\n'), nil
}

// document reads exactly one YAML document.
func document(file string, raw []byte) (*yaml.Node, error) {
	if len(raw) > maxFile {
		return nil, &Error{File: file, Fault: fmt.Sprintf("%d bytes, limit %d", len(raw), maxFile)}
	}
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, more yaml.Node
	if err := dec.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, &Error{File: file, Fault: "is empty"}
		}
		return nil, &Error{File: file, Fault: err.Error()}
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, &Error{File: file, Fault: "want one document, something follows it"}
	}
	return doc.Content[0], nil
}

// locate gives the faults that board.Parse has found their lines.
func (w *walker) locate(err error) error {
	var faults []error
	for _, e := range flatten(err) {
		path := e.Path
		for w.lines[path] == 0 && path != "" {
			path = parent(path)
		}
		fault := e.Value + ", want " + e.Want
		if e.Value == "" {
			fault = "missing, want " + e.Want
		}
		faults = append(faults, &Error{File: w.file, Line: w.lines[path], Field: e.Path, Fault: fault})
	}
	if faults == nil {
		return &Error{File: w.file, Fault: err.Error()}
	}
	return errors.Join(faults...)
}

// parent is the path of what holds path: a[0].b, a[0], a.
func parent(path string) string {
	return path[:max(0, strings.LastIndexAny(path, ".["))]
}

// flatten finds the field errors that have been joined and wrapped.
func flatten(err error) []*board.FieldError {
	switch e := err.(type) {
	case *board.FieldError:
		return []*board.FieldError{e}
	case interface{ Unwrap() []error }:
		var all []*board.FieldError
		for _, one := range e.Unwrap() {
			all = append(all, flatten(one)...)
		}
		return all
	case interface{ Unwrap() error }:
		return flatten(e.Unwrap())
	}
	return nil
}
