// Package seqpacket sends and receives whole messages between processes of one
// machine, over Unix SOCK_SEQPACKET sockets. A message arrives whole and in
// order, or the connection has ended.
//
// It does not use Go's net package, so that a process which holds a relay can
// use it and still be free of network code.
package seqpacket

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// MaxPath is the longest socket path that the kernel takes, in bytes.
const MaxPath = 107

var (
	// ErrInUse means that another process serves this path.
	ErrInUse = errors.New("socket already served by another process")
	// ErrNobody means that no process serves this path.
	ErrNobody = errors.New("nobody serves this socket")
	// ErrCrowded means that too many connections wait for their Accept.
	ErrCrowded = errors.New("too many connections wait to be accepted")
	// ErrClosed means that this side has closed the connection or listener.
	ErrClosed = errors.New("connection closed on this side")
	// ErrFull means that the peer does not read fast enough: TrySend has
	// dropped the message.
	ErrFull = errors.New("peer does not read its messages")
	// ErrTooLong means that a message did not fit the buffer of Recv. It is lost.
	ErrTooLong = errors.New("message longer than the buffer")
	// ErrEmpty means an empty message, which could not be told from the end.
	ErrEmpty = errors.New("empty message")
)

// A Peer is the process at the other end, as the kernel recorded it when the
// connection was made.
type Peer struct {
	PID int
	UID int
	GID int
}

// A Conn is one connection. Send and Recv may run at the same time, in
// different goroutines; Close ends both.
type Conn struct {
	socket
	peer Peer
}

// Peer names the process at the other end. Of a dialled connection it is the
// process that began to listen.
func (c *Conn) Peer() Peer { return c.peer }

// Recv waits for one message, puts it into buf and returns its length. The
// buffer must be at least one byte longer than the longest message: one that
// fills it is reported as ErrTooLong. At the end of the connection it returns
// io.EOF; when ctx ends, the cause of that.
func (c *Conn) Recv(ctx context.Context, buf []byte) (int, error) {
	var n int
	err := c.read(ctx, func(fd int) error {
		var err error
		n, err = ignoringEINTR(func() (int, error) { return readNow(fd, buf) })
		return err
	})
	switch {
	case errors.Is(err, unix.ECONNRESET):
		return 0, io.EOF
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	case n == len(buf):
		return 0, ErrTooLong
	}
	return n, nil
}

// Send hands one message over, and waits while the peer's queue is full.
func (c *Conn) Send(ctx context.Context, msg []byte) error {
	if len(msg) == 0 {
		return ErrEmpty
	}
	return gone(c.write(ctx, func(fd int) error { return send(fd, msg) }))
}

// TrySend hands one message over if that is possible at once; else it returns
// ErrFull and the message is lost. It never blocks.
func (c *Conn) TrySend(msg []byte) error {
	if len(msg) == 0 {
		return ErrEmpty
	}
	var err error
	if ctl := c.raw.Control(func(fd uintptr) { err = send(int(fd), msg) }); ctl != nil {
		return ErrClosed
	}
	if errors.Is(err, unix.EAGAIN) {
		return ErrFull
	}
	return gone(err)
}

// Gone says whether the peer has closed its end, at this moment, whatever is
// still unread.
func (c *Conn) Gone() bool {
	hungUp := true
	_ = c.raw.Control(func(fd uintptr) {
		p := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
		n, err := ignoringEINTR(func() (int, error) { return unix.Poll(p, 0) })
		hungUp = err == nil && n > 0 && p[0].Revents&(unix.POLLHUP|unix.POLLRDHUP|unix.POLLERR) != 0
	})
	return hungUp
}

func send(fd int, msg []byte) error {
	_, err := ignoringEINTR(func() (int, error) {
		return 0, sendNow(fd, msg)
	})
	return err
}

// gone turns the kernel's words for "the peer has closed" into io.EOF.
func gone(err error) error {
	if errors.Is(err, unix.EPIPE) || errors.Is(err, unix.ECONNRESET) || errors.Is(err, unix.ENOTCONN) {
		return io.EOF
	}
	return err
}

// socket is a descriptor in the care of the runtime's poller.
type socket struct {
	file   *os.File
	raw    syscall.RawConn
	closed atomic.Bool
}

// adopt takes a descriptor that is already non-blocking.
func (s *socket) adopt(fd int, name string) error {
	s.file = os.NewFile(uintptr(fd), name)
	raw, err := s.file.SyscallConn()
	if err != nil {
		_ = s.file.Close()
		return fmt.Errorf("seqpacket: %s: %w", name, err)
	}
	s.raw = raw
	return nil
}

// Close ends the connection or listener; whoever waits on it returns.
func (s *socket) Close() error {
	if s.closed.Swap(true) {
		return nil
	}
	return s.file.Close()
}

// read runs try each time the descriptor may be readable, until it returns
// something else than EAGAIN.
func (s *socket) read(ctx context.Context, try func(fd int) error) error {
	return s.wait(ctx, s.raw.Read, s.file.SetReadDeadline, try)
}

func (s *socket) write(ctx context.Context, try func(fd int) error) error {
	return s.wait(ctx, s.raw.Write, s.file.SetWriteDeadline, try)
}

func (s *socket) wait(ctx context.Context, when func(func(uintptr) bool) error,
	deadline func(time.Time) error, try func(fd int) error,
) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	release := onEnd(ctx, deadline)
	var err error
	waited := when(func(fd uintptr) bool {
		err = try(int(fd))
		return !errors.Is(err, unix.EAGAIN)
	})
	release()
	switch {
	case waited == nil:
		return err
	case s.closed.Load():
		return ErrClosed
	case ctx.Err() != nil:
		return context.Cause(ctx)
	}
	return waited
}

// onEnd lets the end of ctx interrupt a wait by a deadline in the past. The
// function it returns puts the deadline back.
func onEnd(ctx context.Context, deadline func(time.Time) error) (release func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	ran := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = deadline(time.Unix(1, 0))
		close(ran)
	})
	return func() {
		if !stop() {
			<-ran
			_ = deadline(time.Time{})
		}
	}
}

func ignoringEINTR(call func() (int, error)) (int, error) {
	for {
		n, err := call()
		if !errors.Is(err, unix.EINTR) {
			return n, err
		}
	}
}
