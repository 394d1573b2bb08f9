package callflow

import (
	"slices"
	"time"
)

func (m *Machine) incoming(now time.Time, ev Incoming, out []Action) []Action {
	if m.state != Idle || m.stopped {
		return append(out, Reject{ev.Leg, 486})
	}
	m.state, m.plan, m.winner = Announcing, ev.Plan.withDefaults(), ev.Leg
	m.end = now.Add(AnnounceFor)
	return append(out, Play{Signal: SignalIncoming})
}

func (m *Machine) confirmed(now time.Time, id LegID, out []Action) []Action {
	if m.state != Accepting || id != m.winner {
		return out
	}
	return m.talk(now, append(out, Hear{id}, Speak{id}))
}

// hungUp ends the call that the other side has left.
func (m *Machine) hungUp(ev HungUp, out []Action) []Action {
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

func (m *Machine) mediaLost(now time.Time, ev MediaLost, out []Action) []Action {
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
	if !m.talksTo(ev.Leg) || !slices.Contains(m.plan.Doors, ev.Door) {
		return out
	}
	return append(out,
		OpenDoor{Door: ev.Door, Leg: ev.Leg, Reason: "code " + ev.Name},
		Play{Signal: SignalAccepted, ToLeg: ev.Leg})
}

func (m *Machine) codeWrong(ev CodeWrong, out []Action) []Action {
	if !m.talksTo(ev.Leg) {
		return out
	}
	if ev.End {
		return m.finish(ResultWrongCodes, ev.Reason, SignalEnded, out)
	}
	return append(out, Play{Signal: SignalRejected, ToLeg: ev.Leg})
}
