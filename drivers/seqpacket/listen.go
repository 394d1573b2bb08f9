package seqpacket

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// backlog is how many connections may wait for Accept.
const backlog = 64

// socketMode keeps other users from connecting at all.
const socketMode = 0o600

// A Listener accepts connections at one path. While it lives it holds a lock
// on the file path + ".lock", which the kernel gives back when the process
// ends, however it ends.
type Listener struct {
	socket
	path string
	lock int
}

// Listen serves path, which only the same user and root can reach. A socket
// left there by a process that has died is replaced; if a living process
// serves it, the error is ErrInUse. Anything there that is no socket stays.
func Listen(path string) (*Listener, error) {
	if len(path) > MaxPath {
		return nil, fmt.Errorf("seqpacket: listen %s: path has %d bytes, limit %d", path, len(path), MaxPath)
	}
	lock, err := acquire(path + ".lock")
	if err != nil {
		return nil, fmt.Errorf("seqpacket: listen %s: %w", path, err)
	}
	l, err := listenLocked(path, lock)
	if err != nil {
		_ = unix.Close(lock)
		return nil, fmt.Errorf("seqpacket: listen %s: %w", path, err)
	}
	return l, nil
}

func listenLocked(path string, lock int) (*Listener, error) {
	if err := removeStale(path); err != nil {
		return nil, err
	}
	fd, err := newSocket()
	if err != nil {
		return nil, err
	}
	if err := serve(fd, path); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	l := &Listener{path: path, lock: lock}
	return l, l.adopt(fd, path)
}

// serve binds and listens. The mode is set before the bind, so that there is
// no moment at which others could connect.
func serve(fd int, path string) error {
	if err := unix.Fchmod(fd, socketMode); err != nil {
		return err
	}
	if err := unix.Bind(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		return err
	}
	return unix.Listen(fd, backlog)
}

// acquire takes the lock file, or says ErrInUse.
func acquire(path string) (int, error) {
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return -1, fmt.Errorf("lock %s: %w", path, err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = unix.Close(fd)
		if errors.Is(err, unix.EWOULDBLOCK) {
			return -1, ErrInUse
		}
		return -1, fmt.Errorf("lock %s: %w", path, err)
	}
	return fd, nil
}

// removeStale removes a socket that nobody answers.
func removeStale(path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if info.Mode().Type() != fs.ModeSocket {
		return errors.New("there is a file at this path that is no socket; it is left alone")
	}
	switch c, err := Dial(path); {
	case err == nil:
		_ = c.Close()
		return ErrInUse
	case errors.Is(err, ErrCrowded):
		return ErrInUse
	case errors.Is(err, ErrNobody):
		return os.Remove(path)
	default:
		return err
	}
}

// Accept waits for a connection.
func (l *Listener) Accept(ctx context.Context) (*Conn, error) {
	fd := -1
	err := l.read(ctx, func(s int) error {
		var err error
		fd, err = ignoringEINTR(func() (int, error) {
			nfd, _, err := unix.Accept4(s, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
			return nfd, err
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return newConn(fd, l.path)
}

// Close stops listening, removes the socket and gives the lock back. The
// connections it has accepted live on.
func (l *Listener) Close() error {
	if l.closed.Swap(true) {
		return nil
	}
	_ = os.Remove(l.path)
	err := l.file.Close()
	_ = unix.Close(l.lock)
	return err
}

// Dial connects to the process that serves path. It never waits: if nobody
// serves the path the error is ErrNobody, if too many have come, ErrCrowded.
func Dial(path string) (*Conn, error) {
	if len(path) > MaxPath {
		return nil, fmt.Errorf("seqpacket: dial %s: path has %d bytes, limit %d", path, len(path), MaxPath)
	}
	fd, err := newSocket()
	if err != nil {
		return nil, fmt.Errorf("seqpacket: dial %s: %w", path, err)
	}
	if err := unix.Connect(fd, &unix.SockaddrUnix{Name: path}); err != nil {
		_ = unix.Close(fd)
		switch {
		case errors.Is(err, unix.ECONNREFUSED), errors.Is(err, unix.ENOENT):
			err = fmt.Errorf("%w: %w", ErrNobody, err)
		case errors.Is(err, unix.EAGAIN):
			err = ErrCrowded
		}
		return nil, fmt.Errorf("seqpacket: dial %s: %w", path, err)
	}
	return newConn(fd, path)
}

func newSocket() (int, error) {
	return unix.Socket(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
}

func newConn(fd int, name string) (*Conn, error) {
	cred, err := unix.GetsockoptUcred(fd, unix.SOL_SOCKET, unix.SO_PEERCRED)
	if err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("seqpacket: peer credentials of %s: %w", name, err)
	}
	c := &Conn{peer: Peer{PID: int(cred.Pid), UID: int(cred.Uid), GID: int(cred.Gid)}}
	return c, c.adopt(fd, name)
}
