// Package guard keeps relays safe. The guard is a small process which alone
// drives the lines of the relays: it takes pulses from one client over a local
// socket, and drives every relay to its safe level when it starts, when its
// client ends, falls silent or talks nonsense, when a pulse is over, and when
// it ends itself.
//
// Guard decides, Serve performs, Client asks.
package guard

import (
	"fmt"
	"time"
)

const (
	// StaleAfter is how long a client may say nothing.
	StaleAfter = 250 * time.Millisecond
	// Grace is how much longer a silent client may live, once, when the guard
	// itself was stopped for more than lateTick: what the client has sent in the
	// meantime is still on its way.
	Grace    = 100 * time.Millisecond
	lateTick = 20 * time.Millisecond
	// RestAfterLimit is how long a relay stays safe after a pulse was ended by
	// the hard limit, so that pulses in a row do not hold a door open.
	RestAfterLimit = time.Second
	// Lead is how much before the hard limit the guard begins to drive, since
	// timers are late and driving takes time.
	Lead = 5 * time.Millisecond

	maxMessages = 200 // of one client in a second; more is no client of ours
	maxPulses   = 20  // in a second; more are refused
)

// A Relay is what the guard has to know of a relay to decide.
type Relay struct {
	Name string
	Max  time.Duration // longest time from the first rise
}

// A ClientID names one connection. Zero names none.
type ClientID uint32

// An Event is something that happened, for Step.
type Event interface{ event() }

type (
	// Started comes once, before all others.
	Started struct{}
	// Tick says that the deadline may have passed.
	Tick struct{}
	// Connected is a new connection; Denied says why it may not be a client.
	Connected struct {
		Client ClientID
		Denied string
	}
	// Received is a message of a client.
	Received struct {
		Client ClientID
		Raw    []byte
	}
	// Left is the end of a connection.
	Left struct{ Client ClientID }
)

func (Started) event()   {}
func (Tick) event()      {}
func (Connected) event() {}
func (Received) event()  {}
func (Left) event()      {}

// An Action is something to be done, in the order of the list.
type Action interface{ action() }

type (
	// Drive sets a relay. Changed is false where it had this level before.
	// Tell is the client that hears about the edge, or 0.
	Drive struct {
		Relay   int // index
		Active  bool
		Changed bool
		Seq     uint32
		Cause   string
		Tell    ClientID
	}
	// Reply sends a message to a client.
	Reply struct {
		Client ClientID
		Raw    []byte
	}
	// Drop ends a connection.
	Drop struct {
		Client ClientID
		Why    string
	}
)

func (Drive) action() {}
func (Reply) action() {}
func (Drop) action()  {}

// relay is a Relay and what it is doing.
type relay struct {
	Relay
	active bool
	seq    uint32
	until  time.Duration // end of the pulse
	limit  time.Duration // the end that nothing can move
	rest   time.Duration // no rise before
}

// A Guard decides what the guard process does. It has no clock, no socket and
// no line: one goroutine hands it events with the time of CLOCK_MONOTONIC, and
// does what it says. Whatever the events are, a relay that is active has a
// deadline that lies at most its Max after the rise.
type Guard struct {
	relays   []relay
	client   ClientID
	heard    time.Duration // when the client was last heard
	spared   bool          // it has had its Grace since then
	seq      uint32        // the last one used, by any client
	messages window
	pulses   window
}

// New returns the Guard of these relays.
func New(relays []Relay) *Guard {
	g := &Guard{messages: window{limit: maxMessages}, pulses: window{limit: maxPulses}}
	for _, r := range relays {
		g.relays = append(g.relays, relay{Relay: r})
	}
	return g
}

// Step takes one event and appends what is to be done to out.
func (g *Guard) Step(now time.Duration, ev Event, out []Action) []Action {
	out = g.expire(now, out)
	switch ev := ev.(type) {
	case Started:
		return g.safeAll("guard starts", true, out)
	case Received:
		if ev.Client == g.client {
			return g.received(now, ev.Raw, out)
		}
	case Connected:
		return g.connected(now, ev, g.stale(now, out))
	case Left:
		if ev.Client == g.client && g.client != 0 {
			return g.lose("client gone", out)
		}
		return g.stale(now, out)
	case Tick:
		return g.stale(now, out)
	}
	return out
}

// Deadline is when Step wants a Tick; ok is false when it wants none.
func (g *Guard) Deadline() (at time.Duration, ok bool) {
	if g.client != 0 {
		at, ok = g.heard+StaleAfter, true
	}
	for _, r := range g.relays {
		if r.active && (!ok || r.until < at) {
			at, ok = r.until, true
		}
	}
	return at, ok
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

// stale loses a client that has said nothing for too long.
func (g *Guard) stale(now time.Duration, out []Action) []Action {
	silent := now - g.heard
	if g.client == 0 || silent < StaleAfter {
		return out
	}
	if silent > StaleAfter+lateTick && !g.spared {
		g.heard, g.spared = now-StaleAfter+Grace, true
		return out
	}
	return g.lose(fmt.Sprintf("client silent for %v", StaleAfter), out)
}

// lose makes every relay safe, then ends the client's connection.
func (g *Guard) lose(why string, out []Action) []Action {
	out = g.safeAll(why, false, out)
	out = append(out, Drop{Client: g.client, Why: why})
	g.client = 0
	return out
}

// safeAll drives every relay, also those that should be safe already: the line
// knows better than we do.
func (g *Guard) safeAll(cause string, changed bool, out []Action) []Action {
	for i := range g.relays {
		out = g.safe(i, cause, changed, out)
	}
	return out
}

func (g *Guard) safe(i int, cause string, changed bool, out []Action) []Action {
	r := &g.relays[i]
	out = append(out, Drive{Relay: i, Changed: changed || r.active, Seq: r.seq, Cause: cause, Tell: g.client})
	r.active = false
	return out
}

func (g *Guard) connected(now time.Duration, ev Connected, out []Action) []Action {
	refusal := message{kind: kindDenied, text: printable(ev.Denied)}
	switch {
	case ev.Client == 0:
		return out
	case ev.Denied != "":
	case g.client != 0:
		refusal = message{kind: kindBusy, text: "another client is served"}
	default:
		g.client, g.heard, g.spared = ev.Client, now, false
		g.messages = window{limit: maxMessages}
		welcome := message{kind: kindWelcome, seq: g.seq}
		return append(out, Reply{Client: ev.Client, Raw: welcome.append(nil)})
	}
	return append(out, Reply{Client: ev.Client, Raw: refusal.append(nil)},
		Drop{Client: ev.Client, Why: refusal.text})
}

// received takes a message of the client.
func (g *Guard) received(now time.Duration, raw []byte, out []Action) []Action {
	m, err := parse(raw)
	switch {
	case g.client == 0:
		return out
	case err != nil:
		return g.lose(err.Error(), out)
	case !g.messages.allow(now):
		return g.lose(fmt.Sprintf("more than %d messages in a second", maxMessages), out)
	case m.kind == kindBeat:
		g.heard, g.spared = now, false
		return out
	case m.kind == kindBye:
		return g.lose("client ends", out)
	case m.kind == kindPulse:
		g.heard, g.spared = now, false
		return g.pulse(now, m, out)
	}
	return g.lose("message of a wrong kind: "+string(m.kind), out)
}

// pulse starts or extends a pulse, or refuses it.
func (g *Guard) pulse(now time.Duration, m message, out []Action) []Action {
	i, refusal := g.judge(now, m)
	if refusal != "" {
		reply := message{kind: kindRefuse, seq: m.seq, text: printable(refusal)}
		return append(out, Reply{Client: g.client, Raw: reply.append(nil)})
	}
	g.seq = m.seq
	r := &g.relays[i]
	r.seq = m.seq
	if !r.active {
		r.active, r.limit, r.until = true, now+r.Max-Lead, 0
		out = append(out, Drive{Relay: i, Active: true, Changed: true, Seq: m.seq, Cause: "pulse: " + m.text, Tell: g.client})
	}
	r.until = min(max(r.until, now+m.d), r.limit)
	reply := message{kind: kindAccept, seq: m.seq}
	return append(out, Reply{Client: g.client, Raw: reply.append(nil)})
}

// judge finds the relay of a pulse, or says why there will be none.
func (g *Guard) judge(now time.Duration, m message) (i int, refusal string) {
	if m.seq <= g.seq {
		return 0, fmt.Sprintf("sequence number %d was used, the last one is %d", m.seq, g.seq)
	}
	if !g.pulses.allow(now) {
		return 0, fmt.Sprintf("more than %d pulses in a second", maxPulses)
	}
	for i, r := range g.relays {
		switch {
		case r.Name != m.name:
			continue
		case m.d <= 0 || m.d > r.Max:
			return 0, fmt.Sprintf("%v is outside the board's limit of %v", m.d, r.Max)
		case !r.active && now < r.rest:
			return 0, fmt.Sprintf("was ended by the hard limit less than %v ago", RestAfterLimit)
		}
		return i, ""
	}
	return 0, "no relay of this name on this board"
}

// window allows limit events in any second that begins with the first of them.
type window struct {
	limit int
	count int
	since time.Duration
}

func (w *window) allow(now time.Duration) bool {
	if w.count == 0 || now-w.since >= time.Second {
		w.since, w.count = now, 0
	}
	w.count++
	return w.count <= w.limit
}
