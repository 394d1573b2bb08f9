package callflow

import "time"

// An aside is a caller who was let in beside a conversation. He hears and sees
// nothing and is not heard; his codes open doors.
type aside struct {
	leg    LegID // 0: there is none
	seated bool  // his ACK has come
	plan   Plan
	end    time.Time // of waiting for the ACK, or of his call
}

// letIn answers a second caller at once: nobody hears or sees anything of him.
func (m *Machine) letIn(now time.Time, ev Incoming, out []Action) []Action {
	m.side = aside{leg: ev.Leg, plan: ev.Plan.withDefaults(), end: now.Add(AcceptFor)}
	return append(out, Accept{ev.Leg})
}

// seat takes his ACK.
func (m *Machine) seat(now time.Time, out []Action) []Action {
	if m.side.seated {
		return out
	}
	m.side.seated = true
	m.side.end = now.Add(m.side.plan.TalkFor)
	return append(out, Keypad{m.side.leg, m.side.plan.Doors})
}

// leave ends his call.
func (m *Machine) leave(out []Action) []Action {
	leg := m.side.leg
	if leg == 0 {
		return out
	}
	m.side = aside{}
	return append(out, Bye{leg}, StopMedia{leg})
}

// types reports whether a leg's digits count: those of the answered leg of the
// current call, and of the caller who was let in beside it.
func (m *Machine) types(leg LegID) bool {
	return m.talksTo(leg) || leg != 0 && leg == m.side.leg && m.side.seated
}

// doors are those that the codes of a leg may open.
func (m *Machine) doors(leg LegID) []string {
	if leg == m.side.leg {
		return m.side.plan.Doors
	}
	return m.plan.Doors
}
