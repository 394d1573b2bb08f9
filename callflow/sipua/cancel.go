package sipua

import (
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// cancelWithin is how long a cancelled INVITE may stay without its final
// response (RFC 3261 section 9.1).
const cancelWithin = 32 * time.Second

func (u *UA) cancel(leg callflow.LegID) {
	c := u.legs[leg]
	switch {
	case c == nil:
	case c.incoming != nil && c.won == nil:
		u.reject(leg, sip.StatusTemporarilyUnavailable)
	case c.won != nil:
		u.bye(leg)
	case !c.out.cancelled:
		c.out.cancelled = true
		c.giveUp()
	}
}

// giveUp cancels what has been sent. While nothing came back, CANCEL has to
// wait for a provisional response and the leg need not: the INVITE is repeated
// no more.
func (c *call) giveUp() {
	if !c.out.provisional {
		c.refuse(sip.StatusRequestTerminated, "cancelled")
		c.u.silence(c.out.tx)
		return
	}
	c.cancelIfDue()
	c.u.after(cancelWithin, func() {
		if !c.over {
			c.out.tx.giveUp()
			c.refuse(sip.StatusRequestTerminated, "cancelled")
		}
	})
}

// cancelIfDue sends the CANCEL that was asked for. Its callers know of a
// provisional response.
func (c *call) cancelIfDue() {
	o := c.out
	if !o.cancelled || o.cancelSent {
		return
	}
	o.cancelSent, o.tx.awaited = true, true
	c.u.start(&clientTx{
		req: cancelFor(o.req), hop: o.tx.hop, sent: c.sent(sip.CANCEL),
		response: func(*sip.Response, time.Time) {},
		failed:   func(error) {},
	})
}

// cancelFor is the CANCEL of an INVITE (RFC 3261 section 9.1).
func cancelFor(invite *sip.Request) *sip.Request { return follower(invite, sip.CANCEL) }

// follower is a CANCEL, or the ACK to a refusal. It follows the INVITE:
// Request-URI, top Via, Route, From, To, Call-ID and number are the same (RFC
// 3261 sections 9.1, 17.1.1.3).
func follower(invite *sip.Request, method sip.RequestMethod) *sip.Request {
	req := sip.NewRequest(method, invite.Recipient)
	req.AppendHeader(invite.Via().Clone())
	for _, field := range []string{"Route", "Max-Forwards", "From", "To", "Call-ID", "User-Agent"} {
		sip.CopyHeaders(field, invite, req)
	}
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: method})
	req.SetBody(nil)
	return req
}

func (u *UA) bye(leg callflow.LegID) {
	c := u.legs[leg]
	switch {
	case c == nil:
	case c.won == nil:
		u.cancel(leg)
	default:
		c.won.hangUp(func() { c.end("we hung up", true) })
	}
}
