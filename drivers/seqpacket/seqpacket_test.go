package seqpacket

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// pair gives both ends of a connection.
func pair(t *testing.T) (server, client *Conn) {
	t.Helper()
	l := listen(t, filepath.Join(short(t), "s"))
	client, err := Dial(l.path)
	if err != nil {
		t.Fatal(err)
	}
	server, err = l.Accept(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { server.Close(); client.Close() })
	return server, client
}

func listen(t *testing.T, path string) *Listener {
	t.Helper()
	l, err := Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// short is a directory whose name leaves room in a socket path.
func short(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "seq")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func TestMessagesStayWhole(t *testing.T) {
	server, client := pair(t)
	want := [][]byte{[]byte("a"), []byte("bc"), bytes.Repeat([]byte("d"), 4000)}
	for _, m := range want {
		if err := client.Send(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	client.Close()
	buf := make([]byte, 5000)
	for _, m := range want {
		n, err := server.Recv(t.Context(), buf)
		if err != nil || !bytes.Equal(buf[:n], m) {
			t.Fatalf("received %d bytes, %v, want %d", n, err, len(m))
		}
	}
	if _, err := server.Recv(t.Context(), buf); err != io.EOF {
		t.Errorf("at the end: %v, want io.EOF", err)
	}
	if err := server.Send(t.Context(), want[0]); err != io.EOF {
		t.Errorf("send after the end: %v, want io.EOF", err)
	}
}

func TestLimits(t *testing.T) {
	server, client := pair(t)
	if err := client.Send(t.Context(), nil); err != ErrEmpty {
		t.Errorf("empty message: %v", err)
	}
	for _, m := range []string{"1234", "12345", "ok"} {
		if err := client.TrySend([]byte(m)); err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 4)
	for range 2 {
		if _, err := server.Recv(t.Context(), buf); err != ErrTooLong {
			t.Errorf("message that fills the buffer: %v, want ErrTooLong", err)
		}
	}
	if n, err := server.Recv(t.Context(), buf); err != nil || string(buf[:n]) != "ok" {
		t.Errorf("the next message: %q, %v", buf[:n], err)
	}
}

func TestTrySendNeverWaits(t *testing.T) {
	_, client := pair(t)
	msg := make([]byte, 1000)
	for range 100000 {
		if err := client.TrySend(msg); err == ErrFull {
			return
		} else if err != nil {
			t.Fatal(err)
		}
	}
	t.Error("100 MB were queued")
}

// TestWaitsCanBeEnded checks that whoever waits returns when its context ends,
// when its own side closes and when the other one does, and that a wait which
// was ended leaves the connection usable.
func TestWaitsCanBeEnded(t *testing.T) {
	server, client := pair(t)
	buf := make([]byte, 100)
	cause := errors.New("enough")
	ctx, stop := context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { stop(cause) })
	if _, err := server.Recv(ctx, buf); err != cause {
		t.Errorf("context ended: %v", err)
	}
	if err := client.Send(t.Context(), []byte("still here")); err != nil {
		t.Fatal(err)
	}
	if n, err := server.Recv(t.Context(), buf); err != nil || n != 10 {
		t.Errorf("after an ended wait: %d bytes, %v", n, err)
	}
	time.AfterFunc(time.Millisecond, func() { server.Close() })
	if _, err := server.Recv(t.Context(), buf); err != ErrClosed {
		t.Errorf("closed here: %v, want ErrClosed", err)
	}
	if _, err := client.Recv(t.Context(), buf); err != io.EOF {
		t.Errorf("closed there: %v, want io.EOF", err)
	}
}

func TestSendWaitsForRoom(t *testing.T) {
	server, client := pair(t)
	for client.TrySend(make([]byte, 1000)) == nil { // until it is full
	}
	ctx, stop := context.WithTimeout(t.Context(), time.Millisecond)
	defer stop()
	if err := client.Send(ctx, []byte("x")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("send without room: %v", err)
	}
	sent := make(chan error, 1)
	go func() { sent <- client.Send(t.Context(), []byte("last")) }()
	buf := make([]byte, 2000)
	for {
		n, err := server.Recv(t.Context(), buf)
		if err != nil {
			t.Fatal(err)
		}
		if string(buf[:n]) == "last" {
			break
		}
	}
	if err := <-sent; err != nil {
		t.Error(err)
	}
}

func TestAcceptCanBeEnded(t *testing.T) {
	l := listen(t, filepath.Join(short(t), "s"))
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(time.Millisecond, stop)
	if _, err := l.Accept(ctx); err != context.Canceled {
		t.Errorf("context ended: %v", err)
	}
	time.AfterFunc(time.Millisecond, func() { l.Close() })
	if _, err := l.Accept(t.Context()); err != ErrClosed {
		t.Errorf("closed: %v, want ErrClosed", err)
	}
}

func TestPeer(t *testing.T) {
	server, client := pair(t)
	want := Peer{PID: os.Getpid(), UID: os.Getuid(), GID: os.Getgid()}
	if server.Peer() != want || client.Peer() != want {
		t.Errorf("peers %+v and %+v, want %+v", server.Peer(), client.Peer(), want)
	}
	if server.Gone() {
		t.Error("the client is there")
	}
	client.Close()
	if !server.Gone() {
		t.Error("the client is gone")
	}
}

func TestOneServerForAPath(t *testing.T) {
	path := filepath.Join(short(t), "s")
	first := listen(t, path)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("socket has mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(path); !errors.Is(err, ErrInUse) {
		t.Errorf("second server: %v, want ErrInUse", err)
	}
	if c, err := Dial(path); err != nil {
		t.Error("the first server was disturbed:", err)
	} else {
		c.Close()
	}
	first.Close()
	if _, err := Dial(path); !errors.Is(err, ErrNobody) {
		t.Errorf("after the end: %v, want ErrNobody", err)
	}
	listen(t, path)
}

func TestStaleSocketIsReplaced(t *testing.T) {
	path := filepath.Join(short(t), "s")
	dead := listen(t, path)
	// A process that is killed leaves the socket and its lock file behind.
	if err := errors.Join(os.Rename(path, path+".kept"), dead.Close(), os.Rename(path+".kept", path)); err != nil {
		t.Fatal(err)
	}
	if _, err := Dial(path); !errors.Is(err, ErrNobody) {
		t.Fatalf("stale socket: %v, want ErrNobody", err)
	}
	listen(t, path)
	c, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}

func TestForeignFileIsLeftAlone(t *testing.T) {
	path := filepath.Join(short(t), "s")
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "left alone") {
		t.Errorf("error %v", err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "precious" {
		t.Errorf("file has %q, %v", b, err)
	}
}

func TestCrowd(t *testing.T) {
	path := filepath.Join(short(t), "s")
	listen(t, path)
	for range 10 * backlog {
		c, err := Dial(path)
		if errors.Is(err, ErrCrowded) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
	}
	t.Error("nobody was turned away")
}

func TestLongPath(t *testing.T) {
	path := "/" + strings.Repeat("x", MaxPath)
	if _, err := Listen(path); err == nil || !strings.Contains(err.Error(), "limit 107") {
		t.Error(err)
	}
	if _, err := Dial(path); err == nil || !strings.Contains(err.Error(), "limit 107") {
		t.Error(err)
	}
}
