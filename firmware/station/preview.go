package station

import (
	"time"

	"doorstation/callflow"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// A showing is what one leg of the panel's own teaches of its phone.
type showing struct {
	rang   time.Time // the first sign of the phone; zero: none yet
	told   bool      // it knows where a picture of the visitor lies
	final  bool      // a 200 has come
	talks  bool      // the conversation has begun: no preview any more
	taught bool      // it has taken something
}

// rang learns what a phone takes, from its ringing without the picture that it
// failed over.
func (o *owner) rang(l *leg) {
	if l.showing.rang.IsZero() {
		l.showing.rang = time.Now()
	}
	if l.fewer {
		l.fewer = false
		if o.phones.failed(l.peer, time.Now()) {
			o.learnt(l, control.SoundAlone)
		}
	}
}

// previewed learns from a picture that opens before the conversation.
func (o *owner) previewed(l *leg) {
	s := &l.showing
	switch {
	case s.rang.IsZero() || s.talks: // a caller, or no preview
	case !s.final:
		o.took(l, rungEarly)
	case !l.media.Talks():
		o.took(l, rungPreview)
	}
}

// polled learns from a phone that has fetched the still picture of its leg.
func (o *owner) polled(id callflow.LegID) {
	if l := o.legs[id]; l != nil {
		o.took(l, rungStill)
	}
}

func (o *owner) took(l *leg, r rung) {
	l.showing.taught = true
	if o.phones.takes(l.peer, r, time.Now()) {
		o.learnt(l, control.PreviewWords(r.String()))
	}
}

// unseen learns from a leg that ends, and whose phone rang and took nothing of
// what it was offered.
func (o *owner) unseen(l *leg) {
	s, now := l.showing, time.Now()
	offered := s.told || o.rules.media.video && !l.sounded
	if s.rang.IsZero() || s.taught || !offered || now.Sub(s.rang) < ladderRing {
		return
	}
	if o.phones.blind(l.peer, s.told, now) {
		o.learnt(l, control.PreviewWords(control.PreviewNone))
	}
}

// learnt notes in the record what is known of a phone from now on.
func (o *owner) learnt(l *leg, what string) {
	o.diary.mark(monotonic(), timeline.Learnt, uint32(l.id), what)
}
