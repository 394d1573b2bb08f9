package callflow

import (
	"slices"
	"time"
)

func (m *Machine) incoming(now time.Time, ev Incoming, out []Action) []Action {
	switch {
	case m.stopped:
	case m.state == Idle:
		m.state, m.plan, m.winner, m.guest = Announcing, ev.Plan.withDefaults(), ev.Leg, ev.Guest
		m.end = now.Add(max(AnnounceFor, min(ev.Guest.AnswerIn, AnswerMost)))
		return append(out, Play{Signal: SignalIncoming})
	case m.state == Talking && ev.Guest.Second && m.side.leg == 0:
		return m.letIn(now, ev, out)
	}
	return append(out, Reject{ev.Leg, 486})
}

func (m *Machine) confirmed(now time.Time, id LegID, out []Action) []Action {
	if id == m.side.leg && id != 0 {
		return m.seat(now, out)
	}
	if m.state != Accepting || id != m.winner {
		return out
	}
	if m.guest.Talk {
		out = append(out, Hear{id})
	}
	if m.guest.Talk || m.guest.Listen {
		out = append(out, Speak{id})
	}
	if m.guest.Listen && !m.guest.Talk {
		m.toneAt = now.Add(ListenTone)
		out = append(out, Play{Signal: SignalIncoming})
	}
	return m.talk(now, out)
}

// hungUp ends the call that the other side has left.
func (m *Machine) hungUp(ev HungUp, out []Action) []Action {
	if ev.Leg == m.side.leg && ev.Leg != 0 {
		m.side = aside{}
		return append(out, StopMedia{ev.Leg})
	}
	if m.state == Idle || ev.Leg != m.winner {
		return out
	}
	result := ResultTalked
	switch m.state {
	case Talking:
		out = append(out, Speak{0}, StopMedia{ev.Leg}, Show{IndicatorTalking, false})
	case Announcing, Accepting:
		result = ResultCancelled
		out = append(out, StopMedia{ev.Leg})
	}
	return m.idle(result, ev.Reason, SignalEnded, out)
}

// transferred ends the conversation and rings the phone that the visitor is
// passed on to. Whoever was let in beside it has to go.
func (m *Machine) transferred(now time.Time, ev Transferred, out []Action) []Action {
	if !m.talksTo(ev.Leg) {
		return out
	}
	out = append(out, Speak{0}, Bye{ev.Leg}, StopMedia{ev.Leg}, Show{IndicatorTalking, false}, Hear{0})
	out = m.leave(out)
	plan, button := m.plan, m.button
	plan.Stages = []Stage{{Targets: []Target{{URI: ev.Target}}}}
	*m = Machine{lastLeg: m.lastLeg, open: m.open, stopped: m.stopped}
	m.state, m.plan, m.button, m.began = Ringing, plan, button, now
	m.end, m.stage = now.Add(plan.RingFor), -1
	out = m.nextStage(now, out)
	return append(out, Show{IndicatorCalling, true}, Play{Signal: SignalRingback})
}

func (m *Machine) mediaLost(now time.Time, ev MediaLost, out []Action) []Action {
	if ev.Leg == m.side.leg && ev.Leg != 0 {
		return m.leave(out)
	}
	if m.state != Idle && ev.Leg == m.winner {
		return m.finish(ResultMediaLost, ev.Reason, SignalNetworkLost, out)
	}
	if i := m.find(ev.Leg); i >= 0 {
		m.heardBy |= unreachable
		out = append(m.forget(i, out), Cancel{ev.Leg}, StopMedia{ev.Leg})
		if m.count == 0 {
			return m.noneLeft(now, out)
		}
	}
	return out
}

func (m *Machine) codeRight(ev CodeRight, out []Action) []Action {
	if !m.types(ev.Leg) || !slices.Contains(m.doors(ev.Leg), ev.Door) {
		return out
	}
	out = append(out, OpenDoor{Door: ev.Door, Leg: ev.Leg, Reason: "code " + ev.Name})
	if ev.Leg == m.winner {
		out = append(out, Play{Signal: SignalAccepted, ToLeg: ev.Leg})
	}
	return out
}

func (m *Machine) codeWrong(ev CodeWrong, out []Action) []Action {
	if !m.types(ev.Leg) {
		return out
	}
	if ev.Leg == m.side.leg {
		if ev.End {
			return m.leave(out)
		}
		return out
	}
	if ev.End {
		return m.finish(ResultWrongCodes, ev.Reason, SignalEnded, out)
	}
	return append(out, Play{Signal: SignalRejected, ToLeg: ev.Leg})
}
