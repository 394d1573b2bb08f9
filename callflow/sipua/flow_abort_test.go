package sipua

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"
)

// A flow whose bytes nobody takes is seen as such, and what it holds is dropped:
// it reaches nobody when the network returns.
func TestAbortedFlowDeliversNothing(t *testing.T) {
	for name, wrap := range map[string]func(net.Conn) net.Conn{
		"tcp": func(c net.Conn) net.Conn { return c },
		"tls": func(c net.Conn) net.Conn { return tls.Client(c, &tls.Config{}) },
	} {
		t.Run(name, func(t *testing.T) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer l.Close()
			ours, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			theirs, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			defer theirs.Close()
			s := &stream{conn: &watchedConn{Conn: wrap(ours)}}
			if s.undelivered() {
				t.Error("a flow that carried nothing holds something")
			}
			written := fill(t, ours)
			if !s.undelivered() {
				t.Error("a full flow holds nothing")
			}
			s.abort()
			read, err := io.Copy(io.Discard, theirs)
			if !errors.Is(err, syscall.ECONNRESET) || read >= written {
				t.Errorf("%d bytes of %d arrive after the end, which is %v", read, written, err)
			}
		})
	}
	if (&stream{}).undelivered() {
		t.Error("no flow holds something")
	}
}

// fill writes until the peer takes no more.
func fill(t *testing.T, c net.Conn) (written int64) {
	t.Helper()
	chunk := make([]byte, 1<<20)
	for {
		if err := c.SetWriteDeadline(time.Now().Add(50 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		n, err := c.Write(chunk)
		written += int64(n)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return written
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}
