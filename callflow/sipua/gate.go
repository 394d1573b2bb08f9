package sipua

import (
	"bytes"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"doorstation/callflow/sipua/wire"
)

// Bounds of a datagram that can be a SIP message.
const (
	minDatagram = 32
	maxDatagram = 16 << 10
)

// readPause keeps a socket that only fails from taking a core.
const readPause = 10 * time.Millisecond

// A gate is the SIP socket as the transport sees it. Nothing reaches the parser
// that is not of an admitted source, within its rate, of a sane size, and with
// a SIP start line. ReadFrom gives no error but the one of a closed socket,
// because any other would end the transport's reader.
type gate struct {
	net.PacketConn
	sources *sources
	side    func(b []byte, from netip.AddrPort) bool
	writes  func(b []byte, to netip.AddrPort) // nil: nobody wants to know
	lost    func([]undelivered)               // what the network says did not arrive
	log     *slog.Logger

	serving chan struct{} // closed at the first read
	once    sync.Once
}

// bindUDP takes an exact address.
func bindUDP(local netip.AddrPort) (net.PacketConn, error) {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(local))
	if errors.Is(err, syscall.EADDRINUSE) {
		return nil, &InUseError{Addr: local, Err: err}
	}
	if err != nil {
		return nil, err
	}
	if err := askForErrors(conn); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func newGate(conn net.PacketConn, s *sources, side func([]byte, netip.AddrPort) bool, log *slog.Logger) *gate {
	return &gate{PacketConn: conn, sources: s, side: side, log: log, serving: make(chan struct{})}
}

// ReadFrom gives the next datagram that may be parsed.
func (g *gate) ReadFrom(b []byte) (int, net.Addr, error) {
	g.once.Do(func() { close(g.serving) })
	for {
		n, addr, err := g.PacketConn.ReadFrom(b)
		if errors.Is(err, net.ErrClosed) {
			return 0, nil, err
		}
		if nobodyThere(err) {
			g.reap()
			continue
		}
		if err != nil {
			g.log.Warn("sip read failed", "err", err)
			time.Sleep(readPause)
			continue
		}
		if g.passes(b[:n], addrPortOf(addr)) {
			return n, addr, nil
		}
	}
}

func (g *gate) passes(b []byte, from netip.AddrPort) bool {
	if len(b) > 0 && b[0]>>6 == 0 && g.side != nil && g.side(b, from) {
		return false
	}
	return plausible(b) && g.sources.admit(from, time.Now())
}

// plausible reports whether b begins as a SIP message does: with a token, a
// method or the version's first, and with a version in the first line (RFC 3261
// section 7).
func plausible(b []byte) bool {
	if len(b) < minDatagram || len(b) > maxDatagram || !wire.IsToken(string(b[:1])) {
		return false
	}
	line, _, found := bytes.Cut(b, []byte("\r\n"))
	return found && bytes.Contains(line, []byte("SIP/"))
}

func (g *gate) writeTo(b []byte, to netip.AddrPort) error {
	_, err := g.WriteTo(b, net.UDPAddrFromAddrPort(to))
	return err
}

// WriteTo sends one datagram. The kernel may tell of an earlier one in its place,
// which was for somebody else; then it is sent after that.
func (g *gate) WriteTo(b []byte, to net.Addr) (int, error) {
	if g.writes != nil {
		g.writes(b, addrPortOf(to)) // before the answer can be there
	}
	n, err := g.PacketConn.WriteTo(b, to)
	if nobodyThere(err) {
		g.reap()
		n, err = g.PacketConn.WriteTo(b, to)
	}
	return n, err
}

// reap tells of the datagrams that did not arrive.
func (g *gate) reap() {
	if all := undeliverables(g.PacketConn); len(all) > 0 && g.lost != nil {
		g.lost(all)
	}
}

// addrPortOf gives the address of a UDP or TCP peer, v4 as v4.
func addrPortOf(a net.Addr) netip.AddrPort {
	var ap netip.AddrPort
	switch a := a.(type) {
	case *net.UDPAddr:
		ap = a.AddrPort()
	case *net.TCPAddr:
		ap = a.AddrPort()
	default:
		ap, _ = netip.ParseAddrPort(a.String())
	}
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}
