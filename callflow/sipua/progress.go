package sipua

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// maxHeldResponses bounds the reliable responses that wait for an earlier one.
const maxHeldResponses = 16

// maxReliable bounds the reliable responses of one dialog, each of which costs a
// PRACK.
const maxReliable = 64

// reliable is the far end's row of reliable provisional responses (RFC 3262).
type reliable struct {
	last  uint32 // RSeq of the last one taken
	taken map[uint32]bool
	held  map[uint32]heldResponse
}

type heldResponse struct {
	res *sip.Response
	at  time.Time
}

// progressed takes a provisional response other than 100.
func (c *call) progressed(res *sip.Response, at time.Time) {
	if c.won != nil || tagOf(res.To().Params) == "" && isReliable(res) {
		return
	}
	d := c.dialog(res)
	switch {
	case d == nil:
	case isReliable(res):
		d.ringReliably(res, at)
	default:
		d.ring(res, at)
	}
}

// ring tells the progress of this fork. A later response without SDP stands
// for the SDP before it.
func (d *dialog) ring(res *sip.Response, at time.Time) {
	if sdp := sdpOf(res); sdp != nil {
		d.sdp = sdp
	}
	if !d.c.out.cancelled {
		d.c.emit(Progress{Leg: d.c.leg, Fork: d.tag, Status: res.StatusCode, SDP: d.sdp, At: at})
	}
}

// ringReliably acknowledges by PRACK, in the order of RSeq. One sent again is
// not told again; one before a gap waits (RFC 3262 section 4).
func (d *dialog) ringReliably(res *sip.Response, at time.Time) {
	n, ok := rseqOf(res)
	r := &d.rel
	switch {
	case !ok || r.taken[n] || len(r.taken) >= maxReliable:
		return
	case r.taken == nil:
		r.taken, r.held = map[uint32]bool{}, map[uint32]heldResponse{}
	case n > r.last+1:
		if len(r.held) < maxHeldResponses {
			r.held[n] = heldResponse{res, at}
		}
		return
	}
	d.takeReliable(n, res, at)
	for {
		next, ok := r.held[r.last+1]
		if !ok {
			return
		}
		delete(r.held, r.last+1)
		d.takeReliable(r.last+1, next.res, next.at)
	}
}

func (d *dialog) takeReliable(n uint32, res *sip.Response, at time.Time) {
	d.rel.taken[n] = true
	d.rel.last = max(d.rel.last, n)
	d.prack(n, res.CSeq())
	d.agreed = d.agreed || sdpOf(res) != nil
	d.ring(res, at)
}

func (d *dialog) prack(rseq uint32, cseq *sip.CSeqHeader) {
	req := d.request(sip.PRACK, d.next())
	req.AppendHeader(sip.NewHeader("RAck", fmt.Sprintf("%d %d %s", rseq, cseq.SeqNo, cseq.MethodName)))
	d.ask(req, nil, func(res *sip.Response, err error) {
		if err != nil {
			d.c.u.log.Warn("sip prack not answered", "leg", d.c.leg, "err", err)
		}
	})
}

func isReliable(res *sip.Response) bool {
	for _, h := range res.GetHeaders("require") {
		for option := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(option), "100rel") {
				return true
			}
		}
	}
	return false
}

func rseqOf(res *sip.Response) (uint32, bool) {
	h := res.GetHeader("rseq")
	if h == nil {
		return 0, false
	}
	n, err := strconv.ParseUint(strings.TrimSpace(h.Value()), 10, 32)
	return uint32(n), err == nil && n > 0
}

// isType reports whether a message's body is of a media type, parameters aside.
func isType(m sip.Message, want string) bool {
	h := m.GetHeaders("content-type")
	if len(h) == 0 {
		return false
	}
	value, _, _ := strings.Cut(h[0].Value(), ";")
	return strings.EqualFold(strings.TrimSpace(value), want)
}
