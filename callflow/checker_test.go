package callflow

import (
	"fmt"
	"slices"
)

// A checker watches the events and actions of a machine and knows nothing of
// how it decides: it holds the rules that no call may break. It is a value, so
// that a walk can copy it together with the machine.
type checker struct {
	plan     Plan
	calling  bool     // between the first event of a call and its Done
	ringing  [8]LegID // invited, not yet ended
	answered LegID    // the leg that may hear us and open doors
	offered  LegID    // an incoming leg before its ACK
	speaks   LegID
	guest    Guest // of the incoming leg
	called   LegID // the incoming leg
	aside    LegID // let in beside the conversation
	seated   bool  // its ACK has come
	aplan    Plan
	dead     [32]LegID // legs that had their StopMedia
	deadN    int
}

func (c *checker) rings(id LegID) int { return slices.Index(c.ringing[:], id) }

func (c *checker) isDead(id LegID) bool { return slices.Contains(c.dead[:c.deadN], id) }

// step checks one step and returns the rule it breaks.
func (c *checker) step(ev Event, acts []Action, m *Machine) error {
	c.before(ev, m)
	for _, a := range acts {
		if err := c.action(ev, a); err != nil {
			return fmt.Errorf("%T: %w", a, err)
		}
	}
	return c.after(m)
}

func (c *checker) before(ev Event, m *Machine) {
	switch ev := ev.(type) {
	case Pressed:
		if !c.calling {
			c.calling, c.plan = true, ev.Plan
		}
	case Incoming:
		switch {
		case !c.calling && !m.stopped:
			c.calling, c.plan, c.offered = true, ev.Plan, ev.Leg
			c.called, c.guest = ev.Leg, ev.Guest
		case c.answered != 0 && ev.Guest.Second && c.aside == 0:
			c.aside, c.seated, c.aplan = ev.Leg, false, ev.Plan
		}
	case Answered:
		if i := c.rings(ev.Leg); i >= 0 && ev.Leg != 0 && c.answered == 0 {
			c.ringing[i], c.answered = 0, ev.Leg
		}
	case Confirmed:
		if ev.Leg != 0 && ev.Leg == c.offered && m.state == Talking {
			c.answered, c.offered = ev.Leg, 0
		}
		if ev.Leg == c.aside {
			c.seated = true
		}
	}
}

func (c *checker) action(ev Event, a Action) error {
	switch a := a.(type) {
	case Invite:
		if !c.calling || c.answered != 0 {
			return fmt.Errorf("leg %d is invited outside a ringing call", a.Leg)
		}
		c.ringing[c.rings(0)] = a.Leg
	case OpenDoor:
		return c.door(ev, a)
	case Speak:
		if a.Leg != 0 && a.Leg != c.answered {
			return fmt.Errorf("leg %d hears the visitor before its answer", a.Leg)
		}
		if a.Leg != 0 && a.Leg == c.called && !c.guest.Talk && !c.guest.Listen {
			return fmt.Errorf("leg %d hears the visitor and may not", a.Leg)
		}
		c.speaks = a.Leg
	case Keypad:
		if a.Leg == 0 || a.Leg != c.answered && (a.Leg != c.aside || !c.seated) {
			return fmt.Errorf("leg %d has a keypad and is not answered", a.Leg)
		}
	case Accept:
		if a.Leg != c.offered && a.Leg != c.aside {
			return fmt.Errorf("leg %d is accepted and did not call", a.Leg)
		}
	case Hear:
		if a.Leg != 0 && a.Leg == c.called && !c.guest.Talk {
			return fmt.Errorf("leg %d is heard and may not talk", a.Leg)
		}
		if a.Leg != 0 && a.Leg != c.answered && c.rings(a.Leg) < 0 {
			return fmt.Errorf("leg %d is heard and is no leg of the call", a.Leg)
		}
	case StopMedia:
		if c.isDead(a.Leg) {
			return fmt.Errorf("leg %d is stopped twice", a.Leg)
		}
		c.dead[c.deadN] = a.Leg
		c.deadN++
		if i := c.rings(a.Leg); i >= 0 {
			c.ringing[i] = 0
		}
		if a.Leg == c.answered {
			c.answered = 0
		}
		if a.Leg == c.offered {
			c.offered = 0
		}
		if a.Leg == c.aside {
			c.aside = 0
		}
	case Done:
		if !c.calling {
			return fmt.Errorf("a call ends that never began")
		}
		c.calling = false
	}
	return nil
}

// door is the first rule of the house.
func (c *checker) door(ev Event, a OpenDoor) error {
	if a.Leg == 0 {
		if asked, ok := ev.(OpenAsked); !ok || asked.Door != a.Door {
			return fmt.Errorf("door %s opens for no local command", a.Door)
		}
		return nil
	}
	right, ok := ev.(CodeRight)
	switch {
	case !ok || right.Leg != a.Leg || right.Door != a.Door:
		return fmt.Errorf("door %s opens without its code", a.Door)
	case a.Leg == c.aside && c.seated:
		if !slices.Contains(c.aplan.Doors, a.Door) {
			return fmt.Errorf("door %s is not of the caller beside", a.Door)
		}
		return nil
	case a.Leg != c.answered:
		return fmt.Errorf("door %s opens for leg %d, which is not the answered one", a.Door, a.Leg)
	case !slices.Contains(c.plan.Doors, a.Door):
		return fmt.Errorf("door %s is not of this call", a.Door)
	}
	return nil
}

func (c *checker) after(m *Machine) error {
	idle := m.State() == Idle
	switch {
	case idle == c.calling:
		return fmt.Errorf("state %v, and a call runs: %v", m.State(), c.calling)
	case idle != m.Deadline().IsZero():
		return fmt.Errorf("state %v has deadline %v", m.State(), m.Deadline())
	case idle && (c.answered != 0 || c.offered != 0 || c.speaks != 0):
		return fmt.Errorf("idle, but media lives: answered %d, offered %d, speaks %d", c.answered, c.offered, c.speaks)
	case idle && c.ringing != [8]LegID{}:
		return fmt.Errorf("idle, but legs ring: %v", c.ringing)
	case c.aside != 0 && c.answered == 0:
		return fmt.Errorf("leg %d is beside no conversation", c.aside)
	case c.answered != 0 && c.ringing != [8]LegID{}:
		return fmt.Errorf("answered, but legs ring: %v", c.ringing)
	}
	return nil
}
