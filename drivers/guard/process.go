package guard

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"doorstation/drivers/seqpacket"

	"golang.org/x/sys/unix"
)

// process is a hold on a process that has connected. It is the kernel's
// (pidfd_open(2)): another process that gets its number later is never meant.
type process struct {
	file *os.File
	raw  syscall.RawConn
}

// know takes hold of the process at the other end. It is 0 if that cannot be
// had, or is this process.
func (s *server) know(ctx context.Context, conn *seqpacket.Conn) ProcessID {
	pid := conn.Peer().PID
	id := ProcessID(pid)
	if pid == os.Getpid() {
		return 0
	}
	if s.processes[id] != nil {
		return id
	}
	p, err := hold(pid)
	if err != nil {
		s.journal.say(fmt.Sprintf("process %d cannot be watched: %v", pid, err))
		return 0
	}
	if conn.Gone() { // the number may be another process's by now
		_ = p.file.Close()
		return 0
	}
	s.processes[id] = p
	s.spawn(func() error {
		p.wait()
		if ctx.Err() == nil {
			s.post(ctx, Exited{Process: id})
		}
		return nil
	})
	return id
}

func hold(pid int) (*process, error) {
	fd, err := unix.PidfdOpen(pid, unix.PIDFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	p := &process{file: os.NewFile(uintptr(fd), "pidfd")}
	if p.raw, err = p.file.SyscallConn(); err != nil {
		_ = p.file.Close()
		return nil, err
	}
	return p, nil
}

// wait returns when the process has ended, or is not watched any more.
func (p *process) wait() {
	_ = p.raw.Read(func(fd uintptr) bool {
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
		n, err := unix.Poll(poll, 0)
		return n > 0 || err != nil && err != unix.EINTR
	})
}

// gone forgets a process that has ended.
func (s *server) gone(id ProcessID) {
	if p := s.processes[id]; p != nil {
		_ = p.file.Close()
		delete(s.processes, id)
	}
}

// signal asks a process to end, or ends it. A Go process that gets SIGABRT
// writes down what all its goroutines do.
func (s *server) signal(act Signal) {
	sig, verb := unix.SIGABRT, "aborted"
	if act.Kill {
		sig, verb = unix.SIGKILL, "killed"
	}
	p := s.processes[act.Process]
	if p == nil {
		return
	}
	var err error
	if ctl := p.raw.Control(func(fd uintptr) { err = unix.PidfdSendSignal(int(fd), sig, nil, 0) }); ctl != nil {
		err = ctl
	}
	if err != nil {
		s.journal.say(fmt.Sprintf("process %d cannot be %s: %v", act.Process, verb, err))
		return
	}
	s.journal.say(fmt.Sprintf("process %d %s: %s", act.Process, verb, act.Why))
}
