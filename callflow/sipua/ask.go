package sipua

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// An asking is a request of ours, other than INVITE, to its last word:
// challenges of our server are answered on the way.
type asking struct {
	req  *sip.Request
	hop  hop
	seq  func() uint32 // the next CSeq number, for another try
	sent func(at time.Time)

	patience time.Duration // as of clientTx

	done func(*sip.Response, error) // the final response, or why there is none
}

// ask sends a request and follows it to its end.
func (u *UA) ask(a asking) { u.askAgain(a, 0) }

func (u *UA) askAgain(a asking, tries int) {
	if u.isAtServer(a.hop) && (tries > 0 || a.req.Method == sip.REGISTER) {
		u.creds.sign(a.req)
	}
	t := &clientTx{req: a.req, hop: a.hop, sent: a.sent, patience: a.patience, failed: func(err error) { a.done(nil, err) }}
	finished := false
	t.response = func(res *sip.Response, _ time.Time) {
		if res.IsProvisional() || finished {
			return
		}
		finished = true
		if u.answerable(a.req, res, a.hop) && u.creds.take(a.req, res, tries) {
			a.req = u.renewed(a.req, a.seq())
			u.askAgain(a, tries+1)
			return
		}
		a.done(res, nil)
	}
	u.start(t)
}

func challenges(res *sip.Response) bool {
	return res.StatusCode == sip.StatusUnauthorized || res.StatusCode == sip.StatusProxyAuthRequired
}

// answerable reports whether a challenge may be answered: our server's, to a
// request of ours that went there and is outside of dialogs. A proxy passes on
// what a phone answers inside one, and a phone that gets credentials for a BYE
// can try passwords at leisure.
func (u *UA) answerable(req *sip.Request, res *sip.Response, h hop) bool {
	return challenges(res) && tagOf(req.To().Params) == "" && u.trusted(res, h)
}

// renewed is the same request with the next number, for another transaction.
func (u *UA) renewed(req *sip.Request, seq uint32) *sip.Request {
	again := req.Clone()
	for again.RemoveHeader("Via") {
	}
	again.CSeq().SeqNo = seq
	return again
}
