package sipua

import (
	"time"

	"github.com/emiago/sipgo/sip"
)

// intake is called by the transports' readers with each message, in the order of
// the wire. sipgo's own transaction layer would give every message a goroutine,
// and lose that order; it is not used. What the loop cannot keep up with is
// dropped: the other end sends it again.
func (u *UA) intake(m sip.Message) {
	at := time.Now()
	u.box.offer(func() { u.receive(m, at) })
}

// receive takes one message on the loop.
func (u *UA) receive(m sip.Message, at time.Time) {
	problem := malformed(m)
	switch m := m.(type) {
	case *sip.Response:
		if problem == "" {
			u.receiveResponse(m, at)
		}
	case *sip.Request:
		switch {
		case problem == "":
			u.receiveRequest(m, at)
		case m.Via() != nil && m.Method != sip.ACK:
			u.refuseMalformed(m, at, problem)
		}
	}
}

// refuseMalformed says what is wrong, from what the message has.
func (u *UA) refuseMalformed(req *sip.Request, at time.Time, problem string) {
	t := &serverTx{u: u, req: req, from: source(req), at: at}
	answerTo(req, t.from)
	res := sip.NewResponseFromRequest(req, sip.StatusBadRequest, problem, nil)
	if err := t.write(res); err != nil {
		u.log.Warn("sip response not sent", "status", res.StatusCode, "to", t.from, "err", err)
	}
}

// maxCSeq is the largest sequence number (RFC 3261 section 8.1.1.5).
const maxCSeq = 1<<31 - 1

// malformed says what a message lacks of the fields that every message has (RFC
// 3261 section 8.1.1), or gives "". The parser lets such messages through.
func malformed(m sip.Message) string {
	via, from, to, cseq, id := m.Via(), m.From(), m.To(), m.CSeq(), m.CallID()
	switch {
	case via == nil || via.Host == "":
		return "Bad Via"
	case from == nil:
		return "Missing From" // its tag may be missing: RFC 3261 section 12.1.1
	case to == nil:
		return "Missing To"
	case id == nil || *id == "":
		return "Missing Call-ID"
	case cseq == nil || cseq.SeqNo > maxCSeq:
		return "Bad CSeq"
	}
	if req, ok := m.(*sip.Request); ok {
		return malformedRequest(req)
	}
	if res := m.(*sip.Response); res.StatusCode < 100 || res.StatusCode > 699 {
		return "Bad status"
	}
	return ""
}

func malformedRequest(req *sip.Request) string {
	if req.CSeq().MethodName != req.Method {
		return "CSeq Method Mismatch"
	}
	return ""
}

func tagOf(p sip.HeaderParams) string {
	tag, _ := p.Get("tag")
	return tag
}
