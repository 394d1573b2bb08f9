package station

import (
	"context"
	"fmt"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/callflow/timeline"
	"doorstation/media/dtmf"
	"doorstation/media/session"
)

// mappingTime is how long an INVITE or its answer may wait for STUN.
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
	settled *string           // the fork with which more was agreed than its answer said; nil: none
	preview bool              // its 200 opened the picture alone: it rings on
	fewer   bool              // it failed over a picture, and was rung without one
	sounded bool              // it was offered sound alone
	showing showing           // what it teaches of its phone
}

// newLeg opens the media of a leg, with the picture where it may be seen.
func (o *owner) newLeg(id callflow.LegID, peer string, see bool) (*leg, error) {
	p, err := o.line.mediaParams(o.rules.media, o.video.profileLevelID())
	if err != nil {
		return nil, err
	}
	p.Video = p.Video && see
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
	l, err := o.newLeg(a.Leg, a.Target, true)
	if err != nil {
		o.log.Error("leg not opened", "target", a.Target, "err", err)
		o.refused(sipua.Refused{Leg: a.Leg, Status: 503, Reason: err.Error(), Unheard: true})
		return
	}
	o.mapped(l, func() { o.line.ring(l.id, o.invitation(l, a.For)) })
	if o.rules.media.video {
		o.video.warm(o.rules.video)
	}
}

// mapped describes a leg once its public addresses are known; without a STUN
// server that is at once.
func (o *owner) mapped(l *leg, describe func()) {
	if o.rules.media.stun == "" {
		describe()
		return
	}
	go func() {
		ctx, stop := context.WithTimeout(context.Background(), mappingTime)
		defer stop()
		if err := l.media.Public(ctx); err != nil {
			o.log.Warn("no public address for media, telling the local one", "leg", uint32(l.id), "err", err)
		}
		o.box.post(func() {
			if o.legs[l.id] == l {
				describe()
			}
		})
	}()
}

// accept answers a caller with what its offer allows.
func (o *owner) accept(id callflow.LegID) {
	if l := o.legs[id]; l != nil {
		o.mapped(l, func() { o.answer(l) })
	}
}

func (o *owner) answer(l *leg) {
	if l.offer == nil {
		o.line.accept(l.id, l.media.Offer())
		return
	}
	answer, err := l.media.Answer(l.offer)
	if err != nil {
		o.log.Warn("caller's offer refused", "caller", l.peer, "err", err)
		o.line.reject(l.id, 488)
		o.step(callflow.HungUp{Leg: l.id, Reason: err.Error()})
		return
	}
	o.line.accept(l.id, answer)
	o.look(l)
}

// stopMedia ends a leg. Its last RTCP packets need not be waited for.
func (o *owner) stopMedia(id callflow.LegID) {
	l := o.legs[id]
	if l == nil {
		return
	}
	o.unseen(l)
	o.stills.leave(id)
	delete(o.legs, id)
	delete(o.pads, id)
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
	if wants {
		o.previewed(l)
	}
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
		o.refused(ev)
	case sipua.Retried:
		o.retried(ev)
	case sipua.Redirected:
		o.diary.mark(monotonic(), timeline.Redirected, uint32(ev.Leg), ev.Target)
	case sipua.Ended:
		o.ended(ev)
	case sipua.Incoming:
		o.incoming(ev)
	case sipua.Confirmed:
		o.confirmed(ev)
	case sipua.Offered:
		o.offered(ev)
	case sipua.Reanswered:
		if l := o.legs[ev.Leg]; l != nil && o.apply(l, ev.SDP) {
			o.joined(l)
		}
	case sipua.Digit:
		o.digit(ev.Leg, ev.Key, callflow.RoadINFO, ev.At)
	case sipua.PictureWanted:
		o.diary.mark(monotonic(), timeline.PictureWanted, uint32(ev.Leg), "INFO")
		o.video.refresh()
	case sipua.Referred:
		o.diary.mark(monotonic(), timeline.Transferred, uint32(ev.Leg), ev.Target)
		o.step(callflow.Transferred{Leg: ev.Leg, Target: ev.Target})
	case sipua.Message:
		o.message(ev)
	case sipua.CheckSync:
		o.fetch()
	case sipua.Probed:
		o.probed(ev)
	case sipua.Sent:
		o.sent(ev)
	}
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
	o.joined(l)
	o.step(callflow.Confirmed{Leg: ev.Leg})
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
