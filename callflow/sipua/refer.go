package sipua

import (
	"strings"

	"github.com/emiago/sipgo/sip"
)

// statusDecline refuses a transfer (RFC 3515 section 2.4.2).
const statusDecline = 603

// referred takes a REFER (RFC 3515) on an answered dialog: the phone passes the
// visitor on, to one of the places that the configuration lists and to no other.
func (d *dialog) referred(t *serverTx) {
	target, ok := d.c.u.transferTarget(t.req)
	switch {
	case d.c.won != d || t.early:
		t.respond(sip.StatusCallTransactionDoesNotExists)
	case !ok:
		t.respond(statusDecline)
	default:
		quiet := t.req.GetHeader("refer-sub")
		if quiet != nil && strings.EqualFold(strings.TrimSpace(quiet.Value()), "false") { // RFC 4488
			t.respond(sip.StatusOK, sip.NewHeader("Refer-Sub", "false"))
		} else {
			t.respond(sip.StatusAccepted)
			d.notifyTrying()
		}
		d.c.emit(Referred{Leg: d.c.leg, Target: target})
	}
}

// notifyTrying is the one NOTIFY that a REFER gets: what becomes of the transfer
// is the visitor's business.
func (d *dialog) notifyTrying() {
	req := d.request(sip.NOTIFY, d.next())
	req.AppendHeader(sip.NewHeader("Event", "refer"))
	req.AppendHeader(sip.NewHeader("Subscription-State", "terminated;reason=noresource"))
	req.AppendHeader(sip.NewHeader("Content-Type", "message/sipfrag;version=2.0"))
	req.SetBody([]byte("SIP/2.0 100 Trying\r\n"))
	d.ask(req, nil, func(*sip.Response, error) {})
}

// transferTarget gives the entry of Config.TransferTo that a REFER means. What
// would have us replace another call is none (RFC 5589 section 7).
func (u *UA) transferTarget(req *sip.Request) (string, bool) {
	to := req.ReferTo()
	if to == nil || len(req.GetHeaders("refer-to")) != 1 || len(to.Address.Headers) > 0 {
		return "", false
	}
	for _, entry := range u.cfg.TransferTo {
		listed, err := u.targetURI(entry)
		if err == nil && listed.User == to.Address.User && strings.EqualFold(bareHost(listed.Host), bareHost(to.Address.Host)) {
			return entry, true
		}
	}
	return "", false
}
