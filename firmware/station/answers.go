package station

import (
	"bytes"
	"errors"
	"strconv"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
	"doorstation/media/dtmf"
)

// A phone that answered for the picture alone and then went away says as much as
// one that nobody came to.
const statusUnavailable = 480

// invitation is how a phone is rung: with the picture and then without it, or
// without it where the phone is known to fail over one.
func (o *owner) invitation(l *leg, ringFor time.Duration) sipua.Invitation {
	inv := sipua.Invitation{Target: l.peer, Expires: ringFor, Direct: o.rules.line.isDirect(l.peer), CallInfo: o.callInfo(l)}
	l.sounded = o.phones.soundOnly(l.peer, time.Now())
	if l.sounded {
		inv.Offers = [][]byte{l.media.OfferSound()}
		return inv
	}
	inv.Offers = [][]byte{l.media.Offer()}
	if o.rules.media.video {
		inv.Offers = append(inv.Offers, l.media.OfferSound())
	}
	return inv
}

// retried notes that the phone is rung again with sound alone.
func (o *owner) retried(ev sipua.Retried) {
	o.diary.mark(monotonic(), timeline.Retried, uint32(ev.Leg), strconv.Itoa(ev.Status)+" "+ev.Reason)
	if l := o.legs[ev.Leg]; l != nil {
		l.fewer, l.sounded = true, true
	}
}

// refused ends a leg that was not answered.
func (o *owner) refused(ev sipua.Refused) {
	o.diary.mark(monotonic(), timeline.Refused, uint32(ev.Leg), strconv.Itoa(ev.Status)+" "+ev.Reason)
	o.step(callflow.Refused{Leg: ev.Leg, Status: ev.Status, Reason: ev.Reason, Cut: ev.Unheard && o.cutOff(ev.Status)})
}

// cutOff reports whether a phone that gave no sign stayed silent because of the
// panel's own trouble: it has lost its server, or has no network at all.
func (o *owner) cutOff(status int) bool {
	switch o.line.registration().State {
	case control.RegistrationOK:
		return false
	case control.RegistrationNone: // phones are rung without a server
		return status == 503
	}
	return true
}

// ended takes the end of an answered leg. One that has only looked refuses.
func (o *owner) ended(ev sipua.Ended) {
	if l := o.legs[ev.Leg]; l != nil && l.preview {
		o.refused(sipua.Refused{Leg: ev.Leg, Status: statusUnavailable, Reason: ev.Reason})
		return
	}
	if !ev.ByUs {
		o.diary.mark(monotonic(), timeline.HungUp, uint32(ev.Leg), ev.Reason)
	}
	o.step(callflow.HungUp{Leg: ev.Leg, Reason: ev.Reason})
}

// progress opens early media if the provisional response carries an answer.
func (o *owner) progress(ev sipua.Progress) {
	l := o.legs[ev.Leg]
	if l == nil {
		return
	}
	at := onMonotonic(ev.At)
	o.diary.mark(at, timeline.Ringing, uint32(ev.Leg), strconv.Itoa(ev.Status))
	o.rang(l)
	if ev.SDP != nil && !bytes.Equal(ev.SDP, l.answers[ev.Fork]) {
		l.answers[ev.Fork] = ev.SDP
		o.diary.mark(at, timeline.EarlyAnswer, uint32(ev.Leg), "")
		if !o.apply(l, ev.SDP) {
			return
		}
	}
	o.step(callflow.Progress{Leg: ev.Leg, Status: ev.Status, Media: ev.SDP != nil})
}

// answered takes the 200 of the fork that won, with its answer. One without
// sound is a look at the door: the flat rings on, until sound is agreed too.
func (o *owner) answered(ev sipua.Answered) {
	l := o.legs[ev.Leg]
	if l == nil {
		o.diary.mark(onMonotonic(ev.At), timeline.Answered, uint32(ev.Leg), "")
		o.step(callflow.Answered{Leg: ev.Leg}) // too late: the machine ends it
		return
	}
	o.rang(l)
	l.showing.final = true
	answer := ev.SDP
	settled := l.settled != nil && *l.settled == ev.Fork
	if answer == nil && !settled {
		answer = l.answers[ev.Fork]
	}
	switch {
	case answer == nil && !settled:
		o.unusable(l, errors.New("the answer carries no SDP"))
	case answer != nil && !o.apply(l, answer):
	case l.media.Talks():
		o.talks(l, onMonotonic(ev.At))
	default:
		l.preview = true
		o.diary.mark(onMonotonic(ev.At), timeline.Preview, uint32(ev.Leg), "")
		o.step(callflow.Progress{Leg: ev.Leg, Status: 183, Media: true})
	}
}

// talks starts the conversation.
func (o *owner) talks(l *leg, at time.Duration) {
	o.diary.mark(at, timeline.Answered, uint32(l.id), "")
	l.merge = dtmf.Merge{} // what was typed before swallows nothing
	l.showing.talks = true
	o.step(callflow.Answered{Leg: l.id})
}

// joined starts the conversation with a phone that had only looked, once sound
// is agreed.
func (o *owner) joined(l *leg) {
	if l.preview && l.media.Talks() {
		l.preview = false
		o.talks(l, monotonic())
	}
}

// apply puts the phone's answer in force, or gives the leg up.
func (o *owner) apply(l *leg, answer []byte) bool {
	if err := l.media.Apply(answer); err != nil {
		o.unusable(l, err)
		return false
	}
	if l.applied != nil && !bytes.Equal(answer, l.applied) {
		l.since = time.Now() // digits of the other fork may still wait to be taken
	}
	l.applied, l.settled = answer, nil
	o.look(l)
	return true
}

func (o *owner) unusable(l *leg, err error) {
	reason := "the answer of " + l.peer + " cannot be used: " + err.Error()
	o.log.Warn("leg given up", "leg", uint32(l.id), "err", err)
	o.diary.mark(monotonic(), timeline.MediaLost, uint32(l.id), reason)
	o.step(callflow.MediaLost{Leg: l.id, Reason: reason})
}

// offered answers an offer inside a dialog (RFC 3264 section 8).
func (o *owner) offered(ev sipua.Offered) {
	o.diary.mark(monotonic(), timeline.Reoffer, uint32(ev.Leg), "")
	l := o.legs[ev.Leg]
	if l == nil {
		ev.Answer(nil, 488)
		return
	}
	if len(ev.SDP) == 0 {
		ev.Answer(l.ours(), 200)
		return
	}
	answer, err := l.media.Answer(ev.SDP)
	if err != nil {
		o.log.Warn("offer refused", "leg", uint32(ev.Leg), "err", err)
		ev.Answer(nil, 488)
		return
	}
	ev.Answer(answer, 200)
	l.settled = &ev.Fork
	o.look(l)
	o.joined(l)
}

// ours is our description for a phone that asks for one.
func (l *leg) ours() []byte {
	if l.sounded {
		return l.media.OfferSound()
	}
	return l.media.Offer()
}
