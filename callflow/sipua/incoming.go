package sipua

import (
	"crypto/rand"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// maxIncoming bounds the calls of others at one time; more are busy.
const maxIncoming = 4

// An incoming is an INVITE to us and how far it got.
type incoming struct {
	t        *serverTx
	d        *dialog
	answered bool // by a final response of ours
}

// invited takes a new INVITE: of an allowed caller, that we understand.
func (u *UA) invited(t *serverTx) {
	caller := u.caller(t)
	switch {
	case u.cfg.NewLeg == nil || caller == nil:
		t.respond(sip.StatusForbidden)
	case caller.Password != "" && !u.authentic(t, u.secretOf(caller)):
	case unsupported(t.req) != "":
		t.respond(sip.StatusBadExtension, sip.NewHeader("Unsupported", unsupported(t.req)))
	case u.merged(t.req):
		t.respond(sip.StatusLoopDetected) // RFC 3261 section 8.2.2.2
	case len(t.req.Body()) > 0 && sdpOf(t.req) == nil:
		t.respond(sip.StatusUnsupportedMediaType, sip.NewHeader("Accept", "application/sdp"))
	case t.req.GetHeader("replaces") != nil:
		t.respond(sip.StatusCallTransactionDoesNotExists) // nobody takes a call of ours over (RFC 3891 section 3)
	case tooBrief(t.req) != nil:
		t.respond(statusSessionTooBrief, tooBrief(t.req))
	case !acceptsSDP(t.req):
		t.respond(sip.StatusNotAcceptable)
	case t.req.Contact() != nil && t.req.Contact().Address.Host == "":
		t.respond(sip.StatusBadRequest)
	case u.stop || u.incomingCalls() >= maxIncoming:
		t.respond(sip.StatusBusyHere)
	case t.begin(maxServers):
		u.ringing(t, caller.name)
	}
}

func (u *UA) ringing(t *serverTx, caller string) {
	leg := u.cfg.NewLeg()
	t.req.To().Params.Add("tag", rand.Text())
	c := u.newCall(leg, callKey{t.req.CallID().Value(), tagOf(t.req.To().Params)})
	from, to := t.req.From(), t.req.To()
	c.local = party{display: to.DisplayName, uri: *to.Address.Clone()}
	c.remote = party{display: from.DisplayName, uri: *from.Address.Clone()}
	c.meet(t.from)
	c.byServer = u.fromServer(t.from)
	d := &dialog{c: c, tag: tagOf(from.Params), routes: recordRoutes(t.req), target: *from.Address.Clone()}
	d.reached = &hop{network: sip.NetworkToLower(t.req.Transport()), addr: t.from}
	d.theirs = sequence{d: d, heard: true, last: t.req.CSeq().SeqNo}
	d.refresh(t.req.Contact())
	c.dialogs[d.tag] = d
	c.incoming = &incoming{t: t, d: d}
	t.onCancel = func() {
		if !c.incoming.answered {
			c.incoming.answered = true
			t.respond(sip.StatusRequestTerminated)
			d.ended = true
			c.end("the caller gave up", false)
		}
	}
	d.updates = lists(t.req, "allow", string(sip.UPDATE))
	t.respondWith(t.response(sip.StatusRinging, nil, c.contactBack(t)))
	c.emit(Incoming{Leg: leg, Caller: caller, SDP: sdpOf(t.req), AnswerAfter: answerAfter(t.req)})
}

// merged reports whether the same INVITE came by another way already.
func (u *UA) merged(req *sip.Request) bool {
	for _, c := range u.calls {
		if c.incoming != nil && c.key.id == req.CallID().Value() &&
			c.dialogs[tagOf(req.From().Params)] != nil && c.incoming.t.req.CSeq().SeqNo == req.CSeq().SeqNo {
			return true
		}
	}
	return false
}

func (u *UA) incomingCalls() int {
	n := 0
	for _, c := range u.legs {
		if c.incoming != nil {
			n++
		}
	}
	return n
}

func (u *UA) accept(leg callflow.LegID, sdp []byte) {
	c := u.legs[leg]
	if c == nil || c.incoming == nil || c.incoming.answered {
		return
	}
	in := c.incoming
	in.answered = true
	c.won = in.d
	in.d.await(in.t, in.d.success(in.t, sdp), sdpOf(in.t.req) == nil)
}

func (u *UA) reject(leg callflow.LegID, status int) {
	c := u.legs[leg]
	if c == nil || c.incoming == nil || c.incoming.answered {
		return
	}
	if status < 300 || status > 699 {
		status = sip.StatusBusyHere
	}
	c.incoming.answered = true
	c.incoming.d.ended = true
	c.incoming.t.respond(status)
	c.close(nil)
}

// cancelled takes a CANCEL: always answered, and it ends an INVITE that has no
// final response yet (RFC 3261 section 9.2).
func (u *UA) cancelled(t *serverTx) {
	invite := u.servers[serverKey(t.req, sip.INVITE)]
	if invite == nil || invite.from.Addr() != t.from.Addr() {
		t.respond(sip.StatusCallTransactionDoesNotExists)
		return
	}
	if tag := tagOf(invite.req.To().Params); tagOf(t.req.To().Params) == "" {
		t.req.To().Params.Add("tag", tag)
	}
	t.respond(sip.StatusOK)
	if invite.status < 200 && invite.onCancel != nil {
		invite.onCancel()
	}
}

// contactBack is our Contact in a response.
func (c *call) contactBack(t *serverTx) sip.Header {
	h := hop{network: sip.NetworkToLower(t.req.Transport()), addr: t.from}
	return c.u.callContact(c, h, cameSecurely(t.req))
}
