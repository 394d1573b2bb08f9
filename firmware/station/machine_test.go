package station

import (
	"log/slog"
	"strings"
	"testing"

	"doorstation/board"
)

func TestBoardFileOfAnotherMachine(t *testing.T) {
	var log logBuffer
	s := &Station{log: slog.New(slog.NewTextHandler(&log, nil)), opt: Options{
		Board: &board.Board{Name: "elsewhere", Compatible: []string{"acme,no-such-machine"}}, Missing: []string{"no picture"},
	}}
	s.judgeMachine()
	missing := s.missing()
	if !strings.Contains(log.String(), "board=elsewhere") || len(missing) != 2 || !strings.Contains(missing[1], "is for acme,no-such-machine") {
		t.Errorf("log %q, missing %q", log.String(), missing)
	}
	if len(s.opt.Missing) != 1 {
		t.Error("what the build lacks has changed: the encoder is judged by it")
	}
	s.opt.Board = &board.Board{Name: "sim"}
	if got := s.missing(); len(got) != 1 {
		t.Errorf("missing %q", got)
	}
}
