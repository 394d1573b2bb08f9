package station

import (
	"slices"

	"doorstation/board/detect"
)

// judgeMachine warns of a board file of another machine. The panel goes on with
// it: a board with a new device tree still has to ring.
func (s *Station) judgeMachine() {
	if wrong := detect.This().Mismatch(s.opt.Board); wrong != "" {
		s.log.Warn("board file of another machine", "board", s.opt.Board.Name, "err", wrong)
	}
}

// missing is what this build or this board lacks, in words.
func (s *Station) missing() []string {
	wrong := detect.This().Mismatch(s.opt.Board)
	if wrong == "" {
		return s.opt.Missing
	}
	return append(slices.Clone(s.opt.Missing), wrong)
}
