package station

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/callflow/timeline"
	"doorstation/media/dtmf"
	"doorstation/media/session"
)

// mappingTime is how long an INVITE may wait for STUN.
const mappingTime = 500 * time.Millisecond

// A leg is one way to one phone: its media, and what its forks have answered.
type leg struct {
	id      callflow.LegID
	peer    string // URI of the phone
	media   *session.Session
	merge   dtmf.Merge
	answers map[string][]byte // SDP by fork
	applied []byte            // the answer in force
	since   time.Time         // when it took the place of another fork's; zero: it did not
	offer   []byte            // of a caller
	viewed  bool              // the hub gives it the picture
}

// newLeg opens the media of a leg.
func (o *owner) newLeg(id callflow.LegID, peer string) (*leg, error) {
	p, err := o.line.mediaParams(o.rules.media, o.video.profileLevelID())
	if err != nil {
		return nil, err
	}
	p.Log = o.log.With("leg", uint32(id))
	p.Notify = func(ev session.Event) { o.box.post(func() { o.mediaEvent(id, ev) }) }
	media, err := session.Open(p)
	if err != nil {
		return nil, err
	}
	l := &leg{id: id, peer: peer, media: media, answers: make(map[string][]byte)}
	o.legs[id] = l
	return l, nil
}

// invite rings one phone.
func (o *owner) invite(a callflow.Invite) {
	l, err := o.newLeg(a.Leg, a.Target)
	if err != nil {
		o.log.Error("leg not opened", "target", a.Target, "err", err)
		o.refuse(a.Leg, 503, err.Error())
		return
	}
	if o.rules.media.stun == "" {
		o.line.invite(a.Leg, a.Target, l.media.Offer())
	} else {
		go o.inviteMapped(l)
	}
	if o.rules.media.video {
		o.video.warm(o.rules.video)
	}
}

// inviteMapped learns the leg's public addresses before it rings.
func (o *owner) inviteMapped(l *leg) {
	ctx, stop := context.WithTimeout(context.Background(), mappingTime)
	defer stop()
	if err := l.media.Public(ctx); err != nil {
		o.log.Warn("no public address for media, offering the local one", "leg", uint32(l.id), "err", err)
	}
	o.box.post(func() {
		if o.legs[l.id] == l {
			o.line.invite(l.id, l.peer, l.media.Offer())
		}
	})
}

func (o *owner) refuse(id callflow.LegID, status int, reason string) {
	o.diary.mark(monotonic(), timeline.Refused, uint32(id), strconv.Itoa(status)+" "+reason)
	o.step(callflow.Refused{Leg: id, Status: status, Reason: reason})
}

// accept answers a caller with what its offer allows.
func (o *owner) accept(id callflow.LegID) {
	l := o.legs[id]
	if l == nil {
		return
	}
	if l.offer == nil {
		o.line.accept(id, l.media.Offer())
		return
	}
	answer, err := l.media.Answer(l.offer)
	if err != nil {
		o.log.Warn("caller's offer refused", "caller", l.peer, "err", err)
		o.line.reject(id, 488)
		o.step(callflow.HungUp{Leg: id, Reason: err.Error()})
		return
	}
	o.line.accept(id, answer)
	o.look(l)
}

// stopMedia ends a leg. Its last RTCP packets need not be waited for.
func (o *owner) stopMedia(id callflow.LegID) {
	l := o.legs[id]
	if l == nil {
		return
	}
	delete(o.legs, id)
	o.video.remove(l.media)
	go l.media.Close()
}

// look gives the leg the picture if its phone takes one.
func (o *owner) look(l *leg) {
	wants := l.media.WantsVideo()
	switch {
	case wants && !l.viewed:
		o.video.warm(o.rules.video)
		o.video.add(l.media)
	case !wants && l.viewed:
		o.video.remove(l.media)
	}
	l.viewed = wants
}

// mediaEvent takes what a leg's media did. What comes after the leg's end
// belongs to no call.
func (o *owner) mediaEvent(id callflow.LegID, ev session.Event) {
	l := o.legs[id]
	if l == nil {
		return
	}
	switch ev := ev.(type) {
	case session.Digit:
		if !ev.At.Before(l.since) {
			o.digit(id, ev.Key, callflow.RoadRTP, ev.At)
		}
	case session.PictureWanted:
		o.video.refresh()
	case session.FirstIn:
		name := timeline.FirstVideoIn
		if ev.Stream == session.Audio {
			name = timeline.FirstAudioIn
		}
		o.diary.mark(onMonotonic(ev.At), name, uint32(id), "")
		if ev.Stream == session.Audio {
			o.step(callflow.AudioArrived{Leg: id})
		}
	case session.FirstOut:
		name := timeline.FirstVideoOut
		if ev.Stream == session.Audio {
			name = timeline.FirstAudioOut
		}
		o.diary.mark(onMonotonic(ev.At), name, uint32(id), "")
	case session.KeyFrameOut:
		o.diary.mark(onMonotonic(ev.At), timeline.KeyFrameOut, uint32(id), "")
	case session.Lost:
		o.diary.mark(onMonotonic(ev.At), timeline.MediaLost, uint32(id), ev.Reason)
		o.step(callflow.MediaLost{Leg: id, Reason: ev.Reason})
	}
}

// sipEvent takes what the SIP line has to tell.
func (o *owner) sipEvent(ev sipua.Event) {
	switch ev := ev.(type) {
	case sipua.Progress:
		o.progress(ev)
	case sipua.Answered:
		o.answered(ev)
	case sipua.Refused:
		o.refuse(ev.Leg, ev.Status, ev.Reason)
	case sipua.Ended:
		if !ev.ByUs {
			o.diary.mark(monotonic(), timeline.HungUp, uint32(ev.Leg), ev.Reason)
		}
		o.step(callflow.HungUp{Leg: ev.Leg, Reason: ev.Reason})
	case sipua.Incoming:
		o.incoming(ev)
	case sipua.Confirmed:
		o.confirmed(ev)
	case sipua.Offered:
		o.offered(ev)
	case sipua.Digit:
		o.digit(ev.Leg, ev.Key, callflow.RoadINFO, ev.At)
	case sipua.PictureWanted:
		o.diary.mark(monotonic(), timeline.PictureWanted, uint32(ev.Leg), "INFO")
		o.video.refresh()
	case sipua.Sent:
		o.sent(ev)
	}
}

// progress opens early media if the provisional response carries an answer.
func (o *owner) progress(ev sipua.Progress) {
	l := o.legs[ev.Leg]
	if l == nil {
		return
	}
	at := onMonotonic(ev.At)
	o.diary.mark(at, timeline.Ringing, uint32(ev.Leg), strconv.Itoa(ev.Status))
	if ev.SDP != nil && !bytes.Equal(ev.SDP, l.answers[ev.Fork]) {
		l.answers[ev.Fork] = ev.SDP
		o.diary.mark(at, timeline.EarlyAnswer, uint32(ev.Leg), "")
		if !o.apply(l, ev.SDP) {
			return
		}
	}
	o.step(callflow.Progress{Leg: ev.Leg, Status: ev.Status, Media: ev.SDP != nil})
}

// answered starts the conversation, with the answer of the fork that won.
func (o *owner) answered(ev sipua.Answered) {
	o.diary.mark(onMonotonic(ev.At), timeline.Answered, uint32(ev.Leg), "")
	l := o.legs[ev.Leg]
	if l == nil {
		o.step(callflow.Answered{Leg: ev.Leg}) // too late: the machine ends it
		return
	}
	answer := ev.SDP
	if answer == nil {
		answer = l.answers[ev.Fork]
	}
	if answer == nil {
		o.unusable(l, fmt.Errorf("the answer carries no SDP"))
		return
	}
	if o.apply(l, answer) {
		l.merge = dtmf.Merge{} // what was typed before swallows nothing
		o.step(callflow.Answered{Leg: ev.Leg})
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
	l.applied = answer
	o.look(l)
	return true
}

func (o *owner) unusable(l *leg, err error) {
	reason := "the answer of " + l.peer + " cannot be used: " + err.Error()
	o.log.Warn("leg given up", "leg", uint32(l.id), "err", err)
	o.diary.mark(monotonic(), timeline.MediaLost, uint32(l.id), reason)
	o.step(callflow.MediaLost{Leg: l.id, Reason: reason})
}

// incoming takes the call of somebody who may call.
func (o *owner) incoming(ev sipua.Incoming) {
	if o.setup == nil || o.machine.State() != callflow.Idle {
		o.step(callflow.Incoming{Leg: ev.Leg, Caller: ev.Caller})
		return
	}
	o.diary.close()
	o.rules, o.button = o.setup, ""
	o.diary.begin(monotonic(), "", "")
	o.diary.mark(monotonic(), timeline.Incoming, uint32(ev.Leg), ev.Caller)
	l, err := o.newLeg(ev.Leg, ev.Caller)
	if err != nil {
		o.log.Error("caller refused", "caller", ev.Caller, "err", err)
		o.line.reject(ev.Leg, 503)
		o.diary.done(string(callflow.ResultUnreachable), err.Error())
		o.diary.close()
		return
	}
	l.offer = ev.SDP
	o.step(callflow.Incoming{Leg: ev.Leg, Caller: ev.Caller, Plan: o.rules.guest})
}

// confirmed takes an ACK: of a caller, or of a phone that asked for our offer
// by a re-INVITE without one. It carries the answer if the offer was ours.
func (o *owner) confirmed(ev sipua.Confirmed) {
	l := o.legs[ev.Leg]
	if l == nil {
		return
	}
	caller := ev.Leg&callflow.IncomingLeg != 0
	if caller {
		o.diary.mark(monotonic(), timeline.Answered, uint32(ev.Leg), "")
	}
	if ev.SDP != nil && !o.apply(l, ev.SDP) {
		return
	}
	if ev.SDP == nil && caller && l.offer == nil {
		o.unusable(l, fmt.Errorf("the ACK carries no SDP"))
		return
	}
	o.step(callflow.Confirmed{Leg: ev.Leg})
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
		ev.Answer(l.media.Offer(), 200)
		return
	}
	answer, err := l.media.Answer(ev.SDP)
	if err != nil {
		o.log.Warn("offer refused", "leg", uint32(ev.Leg), "err", err)
		ev.Answer(nil, 488)
		return
	}
	ev.Answer(answer, 200)
	o.look(l)
}

// sent marks a request that has left.
func (o *owner) sent(ev sipua.Sent) {
	at := onMonotonic(ev.At)
	switch ev.Method {
	case "INVITE":
		detail := ""
		if l := o.legs[ev.Leg]; l != nil {
			detail = l.peer
		}
		o.diary.mark(at, timeline.Invite, uint32(ev.Leg), detail)
	case "ACK":
		o.diary.mark(at, timeline.Ack, uint32(ev.Leg), "")
	case "CANCEL":
		o.diary.mark(at, timeline.Cancelled, uint32(ev.Leg), "")
	case "BYE":
		o.diary.mark(at, timeline.HungUp, uint32(ev.Leg), "the panel")
	}
}
