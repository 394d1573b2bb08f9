package sipua

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// reinvite offers sdp inside the dialog (RFC 3261 section 14.1) and tells the
// final response. A 2xx is acknowledged; an answer that changes what was agreed
// becomes an event.
func (d *dialog) reinvite(sdp []byte, done func(*sip.Response, error)) {
	d.asking, d.reoffering = true, true
	d.hop(func(h hop, err error) {
		if err != nil {
			done(nil, err)
			return
		}
		req := d.request(sip.INVITE, d.next())
		d.c.u.askSession(req, d.session.interval, "uac")
		req.AppendHeader(sip.NewHeader("Allow", allowedMethods))
		req.AppendHeader(sip.NewHeader("Supported", supported))
		if len(sdp) > 0 {
			req.AppendHeader(sdpType())
			req.SetBody(sdp)
		}
		d.sendReinvite(req, h, done)
	})
}

func (d *dialog) sendReinvite(req *sip.Request, h hop, done func(*sip.Response, error)) {
	u := d.c.u
	t := &clientTx{req: req, hop: h, failed: func(err error) { done(nil, err) }}
	finished := false
	t.response = func(res *sip.Response, _ time.Time) {
		switch {
		case res.IsProvisional():
		case finished:
			d.acknowledgeAgain(res)
		default:
			finished = true
			if res.IsSuccess() {
				d.reanswered(req, res)
			}
			done(res, nil)
		}
	}
	u.start(t)
}

// reanswered acknowledges the 2xx to our re-INVITE, and tells its answer.
func (d *dialog) reanswered(req *sip.Request, res *sip.Response) {
	d.refresh(res.Contact()) // before the ACK, which goes to the new target
	d.ack = d.request(sip.ACK, req.CSeq().SeqNo)
	d.acknowledge(func(error) {})
	if sdp := sdpOf(res); sdp != nil {
		d.c.emit(Reanswered{Leg: d.c.leg, SDP: sdp})
	}
}

// acknowledgeAgain repeats the ACK for a 2xx that came again, if it was the
// latest that it is for.
func (d *dialog) acknowledgeAgain(res *sip.Response) {
	if d.ack != nil && d.ack.CSeq().SeqNo == res.CSeq().SeqNo {
		d.acknowledge(func(error) {})
	}
}
