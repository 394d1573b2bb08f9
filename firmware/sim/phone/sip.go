package phone

import (
	"time"

	"github.com/emiago/sipgo"
	"github.com/emiago/sipgo/sip"
)

// allowed are the methods of the phone.
const allowed = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER"

// handle takes the requests of a server.
func (p *Phone) handle(s *sipgo.Server) {
	s.OnRegister(func(req *sip.Request, tx sip.ServerTransaction) {
		p.registrar.Handler(p.log)(req, tx)
		p.changed.Send(struct{}{})
	})
	s.OnInvite(p.onInvite)
	s.OnAck(p.onAck)
	s.OnBye(p.onBye)
	s.OnUpdate(p.onUpdate)
	s.OnInfo(p.onInfo)
	s.OnOptions(func(req *sip.Request, tx sip.ServerTransaction) { p.respond(req, tx, 200, "OK", nil) })
	s.OnCancel(func(req *sip.Request, tx sip.ServerTransaction) {
		p.respond(req, tx, 481, "No Such Transaction", nil)
	})
}

// respond answers a request, with a description when there is a body.
func (p *Phone) respond(req *sip.Request, tx sip.ServerTransaction, status int, reason string, body []byte) {
	if err := tx.Respond(p.response(req, status, reason, body)); err != nil {
		p.log.Warn("response not sent", "method", req.Method.String(), "status", status, "err", err)
	}
}

// response builds a response with the phone's own headers.
func (p *Phone) response(req *sip.Request, status int, reason string, body []byte) *sip.Response {
	res := sip.NewResponseFromRequest(req, status, reason, nil)
	res.AppendHeader(sip.NewHeader("Allow", allowed))
	if req.IsInvite() && status > 100 && status < 300 {
		res.AppendHeader(sip.NewHeader("Contact", "<sip:"+p.params.User+"@"+p.params.Listen.String()+">"))
	}
	if body != nil {
		res.AppendHeader(sip.NewHeader("Content-Type", "application/sdp"))
		res.SetBody(body)
	}
	return res
}

// onInvite begins a call, or changes the one that runs.
func (p *Phone) onInvite(req *sip.Request, tx sip.ServerTransaction) {
	if to := req.To(); to != nil && to.Params.Has("tag") {
		p.onInviteAgain(req, tx)
		return
	}
	if require := req.GetHeader("Require"); require != nil {
		res := p.response(req, 420, "Bad Extension", nil)
		res.AppendHeader(sip.NewHeader("Unsupported", require.Value()))
		if err := tx.Respond(res); err != nil {
			p.log.Warn("response not sent", "status", 420, "err", err)
		}
		return
	}
	if req.Recipient.User != p.params.User {
		p.respond(req, tx, 404, "No Such Flat", nil)
		return
	}
	offer, err := parseSDP(req.Body())
	if err != nil || agree(offer).audio == nil {
		p.log.Warn("offer refused", "err", err)
		p.respond(req, tx, 488, "Not Acceptable Here", nil)
		return
	}
	c, err := newCall(p, req, tx, offer)
	if err != nil {
		p.log.Error("call not taken", "err", err)
		p.respond(req, tx, 500, "Server Internal Error", nil)
		return
	}
	p.ring(c)
}

// ring lets the phone ring, unless it is in a call.
func (p *Phone) ring(c *call) {
	p.mu.Lock()
	caller := c.req.From().DisplayName
	if caller == "" {
		caller = c.req.From().Address.User
	}
	err := p.line.ring(time.Now(), caller)
	if err == nil {
		p.call = c
	}
	p.mu.Unlock()
	if err != nil {
		c.stop()
		p.respond(c.req, c.tx, 486, "Busy Here", nil)
		return
	}
	if !c.tx.OnCancel(func(*sip.Request) { c.cancelled() }) {
		c.cancelled()
		return
	}
	p.log.Info("ringing", "caller", caller)
	c.start()
	p.respond(c.req, c.tx, 180, "Ringing", nil)
	p.respond(c.req, c.tx, 183, "Session Progress", c.describe())
	p.changed.Send(struct{}{})
	<-c.settled // the transaction would end with its handler
}

// onInviteAgain answers an INVITE of the panel inside the call, with the sound
// as it is (RFC 3261 section 14.2).
func (p *Phone) onInviteAgain(req *sip.Request, tx sip.ServerTransaction) {
	c, err := p.find(req)
	if err != nil {
		p.respond(req, tx, 481, "Call Does Not Exist", nil)
		return
	}
	if len(req.Body()) > 0 && !c.renew(req.Body()) {
		p.respond(req, tx, 488, "Not Acceptable Here", nil)
		return
	}
	c.mu.Lock()
	c.dialog.refresh(req.Contact())
	c.mu.Unlock()
	p.respond(req, tx, 200, "OK", c.describeNext())
}

// onUpdate does the same for UPDATE (RFC 3311).
func (p *Phone) onUpdate(req *sip.Request, tx sip.ServerTransaction) {
	c, err := p.find(req)
	switch {
	case err != nil:
		p.respond(req, tx, 481, "Call Does Not Exist", nil)
	case len(req.Body()) == 0:
		p.respond(req, tx, 200, "OK", nil)
	case !c.renew(req.Body()):
		p.respond(req, tx, 488, "Not Acceptable Here", nil)
	default:
		p.respond(req, tx, 200, "OK", c.describeNext())
	}
}

// onInfo takes note of an INFO and does nothing with it.
func (p *Phone) onInfo(req *sip.Request, tx sip.ServerTransaction) {
	if _, err := p.find(req); err != nil {
		p.respond(req, tx, 481, "Call Does Not Exist", nil)
		return
	}
	p.respond(req, tx, 200, "OK", nil)
}

// onAck says that the panel has our 200.
func (p *Phone) onAck(req *sip.Request, _ sip.ServerTransaction) {
	if c, err := p.find(req); err == nil {
		c.acknowledged()
	}
}

// onBye ends the call.
func (p *Phone) onBye(req *sip.Request, tx sip.ServerTransaction) {
	c, err := p.find(req)
	if err != nil {
		p.respond(req, tx, 481, "Call Does Not Exist", nil)
		return
	}
	p.respond(req, tx, 200, "OK", nil)
	c.acknowledged() // whoever ends the call has had our 200
	p.endOf(c, "the panel hung up")
}
