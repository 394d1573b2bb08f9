package control

import (
	"context"
	"log/slog"
)

// SocketName is the socket's name in the panel's run folder.
const SocketName = "control.sock"

// A Server offers a Panel on a Unix socket.
type Server struct {
	Panel Panel
	Log   *slog.Logger
	Group int // members of this gid may connect too; 0: none, since root may anyway
}

// Serve is Server.Serve without a group.
func Serve(ctx context.Context, path string, p Panel, log *slog.Logger) error {
	return Server{Panel: p, Log: log}.Serve(ctx, path)
}

// Serve listens at path until ctx ends, whose cause it returns.
func (s Server) Serve(ctx context.Context, path string) error { return nil }
