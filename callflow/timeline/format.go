package timeline

import "io"

// Format draws a record for a person.
func Format(w io.Writer, rec Record) error { return nil }
