package sipua

import (
	"net/netip"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// offerArrived takes a re-INVITE or UPDATE (RFC 3261 section 14.2, RFC 3311
// section 5.2).
func (d *dialog) offerArrived(t *serverTx) {
	sdp := sdpOf(t.req)
	switch {
	case len(t.req.Body()) > 0 && sdp == nil:
		t.respond(sip.StatusUnsupportedMediaType, sip.NewHeader("Accept", "application/sdp"))
	case d.offer != nil || d.c.incoming != nil && !d.c.incoming.answered:
		t.respond(sip.StatusInternalServerError, retryAfter())
	case tooBrief(t.req) != nil:
		t.respond(statusSessionTooBrief, tooBrief(t.req))
	case t.req.Method == sip.UPDATE && sdp == nil:
		d.refresh(t.req.Contact())
		t.respondWith(d.success(t, nil))
	case d.offering():
		t.respond(sip.StatusRequestPending)
	case d.c.won != d && (d.confirmed || t.req.Method != sip.UPDATE):
		t.respond(sip.StatusCallTransactionDoesNotExists)
	default:
		d.offered(t, sdp)
	}
}

// offering reports whether an offer of ours is without its answer: that of our
// INVITE or re-INVITE, or one in a 200 of ours. A reliable 18x may have answered
// that of our INVITE already.
func (d *dialog) offering() bool {
	return d.c.out != nil && !d.confirmed && !d.agreed || d.reoffering || d.unacked != nil && d.unacked.ours
}

func (d *dialog) offered(t *serverTx, sdp []byte) {
	if t.req.Method == sip.INVITE && d.unacked != nil {
		d.ackArrived(nil) // its ACK was lost, and this says as much
	}
	d.offer = t
	t.onCancel = func() {
		if d.offer == t {
			d.offer = nil
			t.respond(sip.StatusRequestTerminated)
		}
	}
	var once sync.Once
	d.c.emit(Offered{Leg: d.c.leg, Fork: d.tag, SDP: sdp, Answer: func(sdp []byte, status int) {
		once.Do(func() { d.c.u.box.post(func() { d.answer(t, sdp, status) }) })
	}})
}

// answer responds to the offer that waits, if it still does.
func (d *dialog) answer(t *serverTx, sdp []byte, status int) {
	if d.offer != t {
		return
	}
	d.offer = nil
	if len(sdp) == 0 {
		if status < 300 || status > 699 {
			status = 488
		}
		t.respond(status)
		return
	}
	d.refresh(t.req.Contact())
	res := d.success(t, sdp)
	if t.req.Method == sip.UPDATE {
		t.respondWith(res)
		return
	}
	d.await(t, res, sdpOf(t.req) == nil)
}

func (d *dialog) refuseOffer() {
	if t := d.offer; t != nil {
		d.offer = nil
		t.respond(sip.StatusRequestTerminated)
	}
}

// success is a 200 that refreshes their target too.
func (d *dialog) success(t *serverTx, sdp []byte) *sip.Response {
	if len(sdp) > 0 {
		d.described = sdp
	}
	d.updates = d.updates || lists(t.req, "allow", string(sip.UPDATE))
	headers := append([]sip.Header{d.c.contactBack(t), sip.NewHeader("Allow", allowedMethods),
		sip.NewHeader("Supported", supported)}, d.sessionAsked(t.req)...)
	return t.response(sip.StatusOK, sdp, headers...)
}

// An unacked is a 200 of ours to an INVITE, repeated until its ACK comes (RFC
// 3261 section 13.3.1.4).
type unacked struct {
	seq   uint32
	ours  bool // the 200 carries the offer, the ACK the answer
	wait  time.Duration
	again *time.Timer
	limit *time.Timer
}

func (a *unacked) stop() {
	a.again.Stop()
	a.limit.Stop()
}

func (d *dialog) await(t *serverTx, res *sip.Response, ours bool) {
	a := &unacked{seq: t.req.CSeq().SeqNo, ours: ours, wait: sip.T1}
	d.unacked = a
	t.respondWith(res)
	var repeat func()
	repeat = func() {
		if d.unacked != a {
			return
		}
		t.respondWith(res)
		a.wait = min(2*a.wait, sip.T2)
		a.again = d.c.u.after(a.wait, repeat)
	}
	a.again = d.c.u.after(a.wait, repeat)
	a.limit = d.c.u.after(64*sip.T1, func() { d.neverAcked(a) })
}

// neverAcked ends a dialog whose 200 nobody acknowledged.
func (d *dialog) neverAcked(a *unacked) {
	if d.unacked != a {
		return
	}
	a.stop()
	d.unacked = nil
	d.ended = true
	d.refuseOffer()
	d.bye(func() { d.c.end("our answer was never acknowledged", true) })
}

// acked takes the ACK to a 200 of ours.
func (u *UA) acked(req *sip.Request, from netip.AddrPort) {
	d := u.dialogOf(req, from)
	if d == nil || d.unacked == nil || d.unacked.seq != req.CSeq().SeqNo {
		return
	}
	d.ackArrived(sdpOf(req))
}

func (d *dialog) ackArrived(sdp []byte) {
	a := d.unacked
	a.stop()
	d.unacked = nil
	first := !d.confirmed
	d.confirmed = true
	if d.byeDue {
		d.bye(func() { d.c.end("we hung up", true) })
		return
	}
	if first || sdp != nil {
		d.c.emit(Confirmed{Leg: d.c.leg, SDP: sdp})
	}
}
