package phone

import (
	"context"
	"log/slog"
)

// levelAbove passes on only what is as grave as a level.
type levelAbove struct {
	slog.Handler
	level slog.Level
}

// Enabled implements slog.Handler.
func (l levelAbove) Enabled(_ context.Context, level slog.Level) bool { return level >= l.level }
