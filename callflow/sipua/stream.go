package sipua

import (
	"cmp"
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// Limits of a TCP or TLS flow that we make.
const (
	dialWithin  = 10 * time.Second
	writeWithin = 2 * time.Second
)

// aliveProbes finds a dead peer within a minute (RFC 5626 section 3.5 wants to
// know; the kernel can tell).
var aliveProbes = net.KeepAliveConfig{Enable: true, Idle: 30 * time.Second, Interval: 10 * time.Second, Count: 3}

// A stream is one TCP or TLS flow to a hop. It is dialled, or taken, and read
// away from the loop, which learns when it ends.
type stream struct {
	hop   hop
	conn  *watchedConn
	local netip.AddrPort
	ready bool
	wait  []func(error) // who asked while it was dialled

	inbound *inbound // of a flow that the other side made; nil: we did
}

func (s *stream) close() {
	if s.conn != nil {
		s.conn.Close()
	}
}

// heard is how many bytes have come.
func (s *stream) heard() int64 { return s.conn.heard.Load() }

// overStream runs f once a flow to h is ready, now if it is.
func (u *UA) overStream(h hop, f func(error)) {
	s := u.streams[h.flow()]
	switch {
	case s == nil:
		s = &stream{hop: h, wait: []func(error){f}}
		u.streams[h.flow()] = s
		go u.dial(s)
	case s.ready:
		f(nil)
	default:
		s.wait = append(s.wait, f)
	}
}

func (u *UA) dial(s *stream) {
	ctx, cancel := context.WithTimeout(u.life, dialWithin)
	defer cancel()
	conn, err := u.connect(ctx, s.hop)
	if err != nil {
		u.box.post(func() {
			u.streamEnded(s, fmt.Errorf("sip: %v over %s is not reached: %w", s.hop.addr, s.hop.network, err))
		})
		return
	}
	w := &watchedConn{Conn: conn}
	w.writes = func(b []byte) {
		u.traced(true, s.hop.network, addrPortOf(conn.LocalAddr()), addrPortOf(conn.RemoteAddr()), b)
	}
	w.began = func() { u.box.post(func() { u.streamReady(s, w) }) }
	err = u.serveStream(s.hop.network, w, nil)
	u.box.post(func() { u.streamEnded(s, err) })
}

func (u *UA) connect(ctx context.Context, h hop) (net.Conn, error) {
	conn, err := u.cfg.Dial(ctx, "tcp", h.addr.String())
	if err != nil || h.network == "tcp" {
		return conn, err
	}
	cfg := &tls.Config{}
	if u.cfg.Account.TLS != nil {
		cfg = u.cfg.Account.TLS.Clone()
	}
	if cfg.ServerName == "" {
		cfg.ServerName = h.name
	}
	secured := tls.Client(conn, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secured, nil
}

func (u *UA) streamReady(s *stream, conn *watchedConn) {
	s.conn, s.local, s.ready = conn, addrPortOf(conn.LocalAddr()), true
	wait := s.wait
	s.wait = nil
	for _, f := range wait {
		f(nil)
	}
}

// streamEnded fails what waits for the flow, and renews the registration, which
// lived on it.
func (u *UA) streamEnded(s *stream, err error) {
	if u.streams[s.hop.flow()] != s {
		return
	}
	delete(u.streams, s.hop.flow())
	s.close()
	for _, f := range s.wait {
		f(err)
	}
	for _, t := range u.clients {
		if t.hop.flow() == s.hop.flow() && !t.final && t.fsm != nil {
			t.fsm.Terminate()
		}
	}
	if u.server != nil && u.server.flow() == s.hop.flow() && s.ready {
		u.registrationLost(s.hop, err)
	}
}

// A watchedConn tells when its reading has begun, and never lets a stalled peer
// hold a writer for long.
type watchedConn struct {
	net.Conn
	began  func()
	writes func(b []byte)
	within time.Duration // for a write; 0: writeWithin
	failed func()        // a write did; nil: nobody wants to know
	start  sync.Once
	heard  atomic.Int64 // bytes
}

func (c *watchedConn) Read(b []byte) (int, error) {
	c.start.Do(c.began)
	n, err := c.Conn.Read(b)
	c.heard.Add(int64(n))
	return n, err
}

func (c *watchedConn) Write(b []byte) (int, error) {
	if err := c.Conn.SetWriteDeadline(time.Now().Add(cmp.Or(c.within, writeWithin))); err != nil {
		return 0, err
	}
	c.writes(b) // before its answer can be read
	n, err := c.Conn.Write(b)
	if err != nil && c.failed != nil {
		c.failed()
	}
	return n, err
}
