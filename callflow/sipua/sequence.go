package sipua

import (
	"slices"
	"time"

	"github.com/emiago/sipgo/sip"
)

// How long a request waits for one before it, and how many may wait. Gaps are
// lawful (RFC 3261 section 12.2.2), so the wait is short; it is there for
// datagrams that overtook each other, a door code in INFO among them.
const (
	gapWait = 40 * time.Millisecond
	maxHeld = 32
)

// A sequence puts the far end's requests in the order of their CSeq.
type sequence struct {
	d     *dialog
	heard bool
	last  uint32
	held  []*serverTx // by number
	timer *time.Timer
}

// arrive takes the next request off the wire.
func (s *sequence) arrive(t *serverTx) {
	n := t.req.CSeq().SeqNo
	switch {
	case s.heard && n <= s.last, s.holds(n):
		t.respond(sip.StatusInternalServerError) // out of order (RFC 3261 section 12.2.2)
	case s.due(t, n):
		s.take(t)
		s.drain()
	default:
		s.hold(t)
	}
}

// due reports whether a request can be taken now. Whatever is not a digit need
// not wait when nothing came before.
func (s *sequence) due(t *serverTx, n uint32) bool {
	if !s.heard {
		return t.req.Method != sip.INFO && len(s.held) == 0
	}
	return n == s.last+1
}

func (s *sequence) holds(n uint32) bool {
	return slices.ContainsFunc(s.held, func(t *serverTx) bool { return t.req.CSeq().SeqNo == n })
}

func (s *sequence) hold(t *serverTx) {
	s.held = append(s.held, t)
	slices.SortFunc(s.held, func(a, b *serverTx) int { return int(a.req.CSeq().SeqNo) - int(b.req.CSeq().SeqNo) })
	switch {
	case len(s.held) > maxHeld:
		s.release()
	case s.timer == nil:
		s.timer = s.d.c.u.after(gapWait, s.release)
	}
}

// release stops waiting for what is missing.
func (s *sequence) release() {
	s.stop()
	held := s.held
	s.held = nil
	for _, t := range held {
		s.take(t)
	}
}

// drain takes what a filled gap had held up.
func (s *sequence) drain() {
	for len(s.held) > 0 && s.held[0].req.CSeq().SeqNo == s.last+1 {
		t := s.held[0]
		s.held = s.held[1:]
		s.take(t)
	}
	if len(s.held) == 0 {
		s.stop()
	}
}

func (s *sequence) take(t *serverTx) {
	s.heard, s.last = true, t.req.CSeq().SeqNo
	s.d.perform(t)
}

// abandon refuses what waits for its turn in a dialog that is no more.
func (s *sequence) abandon() {
	s.stop()
	held := s.held
	s.held = nil
	for _, t := range held {
		t.respond(sip.StatusCallTransactionDoesNotExists)
	}
}

func (s *sequence) stop() {
	if s.timer != nil {
		s.timer.Stop()
		s.timer = nil
	}
}
