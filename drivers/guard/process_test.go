package guard

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"doorstation/drivers/seqpacket"
)

// clientVariable makes this test binary, started again, a client of the guard at
// that path.
const clientVariable = "GUARD_TEST_CLIENT"

func TestMain(m *testing.M) {
	if path := os.Getenv(clientVariable); path != "" {
		fmt.Println(beClient(path))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func beClient(path string) error {
	c, err := Dial(path)
	if err != nil {
		return err
	}
	return c.Run(context.Background(), Handler{})
}

// ward is a client process in the hands of a server without a loop.
type ward struct {
	s    *server
	id   ProcessID
	conn *seqpacket.Conn
	cmd  *exec.Cmd
	said *bufio.Scanner
}

func newWard(t *testing.T) *ward {
	t.Helper()
	dir, err := os.MkdirTemp("", "guard") // short: socket paths have 107 bytes
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	path := filepath.Join(dir, "guard.sock")
	l, err := seqpacket.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	w := &ward{s: &server{
		events: make(chan Event, 1), failed: make(chan error, 1), processes: map[ProcessID]*process{},
		journal: newJournal(make(lineWriter, 64)),
	}}
	t.Cleanup(w.s.letGo)
	w.cmd = exec.Command(os.Args[0])
	w.cmd.Env = append(os.Environ(), clientVariable+"="+path, "GOTRACEBACK=all")
	stderr, err := w.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.cmd.Process.Kill(); _ = w.cmd.Wait() })
	w.said = bufio.NewScanner(stderr)
	if w.conn, err = l.Accept(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.conn.Close() })
	if err := w.conn.Send(t.Context(), message{kind: kindWelcome}.append(nil)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, maxMessage+1) // its first beat: it runs
	if _, err := w.conn.Recv(t.Context(), buf); err != nil {
		t.Fatal(err)
	}
	w.id = w.s.know(t.Context(), w.conn)
	if w.id != ProcessID(w.cmd.Process.Pid) {
		t.Fatalf("process %d, want %d", w.id, w.cmd.Process.Pid)
	}
	return w
}

// over waits for the word that the process has ended.
func (w *ward) over(t *testing.T) {
	t.Helper()
	if got := <-w.s.events; got != (Exited{Process: w.id}) {
		t.Errorf("%+v, want its end", got)
	}
}

func TestAbortedProcessSaysWhatItDid(t *testing.T) {
	w := newWard(t)
	w.s.signal(Signal{Process: w.id, Why: "sick"})
	var told string
	for w.said.Scan() {
		told += w.said.Text() + "\n"
	}
	for _, want := range []string{"SIGABRT", "goroutine 1 ", "guard.(*Client).Run"} {
		if !strings.Contains(told, want) {
			t.Errorf("its last words have no %q:\n%s", want, told)
		}
	}
	w.over(t)
}

func TestStoppedProcessIsKilled(t *testing.T) {
	w := newWard(t)
	if err := w.cmd.Process.Signal(syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	w.s.signal(Signal{Process: w.id, Why: "silent"}) // which it does not hear
	w.s.signal(Signal{Process: w.id, Kill: true, Why: "aborted"})
	w.over(t)
	var exit *exec.ExitError
	if err := w.cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Errorf("it ended with %v", err)
	}
	w.s.gone(w.id)
	w.s.signal(Signal{Process: w.id, Kill: true}) // nobody any more, whatever has its number now
}

func TestOwnProcessIsNoPatient(t *testing.T) {
	r := start(t, bare)
	conn, err := seqpacket.Dial(r.path)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	s := &server{processes: map[ProcessID]*process{}}
	if id := s.know(t.Context(), conn); id != 0 || len(s.processes) != 0 {
		t.Errorf("process %d", id)
	}
}

func TestWhoIsServed(t *testing.T) {
	for _, c := range []struct {
		uid, own, extra int
		want            bool
	}{
		{0, 500, 0, true},
		{500, 500, 0, true},
		{501, 500, 0, false},
		{501, 500, 501, true},
		{502, 500, 501, false},
		{501, 0, 501, true},
		{502, 0, 501, false},
		{1, 0, 0, false},
	} {
		if got := served(c.uid, c.own, c.extra); got != c.want {
			t.Errorf("%+v: %v", c, got)
		}
	}
}
