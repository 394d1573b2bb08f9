package guard

import (
	"fmt"
	"time"
)

// relay is a Relay and what it is doing.
type relay struct {
	Relay
	active  bool
	seq     uint32
	asked   time.Duration // end that the client wants
	pressed time.Duration // end that an exit button wants
	until   time.Duration // the later one, or the limit
	limit   time.Duration // the end that nothing can move
	rest    time.Duration // no rise before
}

// expire ends the pulses that are over.
func (g *Guard) expire(now time.Duration, out []Action) []Action {
	for i := range g.relays {
		r := &g.relays[i]
		if !r.active || now < r.until {
			continue
		}
		cause := "pulse over"
		if r.until == r.limit {
			cause = "hard limit"
			r.rest = now + RestAfterLimit
		}
		out = g.safe(i, cause, false, out)
	}
	return out
}

// safe drives a relay to its safe level, also one that should have it already:
// the line knows better than we do.
func (g *Guard) safe(i int, cause string, changed bool, out []Action) []Action {
	r := &g.relays[i]
	out = append(out, Drive{Relay: i, Changed: changed || r.active, Seq: r.seq, Cause: cause, Tell: g.client.id})
	r.active = false
	return out
}

// release ends what the client has asked for. What an exit button holds open
// stays so.
func (g *Guard) release(now time.Duration, why string, out []Action) []Action {
	for i := range g.relays {
		r := &g.relays[i]
		if r.asked = 0; r.active && r.pressed > now {
			r.until = min(r.pressed, r.limit)
			continue
		}
		out = g.safe(i, why, false, out)
	}
	return out
}

// heldByClient says whether a relay would become safe if the client were gone.
func (g *Guard) heldByClient() bool {
	for _, r := range g.relays {
		if r.active && r.asked > r.pressed {
			return true
		}
	}
	return false
}

// open makes a relay active until the later one of asked and pressed, or for
// longer if it is active already; its limit stays.
func (g *Guard) open(now time.Duration, i int, asked, pressed time.Duration, cause string, out []Action) []Action {
	r := &g.relays[i]
	rises := !r.active
	if rises {
		r.active, r.limit, r.asked, r.pressed = true, now+r.Max-Lead, 0, 0
	}
	r.asked, r.pressed = max(r.asked, asked), max(r.pressed, pressed)
	before := r.until
	r.until = min(max(r.asked, r.pressed), r.limit)
	switch {
	case rises:
		out = append(out, Drive{Relay: i, Active: true, Changed: true, For: r.until - now, Seq: r.seq, Cause: cause, Tell: g.client.id})
	case r.until > before:
		out = append(out, Extend{Relay: i, For: r.until - now})
	}
	return out
}

// pulse starts or extends a pulse, or refuses it.
func (g *Guard) pulse(now time.Duration, m message, out []Action) []Action {
	i, refusal := g.judge(now, m)
	g.seq = max(g.seq, m.seq)
	if refusal != "" {
		reply := message{kind: kindRefuse, seq: m.seq, text: printable(refusal)}
		return append(out, Reply{Client: g.client.id, Raw: reply.append(nil)})
	}
	g.relays[i].seq = m.seq
	out = g.open(now, i, now+m.d, 0, "pulse: "+m.text, out)
	reply := message{kind: kindAccept, seq: m.seq}
	return append(out, Reply{Client: g.client.id, Raw: reply.append(nil)})
}

// judge finds the relay of a pulse, or says why there will be none.
func (g *Guard) judge(now time.Duration, m message) (i int, refusal string) {
	if m.seq <= g.seq {
		return 0, fmt.Sprintf("sequence number %d was used, the last one is %d", m.seq, g.seq)
	}
	if !g.pulses.allow(now) {
		return 0, fmt.Sprintf("more than %d pulses in a second", maxPulses)
	}
	if age := now - m.at; age < 0 || age > answerWithin {
		return 0, fmt.Sprintf("was asked for %v ago, limit %v", age, answerWithin)
	}
	i = g.find(m.name)
	if i < 0 {
		return 0, "no relay of this name on this board"
	}
	if r := g.relays[i]; m.d <= 0 || m.d > r.Max {
		return 0, fmt.Sprintf("%v is outside the board's limit of %v", m.d, r.Max)
	}
	return i, g.hindrance(now, i)
}

// find is the relay's index, or -1.
func (g *Guard) find(name string) int {
	for i, r := range g.relays {
		if r.Name == name {
			return i
		}
	}
	return -1
}

// hindrance is why a relay must not open now; "" if it may.
func (g *Guard) hindrance(now time.Duration, i int) string {
	if d := g.tamper.rest(now); d > 0 {
		return "the cover was opened: blocked for " + (d + time.Second - 1).Truncate(time.Second).String()
	}
	if r := g.relays[i]; !r.active && now < r.rest {
		return fmt.Sprintf("was ended by the hard limit less than %v ago", RestAfterLimit)
	}
	return ""
}
