package sipua

import (
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// An Invitation is how a phone is rung.
type Invitation struct {
	Target string // SIP, SIPS or tel URI

	// Offers are SDP, the one wanted most first. The next is tried when the
	// phone refuses the one before it for its media, or fails over it.
	Offers [][]byte

	// Expires is how long the phone may ring, told to it so that an INVITE that
	// was long on its way rings no longer (RFC 3261 section 13.2.1); 0: unsaid.
	Expires time.Duration

	// Direct rings the phone at its own address, without any server of ours.
	Direct bool

	// CallInfo is the value of a Call-Info header, such as where a picture of the
	// visitor lies (RFC 3261 section 20.9); empty: none. With a control character
	// in it the leg is refused.
	CallInfo string
}

// An outgoing is our INVITE and how far it got.
type outgoing struct {
	Invitation
	req          *sip.Request
	tx           *clientTx
	hop          hop
	seq          uint32
	tries        int           // with credentials
	offer        int           // place of the offer in force
	leastSession time.Duration // demanded by a 422
	redirects    redirects
	rang         bool // an 18x has come
	provisional  bool // CANCEL may follow (RFC 3261 section 9.1)
	cancelled    bool // asked for
	cancelSent   bool
}

var errCallInfo = errors.New("sip: the Call-Info contains a control character")

func (u *UA) invite(leg callflow.LegID, inv Invitation) {
	if u.legs[leg] != nil {
		u.log.Error("sip leg used twice", "leg", leg)
		return
	}
	c := u.newCall(leg, freshKey())
	uri, err := u.targetURI(inv.Target)
	if hasControl(inv.CallInfo) {
		err = errCallInfo // without its value, which may be a secret
	}
	if u.stop {
		err = errStopping
	}
	if err != nil {
		c.out = &outgoing{}
		c.refuse(sip.StatusServiceUnavailable, err.Error())
		return
	}
	c.local, c.remote = u.self(), party{uri: remoteParty(uri)}
	c.out = &outgoing{Invitation: inv, seq: 1}
	c.inviteAt(uri)
	u.hurry()
}

// inviteAt sends the INVITE to uri: the target, or where a 3xx points.
func (c *call) inviteAt(uri sip.Uri) {
	c.out.req = sip.NewRequest(sip.INVITE, uri)
	way := c.u.way
	if c.out.Direct {
		way = c.u.straight
	}
	way(uri, func(h hop, routes []sip.Uri, err error) {
		switch {
		case c.over:
		case err != nil:
			c.unheard(sip.StatusServiceUnavailable, err.Error())
		default:
			c.buildInvite(routes)
			c.out.hop, c.byServer = h, c.u.isAtServer(h)
			c.meet(h.addr)
			c.sendInvite()
		}
	})
}

// remoteParty is the target as To has it: without what only steers the request
// (RFC 3261 section 19.1.1).
func remoteParty(uri sip.Uri) sip.Uri {
	to := sip.Uri{Scheme: uri.Scheme, User: uri.User, Host: uri.Host}
	if user, ok := uri.UriParams.Get("user"); ok {
		to.UriParams = sip.HeaderParams{{K: "user", V: user}}
	}
	return to
}

func (c *call) buildInvite(routes []sip.Uri) {
	req := c.out.req
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: r})
	}
	c.u.fill(req, c.local, c.remote, c.key, "", c.out.seq)
	req.AppendHeader(sip.NewHeader("Allow", allowedMethods))
	req.AppendHeader(sip.NewHeader("Supported", supported))
	c.u.askSession(req, c.out.leastSession, "")
	if c.out.Expires > 0 {
		req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(math.Ceil(c.out.Expires.Seconds())))))
	}
	if c.out.CallInfo != "" {
		req.AppendHeader(sip.NewHeader("Call-Info", c.out.CallInfo))
	}
	if sdp := c.out.description(); len(sdp) > 0 {
		req.AppendHeader(sdpType())
		req.SetBody(sdp)
	}
}

// description is the offer in force.
func (o *outgoing) description() []byte {
	if o.offer < len(o.Offers) {
		return o.Offers[o.offer]
	}
	return nil
}

func (c *call) sendInvite() {
	o := c.out
	if c.u.knowsUs(o.hop) {
		c.u.creds.sign(o.req)
	}
	o.provisional = false
	t := &clientTx{req: o.req, hop: o.hop, sent: c.sent(sip.INVITE), patience: c.u.invitePatience(o.hop)}
	t.response = func(res *sip.Response, at time.Time) { c.inviteResponse(t, res, at) }
	t.failed = func(err error) {
		if !c.elsewhere(t, 0, err.Error()) {
			c.inviteFailed(err)
		}
	}
	o.tx = t
	c.u.start(t)
}

func (c *call) inviteResponse(t *clientTx, res *sip.Response, at time.Time) {
	o := c.out
	switch {
	case t != o.tx:
		c.overtaken(t, res, at)
	case c.won != nil && !res.IsSuccess():
	case res.IsProvisional():
		o.provisional = true
		c.cancelIfDue()
		if res.StatusCode > 100 {
			o.rang = true
			c.progressed(res, at)
		}
	case res.IsSuccess():
		c.succeeded(res, at)
	case o.cancelled:
		c.refuse(sip.StatusRequestTerminated, "cancelled")
	case len(c.dialogs) == 0 && c.u.answerable(o.req, res, o.hop) && c.u.creds.take(o.req, res, o.tries):
		o.tries++
		c.inviteAgain()
	case res.StatusCode == sip.StatusServiceUnavailable && c.elsewhere(t, retryAfterOf(res), clean(res.Reason)):
	case c.retries(res):
	default:
		c.refuse(res.StatusCode, clean(res.Reason))
	}
}

// inviteAgain sends the INVITE once more with the next number, changed as the
// response to the one before wants it (RFC 3261 section 8.1.3.5).
func (c *call) inviteAgain() {
	o := c.out
	o.seq++
	o.req = c.u.renewed(o.req, o.seq)
	c.dropEarly() // early dialogs of the refused INVITE are no more
	c.sendInvite()
}

// inviteFailed ends a leg whose INVITE got no final response.
func (c *call) inviteFailed(err error) {
	switch {
	case c.out.cancelled:
		c.refuse(sip.StatusRequestTerminated, "cancelled")
	case errors.Is(err, errTimeout) && c.out.provisional:
		c.refuse(sip.StatusRequestTimeout, "no final response came")
	case errors.Is(err, errTimeout):
		c.unheard(sip.StatusRequestTimeout, "nothing came from the phone")
	default:
		c.unheard(sip.StatusServiceUnavailable, err.Error())
	}
}

// succeeded takes any 200 to our INVITE. Each To-tag is a dialog of its own and
// is acknowledged (RFC 3261 section 13.2.2.4); the first is the call, the others
// are ended, and so is one that crossed our CANCEL (section 9.1).
func (c *call) succeeded(res *sip.Response, at time.Time) {
	d := c.dialog(res)
	switch {
	case d == nil:
		return
	case d.ack != nil:
		d.acknowledgeAgain(res)
		return
	}
	d.confirmed = true
	d.sessionAgreed(res)
	won := c.won == nil && !c.out.cancelled && !c.over
	if won {
		c.won = d
	}
	// The ACK has the INVITE's number, whatever was sent since. It has none of
	// its credentials: no proxy takes them out, and the phone would see them.
	d.ack = d.request(sip.ACK, d.invite)
	d.acknowledge(func(err error) {
		switch {
		case !won:
			d.hangUp(nil)
			if c.won == nil {
				c.refuse(sip.StatusRequestTerminated, "cancelled")
			}
		case err != nil:
			c.refuse(sip.StatusServiceUnavailable, err.Error())
			d.hangUp(nil)
		default:
			c.emit(Answered{Leg: c.leg, Fork: d.tag, SDP: sdpOf(res), At: at})
		}
	})
}

// lateSuccess takes a 200 whose transaction is gone already.
func (u *UA) lateSuccess(res *sip.Response, at time.Time) {
	if !res.IsSuccess() || res.CSeq().MethodName != sip.INVITE {
		return
	}
	c := u.calls[callKey{res.CallID().Value(), tagOf(res.From().Params)}]
	if c != nil && c.out != nil && c.out.req != nil {
		c.succeeded(res, at)
	}
}

// acknowledge sends the ACK, the first time or again.
func (d *dialog) acknowledge(done func(error)) {
	d.hop(func(h hop, err error) {
		if err != nil {
			done(err)
			return
		}
		at := time.Now()
		d.c.u.sendOnce(d.ack, h, func(err error) {
			if err == nil && d.c.won == d {
				d.c.sent(sip.ACK)(at)
			}
			done(err)
		})
	})
}

// sdpOf gives the session description of a message, nil if it has none.
func sdpOf(m sip.Message) []byte {
	if len(m.Body()) == 0 || !isType(m, "application/sdp") {
		return nil
	}
	return m.Body()
}
