package session

import (
	"encoding/binary"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// A pacer is a kernel timer with absolute deadlines. It waits in the runtime's
// poller like a socket: no thread is held, and a deadline is not rounded to
// the poller's millisecond as the runtime's own timers are. On a busy machine
// it was also steadier than a locked thread in clock_nanosleep, which must win
// back its place in the scheduler after each sleep.
type pacer struct {
	file *os.File
	raw  syscall.RawConn
	try  func(fd uintptr) bool

	count [8]byte // of deadlines; the waiting goroutine's own
	err   error

	mu     sync.Mutex // guards fd against its own end
	fd     int
	closed bool
}

func newPacer() (*pacer, error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("timer for the audio clock: %w", err)
	}
	p := &pacer{file: os.NewFile(uintptr(fd), "audio clock"), fd: fd}
	p.try = p.read
	if p.raw, err = p.file.SyscallConn(); err != nil {
		p.file.Close()
		return nil, fmt.Errorf("timer for the audio clock: %w", err)
	}
	return p, nil
}

// start ticks now, and then every period from now on.
func (p *pacer) start(period time.Duration) error {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		return fmt.Errorf("audio clock: %w", err)
	}
	return p.set(unix.ItimerSpec{Value: now, Interval: unix.NsecToTimespec(int64(period))})
}

// stop ends the ticking; one tick may still be on its way.
func (p *pacer) stop() error { return p.set(unix.ItimerSpec{}) }

func (p *pacer) set(spec unix.ItimerSpec) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return os.ErrClosed
	}
	if err := unix.TimerfdSettime(p.fd, unix.TFD_TIMER_ABSTIME, &spec, nil); err != nil {
		return fmt.Errorf("audio clock: %w", err)
	}
	return nil
}

// wait blocks until the next deadline, and tells how many have passed since
// the last call. It ends with an error once the pacer is closed.
func (p *pacer) wait() (int, error) {
	if err := p.raw.Read(p.try); err != nil {
		return 0, err
	}
	if p.err != nil {
		return 0, p.err
	}
	return int(binary.NativeEndian.Uint64(p.count[:])), nil
}

// read reports false while no deadline has passed.
func (p *pacer) read(fd uintptr) bool {
	_, _, errno := unix.RawSyscall(unix.SYS_READ, fd, uintptr(unsafe.Pointer(&p.count)), uintptr(len(p.count)))
	if errno == unix.EAGAIN {
		return false
	}
	p.err = nil
	if errno != 0 {
		p.err = errno
	}
	return true
}

func (p *pacer) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	p.file.Close()
}
