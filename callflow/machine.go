// Package callflow decides the call: events in, actions out. It has no socket,
// no clock and no goroutine; whoever owns a Machine performs its actions and
// brings it what happened.
package callflow

import (
	"slices"
	"time"
)

// A State is where the call stands.
type State uint8

// The states. Every one but Idle has a deadline.
const (
	Idle       State = iota
	Ringing          // phones of a flat are called
	Announcing       // a caller waits while the panel tells who stands there
	Accepting        // the caller has our 200, we wait for the ACK
	Talking          // one leg is answered
)

func (s State) String() string {
	return [...]string{"idle", "ringing", "announcing", "accepting", "talking"}[s]
}

// Limits that no plan changes.
const (
	MaxLegs     = 16               // phones that one stage rings together
	AnnounceFor = 1 * time.Second  // from the audible tone to our answer
	AcceptFor   = 35 * time.Second // for the ACK: 64*T1 (RFC 3261 section 13.3.1.4) and a margin
	AnswerMost  = 60 * time.Second // that a caller can put our answer off
	ListenTone  = 60 * time.Second // between two tones while somebody listens
)

// A Machine holds one call at a time. It is a plain value: a copy is a machine
// of its own. The zero Machine is idle and ready.
type Machine struct {
	state    State
	plan     Plan
	button   string
	began    time.Time
	stage    int
	stageAt  time.Time // it began
	stageEnd time.Time // zero: the stage lasts as long as the ringing
	late     uint16    // targets of the stage that are not rung yet, by their place
	lateAt   time.Time // the next of them is due; zero: there is none
	end      time.Time // of the state, whatever else happens
	warnAt   time.Time // zero: warned already
	hangAt   time.Time // zero: the door has not opened
	toneAt   time.Time // zero: nobody listens in silence

	legs    [MaxLegs]leg
	count   int     // of legs in use
	lastLeg LegID   // handed out
	winner  LegID   // the leg we talk to
	guest   Guest   // what it may do, if it called
	side    aside   // who was let in beside it
	heard   LegID   // the leg whose early audio the visitor hears
	heardBy outcome // what the phones of this call have said so far
	reached bool    // a phone of this call has rung, or has refused it

	open    []string // doors that are open now; never written in place
	stopped bool
}

type leg struct {
	id   LegID
	rang bool // a provisional response has come
}

// State says where the call stands.
func (m *Machine) State() State { return m.state }

// Leg is the leg that the panel talks to, or 0.
func (m *Machine) Leg() LegID { return m.winner }

// Deadline is when the machine wants its next Tick; zero when it wants none.
func (m *Machine) Deadline() time.Time {
	at := m.end
	for _, t := range [...]time.Time{m.stageEnd, m.lateAt, m.warnAt, m.hangAt, m.toneAt, m.side.end} {
		if !t.IsZero() && (at.IsZero() || t.Before(at)) {
			at = t
		}
	}
	return at
}

// Step decides. It appends to out what is to be done and returns it. It never
// blocks, reads no clock and keeps no reference to out. An event that means
// nothing in this state changes nothing.
func (m *Machine) Step(now time.Time, ev Event, out []Action) []Action {
	switch ev := ev.(type) {
	case Tick:
		return m.tick(now, out)
	case Pressed:
		return m.pressed(now, ev, out)
	case Incoming:
		return m.incoming(now, ev, out)
	case Progress:
		return m.progress(ev, out)
	case AudioArrived:
		return m.audioArrived(ev.Leg, out)
	case Answered:
		return m.answered(now, ev.Leg, out)
	case Confirmed:
		return m.confirmed(now, ev.Leg, out)
	case Refused:
		return m.refused(now, ev, out)
	case HungUp:
		return m.hungUp(ev, out)
	case Transferred:
		return m.transferred(now, ev, out)
	case MediaLost:
		return m.mediaLost(now, ev, out)
	case Digit:
		if m.types(ev.Leg) {
			out = append(out, Key(ev))
		}
		return out
	case CodeRight:
		return m.codeRight(ev, out)
	case CodeWrong:
		return m.codeWrong(ev, out)
	case OpenAsked:
		return append(out, OpenDoor{Door: ev.Door, Reason: "local command by " + ev.Who})
	case DoorMoved:
		return m.doorMoved(now, ev, out)
	case DoorFailed:
		return m.doorFailed(out)
	case Shutdown:
		m.stopped = true
		return m.finish(ResultShutdown, "the panel stops", SignalNone, out)
	}
	return out
}

// talksTo reports whether leg is the answered leg of the current call.
func (m *Machine) talksTo(leg LegID) bool {
	return m.state == Talking && leg == m.winner
}

func (m *Machine) tick(now time.Time, out []Action) []Action {
	due := func(t time.Time) bool { return !t.IsZero() && !now.Before(t) }
	if due(m.side.end) {
		out = m.leave(out)
	}
	switch m.state {
	case Ringing:
		if due(m.end) {
			return m.finish(ResultNoAnswer, "nobody answered in "+m.plan.RingFor.String(), SignalNoAnswer, out)
		}
		if due(m.stageEnd) {
			return m.stageOver(now, out)
		}
		if due(m.lateAt) {
			return m.ringLate(now, now, out)
		}
	case Announcing:
		if due(m.end) {
			m.state, m.end = Accepting, now.Add(AcceptFor)
			return append(out, Accept{m.winner})
		}
	case Accepting:
		if due(m.end) {
			return m.finish(ResultUnreachable, "the caller never acknowledged our answer", SignalNone, out)
		}
	case Talking:
		if due(m.end) {
			return m.finish(ResultTimeLimit, "talked for "+m.plan.TalkFor.String(), SignalEnded, out)
		}
		if due(m.hangAt) {
			return m.finish(ResultTalked, "the door was opened", SignalEnded, out)
		}
		if due(m.toneAt) {
			m.toneAt = now.Add(ListenTone)
			out = append(out, Play{Signal: SignalIncoming})
		}
		if due(m.warnAt) {
			m.warnAt = time.Time{}
			return append(out, Play{Signal: SignalWarning}, Play{Signal: SignalWarning, ToLeg: m.winner})
		}
	}
	return out
}

// doorFailed tells the visitor, and whoever is talked to: it may be he who asked.
func (m *Machine) doorFailed(out []Action) []Action {
	out = append(out, Play{Signal: SignalDoorFailed})
	if m.state == Talking {
		out = append(out, Play{Signal: SignalDoorFailed, ToLeg: m.winner})
	}
	return out
}

func (m *Machine) doorMoved(now time.Time, ev DoorMoved, out []Action) []Action {
	i := slices.Index(m.open, ev.Door)
	switch {
	case ev.Open && i < 0:
		m.open = append(slices.Clone(m.open), ev.Door)
		if m.state == Talking && m.plan.HangUpAfterOpen > 0 && m.hangAt.IsZero() {
			m.hangAt = now.Add(m.plan.HangUpAfterOpen)
		}
		return append(out, Show{IndicatorOpen, true}, Play{Signal: SignalDoorOpen})
	case !ev.Open && i >= 0:
		m.open = slices.Delete(slices.Clone(m.open), i, i+1)
		if len(m.open) == 0 {
			out = append(out, Show{IndicatorOpen, false})
		}
	}
	return out
}

// finish ends whatever runs and leaves the machine idle.
func (m *Machine) finish(result Result, reason string, signal Signal, out []Action) []Action {
	if m.state == Idle {
		return out
	}
	switch m.state {
	case Ringing:
		out = append(m.dropLegs(0, out), Show{IndicatorCalling, false})
	case Announcing:
		out = append(out, Reject{m.winner, 480}, StopMedia{m.winner})
	case Accepting:
		out = append(out, Bye{m.winner}, StopMedia{m.winner})
	case Talking:
		out = append(out, Speak{0}, Bye{m.winner}, StopMedia{m.winner}, Show{IndicatorTalking, false})
	}
	return m.idle(result, reason, signal, out)
}

// idle forgets the call when none of its legs is left.
func (m *Machine) idle(result Result, reason string, signal Signal, out []Action) []Action {
	out = m.leave(out)
	*m = Machine{lastLeg: m.lastLeg, open: m.open, stopped: m.stopped}
	return append(out, Hear{0}, Play{Signal: signal}, Done{result, reason})
}
