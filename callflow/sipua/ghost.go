package sipua

import (
	"crypto/tls"
	"errors"
	"net"

	"github.com/emiago/sipgo/sip"
	"golang.org/x/sys/unix"
)

// errGivenUp ends a flow that still holds an INVITE which nobody wants any more.
var errGivenUp = errors.New("an INVITE was given up before the flow could carry it")

// silence ends the repetition of an INVITE that was given up unanswered, so that
// it rings nobody when the network returns. What comes back all the same is still
// heard: a provisional response is cancelled, a refusal acknowledged, and a 200
// acknowledged and ended (RFC 3261 sections 9.1, 17.1.1.3, 13.2.2.4).
func (u *UA) silence(t *clientTx) {
	switch {
	case t == nil || t.final || t.silent:
		return
	case t.fsm == nil:
		t.giveUp() // it has not been sent
		return
	}
	t.silent = true
	t.fsm.Terminate()
	u.after(linger, func() { delete(u.clients, t.key) })
	if s := u.streams[t.hop.flow()]; s != nil && s.ready && s.undelivered() {
		s.abort()
		u.streamEnded(s, errGivenUp)
	}
}

// heardSilent takes a response to a silenced INVITE.
func (u *UA) heardSilent(t *clientTx, res *sip.Response) {
	t.final = t.final || !res.IsProvisional()
	if t.final && !res.IsSuccess() {
		u.acknowledgeRefusal(t, res)
	}
}

// acknowledgeRefusal sends the ACK that belongs to the INVITE's own transaction.
func (u *UA) acknowledgeRefusal(t *clientTx, res *sip.Response) {
	req := follower(t.req, sip.ACK)
	req.RemoveHeader("To")
	sip.CopyHeaders("To", res, req)
	u.sendOnce(req, t.hop, func(err error) {
		if err != nil {
			u.log.Warn("sip refusal not acknowledged", "to", t.hop.addr, "err", err)
		}
	})
}

// undelivered reports whether bytes of ours wait in the kernel for the peer's
// acknowledgement.
func (s *stream) undelivered() bool {
	conn := s.tcp()
	if conn == nil {
		return false
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return false
	}
	waiting := 0
	if err := raw.Control(func(fd uintptr) { waiting, err = unix.IoctlGetInt(int(fd), unix.TIOCOUTQ) }); err != nil {
		return false
	}
	return waiting > 0
}

// abort ends the flow and drops what the kernel still holds of it.
func (s *stream) abort() {
	if conn := s.tcp(); conn != nil {
		_ = conn.SetLinger(0)
	}
	s.close()
}

// tcp is the connection under the flow; nil where it is none.
func (s *stream) tcp() *net.TCPConn {
	var conn net.Conn
	if s.conn != nil {
		conn = s.conn
	}
	for {
		switch c := conn.(type) {
		case *watchedConn:
			conn = c.Conn
		case *tls.Conn:
			conn = c.NetConn()
		case *net.TCPConn:
			return c
		default:
			return nil
		}
	}
}
