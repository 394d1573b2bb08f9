package provisioning

import (
	"fmt"
	"strconv"
	"strings"
)

// maxErrors bounds how many faults of one document are listed.
const maxErrors = 20

// An Error is one fault of a document, in words that a person can act on.
type Error struct {
	File  string // the document's name, as given to Decode
	Line  int    // from 1; 0 when the fault has no line
	Field string // path of the setting, such as "doors[0].pulse"; empty for the whole document
	Value string // as it was written; empty when there is none, and always for secrets
	Limit string // what is wrong and what would be right, with its unit
}

// Error says file, line, field, value and limit, in this order.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString(e.File)
	if e.Line > 0 {
		fmt.Fprintf(&b, ":%d", e.Line)
	}
	b.WriteString(": ")
	if e.Field != "" {
		b.WriteString(e.Field)
		if e.Value != "" {
			b.WriteString(" is " + strconv.Quote(shorten(e.Value)))
		}
		b.WriteString(": ")
	}
	b.WriteString(e.Limit)
	return b.String()
}

// Errors are the faults of one document in the order in which they were
// found, at most 20 and a last one that says that there are more.
type Errors []*Error

// Error joins the faults with semicolons.
func (e Errors) Error() string {
	all := make([]string, len(e))
	for i, one := range e {
		all[i] = one.Error()
	}
	return strings.Join(all, "; ")
}

// Unwrap lets errors.As find the single faults.
func (e Errors) Unwrap() []error {
	all := make([]error, len(e))
	for i, one := range e {
		all[i] = one
	}
	return all
}

// A RefusedError says that a document was not put in force, why, and what the
// panel does instead.
type RefusedError struct {
	Hash    string // SHA-256 of the refused document, hex
	Staying string // revision that stays in force; empty when there is none
	Err     error  // Errors when the document is at fault
}

// Error ends with what the panel does now.
func (e *RefusedError) Error() string {
	if e.Staying == "" {
		return fmt.Sprintf("provisioning: %v; the panel goes on without a configuration", e.Err)
	}
	return fmt.Sprintf("provisioning: %v; staying on revision %s", e.Err, e.Staying)
}

// Unwrap returns why.
func (e *RefusedError) Unwrap() error { return e.Err }

// faults collects the errors of one document.
type faults struct {
	file  string
	lines map[string]int // line of each field that the document has
	list  Errors
	bad   map[string]bool // fields with a fault
}

func newFaults(file string) *faults {
	return &faults{file: file, lines: map[string]int{}, bad: map[string]bool{}}
}

// add notes one fault, unless the field or one that holds it has a fault
// already: what follows from a fault is not told twice.
func (f *faults) add(field, value, limit string) {
	f.addAt(f.line(field), field, value, limit)
}

func (f *faults) addAt(line int, field, value, limit string) {
	for at := field; ; at = parent(at) {
		if f.bad[at] {
			return
		}
		if at == "" {
			break
		}
	}
	f.bad[field] = true
	if secret(field) {
		value = ""
	}
	switch {
	case len(f.list) < maxErrors:
		f.list = append(f.list, &Error{File: f.file, Line: line, Field: field, Value: value, Limit: limit})
	case len(f.list) == maxErrors:
		f.list = append(f.list, &Error{File: f.file, Limit: fmt.Sprintf("more than %d faults; the others are not listed", maxErrors)})
	}
}

// full says that no further fault would be listed.
func (f *faults) full() bool { return len(f.list) > maxErrors }

func (f *faults) err() error {
	if len(f.list) == 0 {
		return nil
	}
	return f.list
}

// line finds the line of a field, or of the nearest one that holds it.
func (f *faults) line(field string) int {
	for ; field != ""; field = parent(field) {
		if n, ok := f.lines[field]; ok {
			return n
		}
	}
	return 0
}

// parent drops the last key or index of a path.
func parent(field string) string {
	return field[:max(strings.LastIndexAny(field, ".["), 0)]
}

// secret says whether a field's value must never be shown.
func secret(field string) bool {
	switch field[strings.LastIndexByte(field, '.')+1:] {
	case "password", "digits", "sealed":
		return true
	}
	return false
}

// shorten keeps a shown value readable.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + "..."
}
