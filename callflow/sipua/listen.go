package sipua

import (
	"cmp"
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"time"
)

// Limits of the TCP connections that others make.
const (
	// maxInbound bounds them all: one for each of a dozen phones and some for
	// the servers. What they hold of messages that are not whole yet stays
	// within some 1 MiB then.
	maxInbound = 16
	// maxInboundOfOne bounds those of one address: a proxy of several processes
	// has some, a phone one, and a second while it replaces it.
	maxInboundOfOne = 4

	// knockRate bounds new ones, in connections a second: enough for all phones of
	// a house that come back at once, and nobody gets round the pace of one
	// connection by making many.
	knockRate, knockBurst = 10, 32

	listenAgain = time.Minute // after the port was not to be had
	acceptPause = time.Second // after a connection could not be taken
	portTries   = 8           // for one that is free for UDP and TCP
)

// errGaveWay ends an idle connection in favour of a new one.
var errGaveWay = errors.New("it was idle, and a new connection needed its place")

// listen takes the TCP connections of others from now on, if that is asked for.
// While another process has the port, calls go on without.
func (u *UA) listen() {
	if !u.cfg.ListenTCP || u.stop {
		return
	}
	if u.listener == nil {
		l, err := bindTCP(u.local)
		if err != nil {
			u.log.Warn("sip tcp connections are not taken, udp goes on", "addr", u.local, "next_try", listenAgain, "err", err)
			u.after(listenAgain, u.listen)
			return
		}
		u.listener = l
	}
	u.log.Info("sip tcp connections are taken", "addr", u.listener.Addr())
	u.readers.Go(func() { u.serveTCP(u.listener) })
}

// bind takes the UDP socket, and the port of it for TCP where any port will do:
// then it has to be free for both. One that is given is taken for TCP by listen.
func bind(cfg Config) (net.PacketConn, net.Listener, error) {
	if cfg.Conn != nil {
		return cfg.Conn, cfg.Listener, nil
	}
	if !cfg.ListenTCP || cfg.Listener != nil || cfg.Local.Port() != 0 {
		conn, err := bindUDP(cfg.Local)
		return conn, cfg.Listener, err
	}
	var err error
	for range portTries {
		l, bad := bindTCP(cfg.Local)
		if bad != nil {
			return nil, nil, bad
		}
		var conn net.PacketConn
		if conn, err = bindUDP(addrPortOf(l.Addr())); err == nil {
			return conn, l, nil
		}
		_ = l.Close()
	}
	return nil, nil, err
}

func bindTCP(local netip.AddrPort) (net.Listener, error) {
	tcp := net.ListenConfig{KeepAliveConfig: aliveProbes}
	return tcp.Listen(context.Background(), "tcp", local.String())
}

// serveTCP takes connections until the listener is closed.
func (u *UA) serveTCP(l net.Listener) {
	door := bucket{rate: knockRate, burst: knockBurst, level: knockBurst}
	for {
		conn, err := l.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			u.log.Warn("sip tcp connection not taken", "err", err)
			u.pause(acceptPause)
		default:
			u.guard(func() { u.knocked(conn, &door) })
		}
	}
}

// pause waits away from the loop, and reports false when the UA has ended.
func (u *UA) pause(d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-u.life.Done():
		return false
	}
}

// knocked closes the connection of a stranger before anything of it is read,
// and shows the others to the loop, unless there are too many.
func (u *UA) knocked(conn net.Conn, door *bucket) {
	from := addrPortOf(conn.RemoteAddr())
	if !u.sources.knows(from.Addr()) {
		u.log.Debug("sip tcp connection of a stranger closed", "from", from)
		cut(conn)
		return
	}
	if !door.take(time.Now()) {
		u.log.Debug("sip tcp connection refused: too many in a short time", "from", from, "most_per_second", knockRate)
		cut(conn)
		return
	}
	forget := context.AfterFunc(u.life, func() { cut(conn) })
	if !u.box.offer(func() { u.letIn(conn, from, forget) }) {
		forget()
		cut(conn)
	}
}

// letIn makes a flow of a connection, where there is room for it.
func (u *UA) letIn(conn net.Conn, from netip.AddrPort, forget func() bool) {
	h := hop{network: "tcp", addr: from}
	if u.stop || u.streams[h.flow()] != nil || !u.roomFor(from.Addr()) {
		u.log.Debug("sip tcp connection refused: there is no room", "from", from, "most", maxInbound, "most_of_one", maxInboundOfOne)
		forget()
		cut(conn)
		return
	}
	s := &stream{hop: h, local: addrPortOf(conn.LocalAddr()), ready: true, inbound: newInbound(u, h, conn)}
	s.conn = &watchedConn{Conn: conn, began: func() {}, within: answerWithin, failed: func() { cut(conn) }}
	s.conn.writes = func(b []byte) { u.traced(true, h.network, s.local, from, b) }
	u.streams[h.flow()] = s
	go func() {
		defer forget()
		err := u.serveStream(h.network, s.conn, s.inbound)
		u.log.Debug("sip tcp connection ended", "from", from, "reason", err)
		u.box.post(func() { u.streamEnded(s, err) })
	}()
}

// roomFor makes room for one more connection from an address: of its own, or of
// all, the idle one gives way that was not heard for the longest time. A phone
// that was switched off and on has its connection back at once so. Where a call
// lives on each of them, there is no room.
func (u *UA) roomFor(from netip.Addr) bool {
	var all, own []*stream
	for _, s := range u.streams {
		if s.inbound == nil {
			continue
		}
		all = append(all, s)
		if s.hop.addr.Addr() == from {
			own = append(own, s)
		}
	}
	switch {
	case len(own) >= maxInboundOfOne:
		return u.giveWay(own)
	case len(all) >= maxInbound:
		return u.giveWay(all)
	}
	return true
}

func (u *UA) giveWay(among []*stream) bool {
	idle := slices.DeleteFunc(among, func(s *stream) bool { return u.carries(s.hop.flow()) })
	if len(idle) == 0 {
		return false
	}
	oldest := slices.MinFunc(idle, func(a, b *stream) int {
		return cmp.Compare(a.inbound.heard.Load(), b.inbound.heard.Load())
	})
	oldest.abort()
	u.streamEnded(oldest, errGaveWay)
	return true
}

// carries reports whether a dialog lives on a flow, or a request of ours waits
// on it for its answer.
func (u *UA) carries(f flowKey) bool {
	for _, c := range u.calls {
		for _, d := range c.dialogs {
			if !c.over && !d.ended && d.reached != nil && d.reached.flow() == f {
				return true
			}
		}
	}
	for _, t := range u.clients {
		if !t.final && t.hop.flow() == f {
			return true
		}
	}
	return false
}

// cut ends a connection and drops what the kernel still holds of it, so that no
// stranger leaves anything behind.
func cut(conn net.Conn) {
	if c, ok := conn.(*net.TCPConn); ok {
		_ = c.SetLinger(0)
	}
	_ = conn.Close()
}
