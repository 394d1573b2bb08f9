package main

import (
	"context"

	"doorstation/board/wiring"
)

// drawBoard prints the wiring of a board file as SVG.
func (t *tool) drawBoard(_ context.Context, words []string) error {
	b, err := readBoard(words[0])
	if err != nil {
		return err
	}
	_, err = t.raw.Write(wiring.SVG(b))
	return err
}
