package sipua

import (
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

// maxForwards of our requests (RFC 3261 section 8.1.1.6).
const maxForwards = 70

// A dialog is one peer of a call (RFC 3261 section 12). Each has its own
// counters, its own route and its own target.
type dialog struct {
	c       *call
	tag     string    // the far end's
	target  sip.Uri   // its Contact, whatever it looks like
	routes  []sip.Uri // in the order of our requests
	seq     uint32    // of our last request
	invite  uint32    // of our INVITE: the ACK's number
	reached *hop      // where its messages come from, if its name is not found

	theirs    sequence // their requests, in order
	rel       reliable // their reliable provisional responses
	sdp       []byte   // of their latest 18x
	confirmed bool
	ended     bool // BYE sent or received

	ack     *sip.Request // to the 200 of our INVITE, the latest, to be sent again
	offer   *serverTx    // their re-INVITE or UPDATE, to be answered
	unacked *unacked     // our 200 to an INVITE
	byeDue  bool         // BYE as soon as the ACK is here

	described  []byte // our latest description, offer or answer
	agreed     bool   // a reliable 18x has answered our offer (RFC 3262 section 5)
	session    sessionTimer
	updates    bool // they take UPDATE
	asking     bool // a refresh of ours has no final response yet
	reoffering bool // and it is a re-INVITE
}

// maxForks bounds the dialogs of one INVITE: each costs memory, and one that is
// answered an ACK and a BYE.
const maxForks = 32

// dialog finds or makes the dialog of a response to our INVITE; nil where there
// are too many.
func (c *call) dialog(res *sip.Response) *dialog {
	tag := tagOf(res.To().Params)
	d := c.dialogs[tag]
	if d == nil {
		if len(c.dialogs) >= maxForks {
			return nil
		}
		d = &dialog{c: c, tag: tag, target: c.out.req.Recipient, seq: c.out.seq, invite: c.out.seq,
			described: c.out.req.Body()}
		d.theirs.d = d
		c.dialogs[tag] = d
	}
	d.learn(res)
	return d
}

// learn takes target and route set from a response to our INVITE. Both follow
// every response until the dialog is confirmed (RFC 3261 section 13.2.2.4).
func (d *dialog) learn(res *sip.Response) {
	if from := source(res); from.IsValid() {
		d.reached = &hop{network: sip.NetworkToLower(res.Transport()), addr: from}
		d.c.peers[from.Addr()] = true
	}
	if d.confirmed {
		return
	}
	d.updates = d.updates || lists(res, "allow", string(sip.UPDATE))
	d.refresh(res.Contact())
	if routes := recordRoutes(res); len(routes) > 0 || res.IsSuccess() {
		slices.Reverse(routes)
		d.routes = routes
	}
}

// refresh takes a new remote target (RFC 3261 section 12.2).
func (d *dialog) refresh(contact *sip.ContactHeader) {
	if contact == nil || contact.Address.Wildcard || contact.Address.Host == "" {
		return
	}
	d.target = *contact.Address.Clone()
	d.target.Headers = nil
}

func recordRoutes(m sip.Message) []sip.Uri {
	var routes []sip.Uri
	for _, h := range m.GetHeaders("record-route") {
		if rr, ok := h.(*sip.RecordRouteHeader); ok {
			routes = append(routes, *rr.Address.Clone())
		}
	}
	return routes
}

// next gives our next CSeq number.
func (d *dialog) next() uint32 {
	d.seq++
	return d.seq
}

// request builds a request inside the dialog (RFC 3261 section 12.2.1.1).
func (d *dialog) request(method sip.RequestMethod, seq uint32) *sip.Request {
	uri, routes := d.target, d.routes
	if len(routes) > 0 && !routes[0].UriParams.Has("lr") { // a strict router
		uri, routes = routes[0], append(slices.Clone(routes[1:]), d.target)
	}
	req := sip.NewRequest(method, uri)
	for _, r := range routes {
		req.AppendHeader(&sip.RouteHeader{Address: *r.Clone()})
	}
	d.c.u.fill(req, d.c.local, d.c.remote, d.c.key, d.tag, seq)
	return req
}

// fill adds the fields that every request of ours has.
func (u *UA) fill(req *sip.Request, local, remote party, key callKey, remoteTag string, seq uint32) {
	hops := sip.MaxForwardsHeader(maxForwards)
	id := sip.CallIDHeader(key.id)
	to := &sip.ToHeader{DisplayName: remote.display, Address: *remote.uri.Clone()}
	if remoteTag != "" {
		to.Params = sip.HeaderParams{{K: "tag", V: remoteTag}}
	}
	req.AppendHeader(&hops)
	req.AppendHeader(&sip.FromHeader{DisplayName: local.display, Address: *local.uri.Clone(),
		Params: sip.HeaderParams{{K: "tag", V: key.tag}}})
	req.AppendHeader(to)
	req.AppendHeader(&id)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: seq, MethodName: req.Method})
	req.AppendHeader(sip.NewHeader("User-Agent", u.cfg.UserAgent))
	req.SetBody(nil)
}

// hop finds the way: the first route, else the target. A name that is not found
// is taken to be where the dialog's messages come from.
func (d *dialog) hop(f func(hop, error)) {
	uri := d.target
	if len(d.routes) > 0 {
		uri = d.routes[0]
	}
	d.c.u.locate(uri, func(h hop, err error) {
		if err != nil && d.reached != nil {
			h, err = *d.reached, nil
		}
		if err == nil {
			h = d.overTheirs(h)
		}
		if err == nil && !d.c.peers[h.addr.Addr()] {
			d.c.meet(h.addr)
		}
		f(h, err)
	})
}

// ask sends a request inside the dialog and tells its final response.
func (d *dialog) ask(req *sip.Request, sent func(at time.Time), done func(*sip.Response, error)) {
	d.hop(func(h hop, err error) {
		if err != nil {
			done(nil, err)
			return
		}
		d.c.u.ask(asking{req: req, hop: h, seq: d.next, sent: sent, done: done})
	})
}

// hangUp ends the dialog with BYE. Any answer to it, or none, ends it (RFC 3261
// section 15.1.1). done may be nil.
func (d *dialog) hangUp(done func()) {
	if d.ended {
		return
	}
	d.ended = true
	d.refuseOffer()
	if d.unacked != nil { // not before the ACK (RFC 3261 section 15)
		d.byeDue = true
		return
	}
	d.bye(done)
}

func (d *dialog) bye(done func()) {
	sent := d.c.sent(sip.BYE)
	if d.c.won != d {
		sent = nil
	}
	d.ask(d.request(sip.BYE, d.next()), sent, func(*sip.Response, error) {
		if done != nil {
			done()
		}
	})
}

// drop stops what still runs for the dialog.
func (d *dialog) drop() {
	d.theirs.abandon()
	d.session.stop()
	if d.unacked != nil {
		d.unacked.stop()
		d.unacked = nil
	}
}
