package station

import (
	"slices"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/callflow/timeline"
	"doorstation/provisioning"
)

// A guestRule is what one caller may do.
type guestRule struct {
	callflow.Guest      // its AnswerIn is his wish, call by call
	see            bool // he gets the picture
	when           bool // his INVITE may say when it is answered
}

// guestRules are the rights of all callers, by URI.
func guestRules(doc *provisioning.Document) map[string]guestRule {
	rules := make(map[string]guestRule)
	for _, c := range doc.Inbound.Allow {
		may := func(right string) bool { return slices.Contains(c.May, right) }
		rules[c.URI] = guestRule{
			Guest: callflow.Guest{Talk: may("talk"), Listen: may("listen"), Second: c.Second},
			see:   may("see"), when: c.AnswerAfter,
		}
	}
	return rules
}

// of is what this call of his may do. In a call beside a conversation nothing is
// to be seen.
func (r guestRule) of(ev sipua.Incoming) callflow.Guest {
	g := r.Guest
	if r.when {
		g.AnswerIn = ev.AnswerAfter
	}
	return g
}

// incoming takes the call of somebody who may call.
func (o *owner) incoming(ev sipua.Incoming) {
	if o.setup == nil {
		o.step(callflow.Incoming{Leg: ev.Leg, Caller: ev.Caller})
		return
	}
	rule := o.setup.guests[ev.Caller]
	if o.machine.State() != callflow.Idle {
		o.beside(ev, rule)
		return
	}
	o.diary.close()
	o.rules, o.button = o.setup, ""
	o.diary.begin(monotonic(), "", "")
	if o.host(ev, rule.see) {
		o.step(callflow.Incoming{Leg: ev.Leg, Caller: ev.Caller, Plan: o.rules.guest, Guest: rule.of(ev)})
		return
	}
	o.diary.done(string(callflow.ResultUnreachable), "no media for the caller")
	o.diary.close()
}

// beside takes a call while another runs: it is let in to type a code, or busy.
func (o *owner) beside(ev sipua.Incoming, rule guestRule) {
	guest := rule.of(ev)
	if guest.Second && o.machine.State() == callflow.Talking && !o.host(ev, false) {
		return
	}
	o.step(callflow.Incoming{Leg: ev.Leg, Caller: ev.Caller, Plan: o.rules.guest, Guest: guest})
}

// host opens the media of a caller's leg, or refuses him.
func (o *owner) host(ev sipua.Incoming, see bool) bool {
	o.diary.mark(monotonic(), timeline.Incoming, uint32(ev.Leg), ev.Caller)
	l, err := o.newLeg(ev.Leg, ev.Caller, see)
	if err != nil {
		o.log.Error("caller refused", "caller", ev.Caller, "err", err)
		o.line.reject(ev.Leg, 503)
		return false
	}
	l.offer = ev.SDP
	return true
}

// rejected refuses a caller, and gives back what was opened for him.
func (o *owner) rejected(a callflow.Reject) {
	o.line.reject(a.Leg, a.Status)
	o.stopMedia(a.Leg)
}

// tickPads lets the pauses of all who type end.
func (o *owner) tickPads(now time.Time) {
	for id, pad := range o.pads {
		if at := pad.Deadline(); !at.IsZero() && !now.Before(at) {
			o.judge(id, pad.Tick(now))
		}
	}
}
