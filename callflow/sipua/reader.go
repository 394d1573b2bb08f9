package sipua

import (
	"errors"
	"hash/maphash"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow/sipua/wire"
)

// serveUDP reads the socket until it is closed, also past a datagram that makes
// its reading panic.
func (u *UA) serveUDP() {
	at := u.local.String()
	u.tpl.Pool("udp").Add(at, &sip.UDPConnection{PacketConn: u.gate, PacketAddr: at, Listener: true})
	buf := make([]byte, maxDatagram+1)
	for closed := false; !closed; {
		u.guard(func() { closed = u.readDatagram(buf) })
	}
}

func (u *UA) readDatagram(buf []byte) (closed bool) {
	n, addr, err := u.gate.ReadFrom(buf)
	if err != nil {
		return true // the gate gives no other error than that of a closed socket
	}
	from := addrPortOf(addr)
	u.traced(false, "udp", u.local, from, buf[:n])
	m, err := wire.Parse(buf[:n])
	u.deliver(m, err, "UDP", from, func(b []byte, port uint16) error {
		return u.gate.writeTo(b, netip.AddrPortFrom(from.Addr(), port))
	})
	return false
}

// serveStream reads a flow until it ends, and says why. What is no SIP ends it.
// in watches over a flow that somebody else made; nil: it is our own.
func (u *UA) serveStream(network string, conn net.Conn, in *inbound) (err error) {
	network = sip.NetworkToUpper(network)
	pool, local, remote := u.tpl.Pool(network), conn.LocalAddr().String(), conn.RemoteAddr().String()
	c := &sip.TCPConnection{Conn: conn}
	if in == nil { // those of others have one local address
		pool.Add(local, c)
		defer pool.Delete(local)
	}
	pool.Add(remote, c)
	defer func() { _ = pool.CloseAndDelete(c, remote) }()
	from := addrPortOf(conn.RemoteAddr())
	var framer wire.Framer
	for buf := make([]byte, 4<<10); err == nil; {
		var n int
		if n, err = in.read(conn, buf, framer.Partial()); err == nil {
			err = framer.Feed(buf[:n], func(f wire.Frame) {
				if in.passes() {
					u.guard(func() { u.takeFrame(f, network, from, conn) })
				}
			})
		}
	}
	return err
}

func (u *UA) takeFrame(f wire.Frame, network string, from netip.AddrPort, conn net.Conn) {
	back := func(b []byte, _ uint16) error { _, err := conn.Write(b); return err }
	if len(f.Message) == 0 {
		if f.Ping {
			_ = back([]byte("\r\n"), 0) // a broken flow is seen by its reader
		}
		return
	}
	u.traced(false, sip.NetworkToLower(network), addrPortOf(conn.LocalAddr()), from, f.Message)
	m, err := wire.Parse(f.Message)
	if err == nil && f.Lost {
		err = &wire.Fault{Status: sip.StatusBadRequest, Reason: "Bad Content-Length", Message: m}
	}
	u.deliver(m, err, network, from, back)
}

// An answerer writes an answer to the host or the flow that a request came by.
type answerer func(b []byte, port uint16) error

// deliver takes one message off a socket, in the order of the wire. What is not
// grammatical is answered here, without a thought of it being kept.
func (u *UA) deliver(m *wire.Message, err error, network string, from netip.AddrPort, back answerer) {
	var msg sip.Message
	if err == nil {
		msg, err = u.understand(m)
	}
	var fault *wire.Fault
	if errors.As(err, &fault) {
		u.refuseUnread(fault, from, back)
		return
	}
	msg.SetTransport(network)
	msg.SetSource(from.String())
	u.intake(msg)
}

// understand gives sipgo's view of a message that is grammatical.
func (u *UA) understand(m *wire.Message) (sip.Message, error) {
	if m.IsRequest() && m.Method != "ACK" && !ourScheme(m.URI) {
		return nil, &wire.Fault{Status: statusUnsupportedScheme, Reason: reasonOf(statusUnsupportedScheme), Message: m}
	}
	msg, err := u.parser.ParseSIP(m.Bytes())
	if err != nil {
		f := &wire.Fault{Reason: "Not Understood", Message: m}
		if m.IsRequest() && m.Method != "ACK" {
			f.Status = sip.StatusBadRequest
		}
		return nil, f
	}
	if req, ok := msg.(*sip.Request); ok {
		req.Method = sip.RequestMethod(m.Method) // sipgo makes it upper case, and "invite" is no INVITE
	}
	return msg, nil
}

// statusUnsupportedScheme is 416 (RFC 3261 section 8.2.2.1).
const statusUnsupportedScheme = 416

func ourScheme(uri string) bool {
	scheme, _, _ := strings.Cut(uri, ":")
	return strings.EqualFold(scheme, "sip") || strings.EqualFold(scheme, "sips")
}

// refuseUnread answers what was not taken.
func (u *UA) refuseUnread(f *wire.Fault, from netip.AddrPort, back answerer) {
	u.log.Debug("sip message not taken", "from", from, "reason", f.Reason)
	tag := strconv.FormatUint(maphash.String(u.seed, f.Reason+from.String()), 36)
	answer := f.Answer(tag, from.Addr().String(), from.Port())
	if answer == nil {
		return
	}
	if err := back(answer, f.Port(from.Port())); err != nil {
		u.log.Warn("sip response not sent", "status", f.Status, "to", from, "err", err)
	}
}
