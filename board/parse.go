package board

import (
	"errors"
	"fmt"
)

// maxFile is the longest board file in bytes.
const maxFile = 64 << 10

// Parse reads a board from checked JSON. It takes all of it or nothing: an
// unknown key, a wrong type, a missing value, or one outside its limit is an
// error; every fault of a value is a *FieldError.
//
// The reader is our own. Go's, which can do everything, would be a tenth of the
// guard's size and a third of the time of its start on a small board.
func Parse(raw []byte) (*Board, error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("board: %d bytes, limit %d", len(raw), maxFile)
	}
	var b Board
	r := reader{raw: raw}
	object(b.fields)(&r)
	if r.err == nil && r.peek() != 0 {
		r.err = errors.New("something follows the description")
	}
	if r.err != nil {
		return nil, fmt.Errorf("board: line %d: %w", r.line(), r.err)
	}
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	return &b, nil
}
