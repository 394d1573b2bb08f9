package session

import (
	"fmt"
	"math"
	"time"

	"doorstation/media/nat"
)

// never is further away than any leg lives.
const never = time.Duration(math.MaxInt64)

// keepHouse does what is due now and then: reports, keepalives, and the watch
// over a far end that has gone silent. It ends with the leg.
func (s *Session) keepHouse() {
	w := s.watcher()
	timer := time.NewTimer(never)
	defer timer.Stop()
	for {
		select {
		case <-s.done:
			return
		case <-s.wake:
		case <-timer.C:
		}
		now := s.now()
		timer.Reset(s.chores(now, w) - now)
		s.housekeeping.answer()
	}
}

// chores does what is due at now, and tells when to look again.
func (s *Session) chores(now time.Duration, w *watcher) time.Duration {
	next := w.look(now)
	for _, st := range s.streams {
		next = min(next, st.reportDue(now, s.params.CNAME), st.keepalive(now, s.params.Keepalive))
	}
	return next
}

// keepalive keeps the way to the far end open where no media does (RFC 6263).
// With RTP and RTCP on one port our reports would do (section 4.3), but come
// too rarely; a STUN Binding indication (section 4.4) is taken for sound or
// picture by nobody, as an RTP packet of an unknown type (section 4.6) could
// be, and asks for no answer.
func (st *stream) keepalive(now, every time.Duration) time.Duration {
	p := st.peer.Load()
	if every <= 0 || p == nil || !p.rtp.IsValid() {
		st.kept = 0
		return never
	}
	quiet := max(st.lastSent(), st.kept)
	if quiet == 0 || now-quiet >= every {
		if _, err := st.rtp.WriteToUDPAddrPort(nat.Indication(), p.rtp); err != nil {
			st.log.Debug("keepalive_not_sent", "stream", st.kind.String(), "peer", p.rtp.String(), "err", err)
		}
		st.kept, quiet = now, now
	}
	return quiet + every
}

// lastSent is when the last media packet left; 0: none has.
func (st *stream) lastSent() time.Duration {
	st.out.mu.Lock()
	defer st.out.mu.Unlock()
	if st.out.packets == 0 {
		return 0
	}
	return st.out.stampAt
}

// A watcher looks for a far end from which nothing comes. It begins with the
// conversation, that is when the microphone first opens, since phones send
// nothing while they ring; it rests while the far end is not to send. RTCP
// counts as a sign of life: a phone may suppress silence.
type watcher struct {
	s       *Session
	watched time.Duration // since when media is expected; 0: it is not
	lost    bool          // and was said to be lost
}

func (s *Session) watcher() *watcher { return &watcher{s: s} }

// look tells of a loss, once, and when to look again.
func (w *watcher) look(now time.Duration) time.Duration {
	limit := w.s.params.NoMediaFor
	p := w.s.audio.peer.Load()
	if limit <= 0 || w.lost || !w.s.talked.Load() || !p.receives() {
		w.watched = 0
		return never
	}
	if w.watched == 0 {
		w.watched = now
	}
	since := max(w.watched, time.Duration(w.s.audio.heard.Load()))
	if now-since < limit {
		return since + limit
	}
	w.lost = true
	reason := fmt.Sprintf("nothing has come from %v for %v, and the limit is %v",
		p.rtp, (now - since).Round(time.Second/10), limit)
	w.s.params.Notify(Lost{Reason: reason, At: w.s.epoch.Add(now)})
	return never
}
