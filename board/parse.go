package board

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// maxFile is the longest board file in bytes.
const maxFile = 64 << 10

// Parse reads a board from checked JSON. It takes all of it or nothing: an
// unknown key, a wrong type, a missing value, or one outside its limit is an
// error, in which every fault is a *FieldError.
func Parse(raw []byte) (*Board, error) {
	if len(raw) > maxFile {
		return nil, fmt.Errorf("board: %d bytes, limit %d", len(raw), maxFile)
	}
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.DisallowUnknownFields()
	var b Board
	if err := dec.Decode(&b); err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("board: something follows the description")
	}
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("board: %w", err)
	}
	return &b, nil
}
