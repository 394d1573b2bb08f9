package station

import (
	"time"

	"doorstation/callflow"
	"doorstation/callflow/keypad"
	"doorstation/callflow/timeline"
)

// digit takes one key of one road, unless the other road has told it already.
func (o *owner) digit(id callflow.LegID, key byte, road callflow.Road, at time.Time) {
	l := o.legs[id]
	if l == nil || !l.merge.Digit(at, int(road), key) {
		return
	}
	name := timeline.RoadRTP
	if road == callflow.RoadINFO {
		name = timeline.RoadINFO
	}
	o.diary.mark(onMonotonic(at), timeline.Digit, uint32(id), name)
	o.step(callflow.Digit{Leg: id, Key: key, Road: road})
}

// key hands a digit of an answered leg to its keypad.
func (o *owner) key(a callflow.Key) {
	if pad := o.pads[a.Leg]; pad != nil {
		o.judge(a.Leg, pad.Key(time.Now(), a.Key))
	}
}

// judge turns a verdict of the keypad into an event of the call.
func (o *owner) judge(id callflow.LegID, v keypad.Verdict) {
	o.locked.keep()
	switch v.Kind {
	case keypad.Right:
		o.diary.mark(monotonic(), timeline.CodeRight, uint32(id), v.Name)
		o.step(callflow.CodeRight{Leg: id, Door: v.Door, Name: v.Name})
	case keypad.Wrong:
		o.diary.mark(monotonic(), timeline.CodeWrong, uint32(id), v.Reason)
		o.step(callflow.CodeWrong{Leg: id, Reason: v.Reason, End: v.End})
	case keypad.Locked:
		o.diary.mark(monotonic(), timeline.CodeLocked, uint32(id), v.Reason)
		o.step(callflow.CodeWrong{Leg: id, Reason: v.Reason, End: v.End})
	}
}
