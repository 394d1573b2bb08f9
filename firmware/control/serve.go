package control

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// SocketName is the socket's name in the panel's run folder.
const SocketName = "control.sock"

// The bounds of the socket's HTTP server.
const (
	headerTime   = 5 * time.Second
	idleTime     = time.Minute
	closeTime    = 2 * time.Second // for requests under way when the server ends
	maxHeader    = 8 << 10         // bytes
	maxBody      = 4 << 10         // bytes
	socketMode   = 0o660
	lockFileMode = 0o600
)

// ErrRunning means that another daemon serves the same run folder.
var ErrRunning = errors.New("another doorstationd already runs on this panel")

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

// Serve listens at path until ctx ends, whose cause it returns. A socket left
// by a daemon that died is replaced; one that is in use gives ErrRunning.
func (s Server) Serve(ctx context.Context, path string) error {
	lock, err := lockPath(path)
	if err != nil {
		return err
	}
	defer lock.Close() // the kernel lets go of the lock with the file, also after a kill
	listener, err := s.listen(path)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           s.routes(),
		ReadHeaderTimeout: headerTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       withPeer,
	}
	stopped := context.AfterFunc(ctx, func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeTime)
		defer cancel()
		if server.Shutdown(end) != nil {
			server.Close()
		}
	})
	defer stopped()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("control: %s: %w", path, err)
	}
	return context.Cause(ctx)
}

// lockPath keeps a second daemon away from path. Whoever holds the lock may
// take the socket's place, since the one who made it is gone.
func lockPath(path string) (*os.File, error) {
	name := path + ".lock"
	file, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE, lockFileMode)
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	if err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		file.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			return nil, fmt.Errorf("control: %s is in use: %w; stop that one, or choose another run folder", path, ErrRunning)
		}
		return nil, fmt.Errorf("control: %s not locked: %w", name, err)
	}
	return file, nil
}

// listen makes the socket aside and moves it to its place when its mode and
// group are right: under its name it never has others.
func (s Server) listen(path string) (net.Listener, error) {
	aside := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".new")
	if err := os.Remove(aside); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("control: %w", err)
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: aside, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("control: %w", err)
	}
	listener.SetUnlinkOnClose(false) // its name is another one by then
	if err := s.place(aside, path); err != nil {
		listener.Close()
		return nil, fmt.Errorf("control: %w", err)
	}
	return &unlinking{Listener: listener, path: path}, nil
}

func (s Server) place(aside, path string) error {
	if s.Group != 0 {
		if err := os.Chown(aside, -1, s.Group); err != nil {
			return fmt.Errorf("group %d of the control socket: %w; the daemon's user must be a member of it", s.Group, err)
		}
	}
	if err := os.Chmod(aside, socketMode); err != nil {
		return err
	}
	return os.Rename(aside, path)
}

// unlinking removes the socket when it is closed.
type unlinking struct {
	net.Listener
	path string
}

func (l *unlinking) Close() error {
	return errors.Join(os.Remove(l.path), l.Listener.Close())
}
