package web

import (
	"net"
	"sync"
)

// bounded closes connections beyond a number as soon as they come, so that
// many idle ones cost nothing.
type bounded struct {
	net.Listener
	free chan struct{}
}

func newBounded(l net.Listener, n int) *bounded {
	return &bounded{Listener: l, free: make(chan struct{}, n)}
}

func (b *bounded) Accept() (net.Conn, error) {
	for {
		conn, err := b.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case b.free <- struct{}{}:
			return &counted{Conn: conn, release: sync.OnceFunc(func() { <-b.free })}, nil
		default:
			conn.Close()
		}
	}
}

// counted gives its place back when it is closed.
type counted struct {
	net.Conn
	release func()
}

func (c *counted) Close() error {
	c.release()
	return c.Conn.Close()
}
