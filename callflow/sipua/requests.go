package sipua

import (
	"net/netip"

	"github.com/emiago/sipgo/sip"
)

// inDialog hands a request to its dialog. One that belongs to none, or that
// comes from elsewhere than the dialog's own peers, has no effect.
func (u *UA) inDialog(t *serverTx) {
	d := u.dialogOf(t.req, t.from)
	if d == nil || d.ended && t.req.Method != sip.BYE {
		t.respond(sip.StatusCallTransactionDoesNotExists)
		return
	}
	if t.begin(maxDialogServers) {
		d.cameBy(t.req)
		t.early = d.c.won != d
		d.theirs.arrive(t)
	}
}

func (u *UA) dialogOf(req *sip.Request, from netip.AddrPort) *dialog {
	c := u.calls[callKey{req.CallID().Value(), tagOf(req.To().Params)}]
	if c == nil || !c.hears(from) {
		return nil
	}
	return c.dialogs[tagOf(req.From().Params)]
}

// perform does what a request inside the dialog asks for, in its turn.
func (d *dialog) perform(t *serverTx) {
	if (d.ended || d.c.over) && t.req.Method != sip.BYE { // it has waited for its turn too long
		t.respond(sip.StatusCallTransactionDoesNotExists)
		return
	}
	if demand := unsupported(t.req); demand != "" {
		t.respond(sip.StatusBadExtension, sip.NewHeader("Unsupported", demand))
		return
	}
	switch t.req.Method {
	case sip.BYE:
		d.byeArrived(t)
	case sip.INVITE, sip.UPDATE:
		d.offerArrived(t)
	case sip.INFO:
		d.infoArrived(t)
	case sip.REFER:
		if len(d.c.u.cfg.TransferTo) == 0 {
			t.respond(sip.StatusMethodNotAllowed, sip.NewHeader("Allow", allowedMethods))
			return
		}
		d.referred(t)
	case sip.OPTIONS:
		t.respond(sip.StatusOK, capabilities()...)
	default:
		t.respond(refusalOf(t.req.Method), sip.NewHeader("Allow", allowedMethods))
	}
}

// byeArrived ends the dialog (RFC 3261 section 15.1.2). A callee has none to end
// before its answer.
func (d *dialog) byeArrived(t *serverTx) {
	c := d.c
	if c.out != nil && !d.confirmed {
		t.respond(sip.StatusCallTransactionDoesNotExists)
		return
	}
	t.respond(sip.StatusOK)
	d.refuseOffer()
	first := !d.ended || d.byeDue // ours waits for an ACK, and need not go any more
	d.ended, d.byeDue = true, false
	d.drop()
	if in := c.incoming; in != nil && !in.answered {
		in.t.respond(sip.StatusRequestTerminated)
	}
	if first && (c.won == d || c.incoming != nil) {
		c.end("the other side hung up", false)
	}
}
