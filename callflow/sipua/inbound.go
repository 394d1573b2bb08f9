package sipua

import (
	"errors"
	"net"
	"os"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Times of a TCP connection that somebody else made.
const (
	// completeWithin is for the first message of a connection, and for each one
	// from its first byte to its last, however many pieces it comes in.
	completeWithin = 10 * time.Second
	// idleWithin is for the next message or CRLF, while no dialog lives on the
	// connection. RFC 5626 section 4.4.1 has clients ping every 95 to 120 s.
	idleWithin = 3 * time.Minute
	// answerWithin is for what we write: an answer fits the kernel's buffer, or
	// nobody reads at the other end.
	answerWithin = 200 * time.Millisecond
)

// The pace of one connection, in frames a second. What is beyond waits.
const inboundRate, inboundBurst = 100, 50

// Why a connection was ended.
var (
	errIncomplete = errors.New("no whole message came in time")
	errIdle       = errors.New("nothing came for too long")
)

// An inbound watches over a connection that somebody else made. It belongs to
// the connection's reader. A nil one watches over nothing, for flows of our own.
type inbound struct {
	u     *UA
	hop   hop
	conn  net.Conn
	since time.Time // what is awaited to be whole began then; zero: nothing is
	pace  bucket
	heard atomic.Uint64 // when it was heard last, counted in frames of all connections
}

func newInbound(u *UA, h hop, conn net.Conn) *inbound {
	in := &inbound{u: u, hop: h, conn: conn, since: time.Now()}
	in.pace = bucket{rate: inboundRate, burst: inboundBurst, level: inboundBurst}
	in.heard.Store(u.frames.Add(1))
	return in
}

// read gives the next bytes, in time. partial says that a frame waits for them.
func (in *inbound) read(conn net.Conn, b []byte, partial bool) (int, error) {
	if in == nil {
		return conn.Read(b)
	}
	if partial && in.since.IsZero() {
		in.since = time.Now()
	}
	for {
		deadline := in.since.Add(completeWithin)
		if in.since.IsZero() {
			deadline = time.Now().Add(idleWithin)
		}
		if err := conn.SetReadDeadline(deadline); err != nil {
			return 0, err
		}
		n, err := conn.Read(b)
		switch {
		case !errors.Is(err, os.ErrDeadlineExceeded):
			return n, err
		case !in.since.IsZero():
			return 0, errIncomplete
		case !in.carries():
			return 0, errIdle
		}
	}
}

// passes decides about one whole frame: it waits while there are too many, and
// ends the connection when its source is not admitted any more.
func (in *inbound) passes() bool {
	if in == nil {
		return true
	}
	in.since = time.Time{}
	in.heard.Store(in.u.frames.Add(1))
	for !in.pace.take(time.Now()) {
		if !in.u.pause(time.Second / inboundRate) {
			return false
		}
	}
	if !in.u.sources.knows(in.hop.addr.Addr()) {
		cut(in.conn)
		return false
	}
	return true
}

// carries asks the loop whether the connection is in use.
func (in *inbound) carries() bool {
	answer := make(chan bool, 1)
	in.u.box.post(func() { answer <- in.u.carries(in.hop.flow()) })
	select {
	case yes := <-answer:
		return yes
	case <-in.u.life.Done():
		return false
	}
}

// cameBy notes the connection that a request inside the dialog came by: the far
// end may have made a new one in the middle of a call.
func (d *dialog) cameBy(req *sip.Request) {
	h := hop{network: sip.NetworkToLower(req.Transport()), addr: source(req)}
	if s := d.c.u.streams[h.flow()]; s != nil && s.inbound != nil {
		d.reached = &h
	}
}

// overTheirs is the living connection that the far end made to us from the very
// host that h is at, in place of one that we would have to make; else h. A phone
// behind a firewall takes none.
func (d *dialog) overTheirs(h hop) hop {
	u, r := d.c.u, d.reached
	if r == nil || h.network != "tcp" || h.addr.Addr() != r.addr.Addr() || u.streams[h.flow()] != nil || u.isAtServer(h) {
		return h
	}
	if s := u.streams[r.flow()]; s == nil || s.inbound == nil {
		return h
	}
	return *r
}
