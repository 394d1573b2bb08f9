//go:build board

package e2e

import (
	"context"
	"errors"

	"doorstation/board/emulator"
)

func init() { downloads = append(downloads, fetchBoards) }

// fetchBoards gets what the boards are made of.
func fetchBoards() error {
	ctx := context.Background()
	var faults []error
	for _, board := range emulator.Boards() {
		_, err := emulator.Fetch(ctx, emulator.Arch(board))
		faults = append(faults, err)
	}
	for _, board := range systemBoards {
		_, err := emulator.FetchSystem(ctx, emulator.Arch(board))
		faults = append(faults, err)
	}
	return errors.Join(faults...)
}
