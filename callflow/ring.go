package callflow

import (
	"strconv"
	"time"
)

// outcome is the set of what the phones of a call have said.
type outcome uint8

const (
	silent      outcome = 1 << iota // rang, and nobody came
	busy                            // 486, 600
	declined                        // 603 and other 6xx
	unreachable                     // everything else that the phone or its server said
	cut                             // nothing went out, or nobody was there to take it
)

// outcomeOf says what a final response means to the visitor.
func outcomeOf(status int, rang, unsent bool) outcome {
	switch {
	case unsent:
		return cut
	case status == 486 || status == 600:
		return busy
	case status >= 600:
		return declined
	case rang && (status == 408 || status == 480 || status == 487):
		return silent
	}
	return unreachable
}

// verdict is the most telling of what was said: a person's decision before a
// phone's, and a phone's before the network's.
func (o outcome) verdict() (Result, string, Signal) {
	switch {
	case o&declined != 0:
		return ResultRefused, "declined", SignalRefused
	case o&busy != 0:
		return ResultBusy, "busy", SignalBusy
	case o&silent != 0:
		return ResultNoAnswer, "nobody answered", SignalNoAnswer
	case o == cut:
		return ResultNetworkLost, "the panel has no network or no server", SignalNetworkLost
	}
	return ResultUnreachable, "no phone could be reached", SignalUnreachable
}

func (m *Machine) pressed(now time.Time, ev Pressed, out []Action) []Action {
	switch m.state {
	case Idle:
		return m.ring(now, ev, out)
	case Ringing:
		if ev.Button == m.button {
			return m.pressedAgain(now, out)
		}
	case Talking:
		if ev.Button == m.button {
			return out // a nervous visitor never cuts himself off
		}
	}
	return append(out, Play{Signal: SignalBusy})
}

func (m *Machine) ring(now time.Time, ev Pressed, out []Action) []Action {
	if m.stopped {
		return append(out, Play{Signal: SignalUnreachable}, Done{ResultShutdown, "the panel stops"})
	}
	if len(ev.Plan.Stages) == 0 {
		return append(out, Play{Signal: SignalNotConfigured}, Done{ResultNotConfigured, "this button rings nobody"})
	}
	m.state, m.plan, m.button, m.began = Ringing, ev.Plan.withDefaults(), ev.Button, now
	m.end = now.Add(m.plan.RingFor)
	m.stage = -1
	// The phones first: nothing on the panel may delay the INVITE.
	if out = m.nextStage(now, out); m.state == Ringing {
		out = append(out, Show{IndicatorCalling, true}, Play{Signal: SignalRingback})
	}
	return out
}

func (m *Machine) pressedAgain(now time.Time, out []Action) []Action {
	if m.plan.SecondPressKeeps || now.Before(m.began.Add(m.plan.CancelAfter)) {
		return out
	}
	return m.finish(ResultCancelled, "the visitor pressed again", SignalNone, out)
}

// nextStage rings the phones of the next stage that has any, or ends the call.
func (m *Machine) nextStage(now time.Time, out []Action) []Action {
	for m.stage++; m.stage < len(m.plan.Stages); m.stage++ {
		st := m.plan.Stages[m.stage]
		if st.LastResort && m.reached {
			continue
		}
		m.stageAt, m.stageEnd = now, time.Time{}
		if st.For > 0 {
			m.stageEnd = now.Add(st.For)
		}
		m.late = 1<<min(len(st.Targets), MaxLegs) - 1
		if out = m.ringLate(now, now, out); m.count == 0 {
			out = m.hurry(now, out)
		}
		if m.count > 0 {
			return out
		}
	}
	result, reason, signal := m.heardBy.verdict()
	return m.finish(result, reason, signal, out)
}

// ringLate rings the targets of the stage that are due at until.
func (m *Machine) ringLate(now, until time.Time, out []Action) []Action {
	m.lateAt = time.Time{}
	for i, target := range m.plan.Stages[m.stage].Targets {
		if i >= MaxLegs || m.late&(1<<i) == 0 {
			continue
		}
		if at := m.stageAt.Add(target.After); at.After(until) || m.count == MaxLegs {
			if m.lateAt.IsZero() || at.Before(m.lateAt) {
				m.lateAt = at
			}
			continue
		}
		m.late &^= 1 << i
		m.lastLeg++
		m.legs[m.count] = leg{id: m.lastLeg}
		m.count++
		out = append(out, Invite{m.lastLeg, target.URI, m.ringsUntil().Sub(now)})
	}
	return out
}

// hurry rings the next targets before their time, because no other is left.
func (m *Machine) hurry(now time.Time, out []Action) []Action {
	if m.lateAt.IsZero() {
		return out
	}
	return m.ringLate(now, m.lateAt, out)
}

// ringsUntil is when the phones of this stage are given up.
func (m *Machine) ringsUntil() time.Time {
	if !m.stageEnd.IsZero() && m.stageEnd.Before(m.end) {
		return m.stageEnd
	}
	return m.end
}

// noneLeft goes on when the last phone that rang has ended: to a later one of
// the stage, or to the next stage.
func (m *Machine) noneLeft(now time.Time, out []Action) []Action {
	if out = m.hurry(now, out); m.count > 0 {
		return out
	}
	return m.nextStage(now, out)
}

// stageOver gives up the phones of this stage and rings the next.
func (m *Machine) stageOver(now time.Time, out []Action) []Action {
	m.heardBy |= silent
	if m.heard != 0 {
		out = append(out, Hear{0}, Play{Signal: SignalRingback})
	}
	return m.nextStage(now, m.dropLegs(0, out))
}

func (m *Machine) progress(ev Progress, out []Action) []Action {
	if i := m.find(ev.Leg); i >= 0 {
		m.legs[i].rang, m.reached = true, true
	}
	return out
}

func (m *Machine) audioArrived(id LegID, out []Action) []Action {
	if m.state != Ringing || !m.plan.EarlyAudio || m.heard != 0 || m.find(id) < 0 {
		return out
	}
	m.heard = id
	return append(out, Play{Signal: SignalNone}, Hear{id})
}

func (m *Machine) answered(now time.Time, id LegID, out []Action) []Action {
	if id == m.winner {
		return out
	}
	if m.find(id) < 0 {
		// Its answer crossed our CANCEL, or another phone was faster.
		return append(out, Bye{id})
	}
	m.winner = id
	out = append(out, Hear{id}, Speak{id}, Play{Signal: SignalNone})
	out = m.dropLegs(id, out)
	return m.talk(now, append(out, Show{IndicatorCalling, false}))
}

// talk begins the conversation with the winner.
func (m *Machine) talk(now time.Time, out []Action) []Action {
	m.state = Talking
	m.stageEnd = time.Time{}
	m.end = now.Add(m.plan.TalkFor)
	m.warnAt = m.end.Add(-m.plan.WarnBefore)
	return append(out, Keypad{m.winner, m.plan.Doors}, Show{IndicatorTalking, true})
}

func (m *Machine) refused(now time.Time, ev Refused, out []Action) []Action {
	i := m.find(ev.Leg)
	if i < 0 {
		return out
	}
	said := outcomeOf(ev.Status, m.legs[i].rang, ev.Cut)
	m.heardBy |= said
	m.reached = m.reached || said&(busy|declined) != 0
	out = append(m.forget(i, out), StopMedia{ev.Leg})
	if m.plan.RefusalEnds && said&(busy|declined) != 0 {
		result, reason, signal := m.heardBy.verdict()
		return m.finish(result, reason+" ("+strconv.Itoa(ev.Status)+")", signal, out)
	}
	if m.count == 0 {
		return m.noneLeft(now, out)
	}
	return out
}

// find is the place of a leg that rings, or -1.
func (m *Machine) find(id LegID) int {
	for i := range m.count {
		if m.legs[i].id == id {
			return i
		}
	}
	return -1
}

// forget takes leg i out, and gives the visitor our ringback again if it was
// this leg that he heard.
func (m *Machine) forget(i int, out []Action) []Action {
	if m.legs[i].id == m.heard {
		m.heard = 0
		out = append(out, Hear{0}, Play{Signal: SignalRingback})
	}
	m.count--
	m.legs[i] = m.legs[m.count]
	m.legs[m.count] = leg{}
	return out
}

// dropLegs cancels every ringing leg but keep.
func (m *Machine) dropLegs(keep LegID, out []Action) []Action {
	for i := range m.count {
		if id := m.legs[i].id; id != keep {
			out = append(out, Cancel{id}, StopMedia{id})
		}
	}
	clear(m.legs[:m.count])
	m.count, m.heard = 0, 0
	m.late, m.lateAt = 0, time.Time{}
	return out
}

// withDefaults fills in the times that the plan leaves at zero.
func (p Plan) withDefaults() Plan {
	set := func(d *time.Duration, value time.Duration) {
		if *d <= 0 {
			*d = value
		}
	}
	set(&p.RingFor, 60*time.Second)
	set(&p.TalkFor, 180*time.Second)
	set(&p.WarnBefore, 10*time.Second)
	set(&p.CancelAfter, 2*time.Second)
	return p
}
