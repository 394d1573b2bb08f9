package sipua

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"
)

// limit ends the wait for a request that nobody has answered at all, not even
// provisionally.
func (u *UA) limit(t *clientTx) {
	if t.patience > 0 {
		u.after(t.patience, func() { u.fail(t, errTimeout) })
	}
}

// fail ends a request that nothing came for, before its transaction times out.
func (u *UA) fail(t *clientTx, err error) {
	if t.final || t.heard || t.silent || t.dropped {
		return
	}
	if t.req.Method == sip.INVITE {
		u.silence(t) // what comes late is still heard
	} else {
		t.final = true
		t.giveUp()
	}
	t.failed(err)
}

// unreachable takes the word of the network that there is nobody at an address
// (RFC 1122 section 4.1.3.3): what was sent there fails at once.
func (u *UA) unreachable(at netip.AddrPort, cause error) {
	for _, t := range u.clients {
		if t.hop.network == "udp" && t.hop.addr == at {
			u.fail(t, fmt.Errorf("sip: %v is not reached: %w", at, cause))
		}
	}
}

// invitePatience is how long an INVITE waits for a first word: less where there
// is another way to ring.
func (u *UA) invitePatience(h hop) time.Duration {
	if u.cfg.Account.Impatient || u.isAtServer(h) && u.hasOtherServer(h.unswitched()) {
		return patience
	}
	return 0
}

// elsewhere sends the INVITE to the next server of the account, if there is one
// (RFC 3263 section 4.3). It is the same INVITE: a phone that gets both rings once.
func (c *call) elsewhere(t *clientTx, retry time.Duration, why string) bool {
	u, o := c.u, c.out
	if t != o.tx || o.cancelled || o.rang || c.over || !u.isAtServer(o.hop) {
		return false
	}
	left := o.hop.unswitched()
	if !u.leaveServer(left, retry) {
		return false
	}
	u.log.Warn("sip server failed a call, the next one is tried", "server", left.addr, "next", u.server.addr, "reason", why)
	c.dropEarly()
	o.req, o.hop = u.renewed(o.req, o.seq), *u.server
	for o.req.RemoveHeader("Route") {
	}
	for _, r := range u.routes(o.hop) {
		o.req.AppendHeader(&sip.RouteHeader{Address: r})
	}
	o.req.RemoveHeader("Contact")
	c.meet(o.hop.addr)
	c.sendInvite()
	u.reg.granted = false
	u.register()
	return true
}

// overtaken takes a response to an INVITE that was sent again elsewhere. The
// first answer counts, wherever it comes from; ringing that comes late is ended.
func (c *call) overtaken(t *clientTx, res *sip.Response, at time.Time) {
	switch {
	case res.IsSuccess():
		c.succeeded(res, at)
		if c.won != nil && !c.out.tx.final && !c.out.cancelled {
			c.out.cancelled = true
			if c.out.provisional {
				c.cancelIfDue()
			} else {
				c.u.silence(c.out.tx)
			}
		}
	case res.IsProvisional() && !t.awaited:
		t.awaited = true
		c.u.start(&clientTx{
			req: cancelFor(t.req), hop: t.hop,
			response: func(*sip.Response, time.Time) {},
			failed:   func(error) {},
		})
	}
}
