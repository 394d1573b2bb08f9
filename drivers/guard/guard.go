// Package guard keeps relays safe. The guard is a small process which alone
// drives the lines of the relays: it takes pulses from one client over a local
// socket, and drives every relay to its safe level when it starts, when its
// client ends, falls silent or talks nonsense, when a pulse is over, and when
// it ends itself.
//
// It also owns what must work or be noticed without the client: exit buttons,
// the switch below the cover, the board's watchdog; and it ends a client that
// hangs.
//
// Guard decides, Serve performs, Client asks.
package guard

import "time"

const (
	// StaleAfter is how long a client may say nothing while it holds a relay.
	StaleAfter = 250 * time.Millisecond
	// Grace is how much longer a silent client may live, once, when the guard
	// itself was stopped for more than lateTick: what the client has sent in the
	// meantime is still on its way.
	Grace    = 100 * time.Millisecond
	lateTick = 20 * time.Millisecond
	// StarvedAfter is how long it may be while its process wants to run and is not
	// let: a busy machine ends no pulse, a client that hangs does.
	StarvedAfter = time.Second
	// DropAfter is how long a client may say nothing before its connection ends. A
	// busy machine lets nobody run now and then: that costs a client its pulse, and
	// not its connection.
	DropAfter = 2 * time.Second
	// RestAfterLimit is how long a relay stays safe after a pulse was ended by
	// the hard limit, so that pulses in a row do not hold a door open.
	RestAfterLimit = time.Second
	// Lead is how much before the hard limit the guard begins to drive, since
	// timers are late and driving takes time.
	Lead = 5 * time.Millisecond

	maxMessages = 500 // of one client in a second, as after a stop of the guard; more is no client of ours
	maxPulses   = 20  // in a second; more are refused
)

// A Relay is what the guard has to know of a relay to decide.
type Relay struct {
	Name string
	Max  time.Duration // longest time from the first rise
}

// An Input is an input that the guard owns: one that opens a relay, or the
// switch below the cover.
type Input struct {
	Name   string
	Opens  string        // relay; "" for none
	For    time.Duration // how long
	Tamper bool          // active: the cover is open
}

// A Panel is what a Guard has to know to decide.
type Panel struct {
	Relays      []Relay
	Inputs      []Input
	TamperBlock time.Duration // no relay rises for so long after the cover was opened; 0: tamper is only reported
	State       State         // as it was kept
}

// A ClientID names one connection. Zero names none.
type ClientID uint32

// A ProcessID names a process. Zero is one that cannot be signalled.
type ProcessID int

// A Guard decides what the guard process does. It has no clock, no socket and
// no line: one goroutine hands it events with the time of CLOCK_MONOTONIC, and
// does what it says. Whatever the events are, a relay that is active has a
// deadline that lies at most its Max after the rise.
type Guard struct {
	relays  []relay
	inputs  []input
	client  client
	seq     uint32 // the last one used, by any client
	pulses  window
	tamper  tamper
	health  health
	feeding feeding
	state   State // as it was handed out to be kept
	reboots int
}

// New returns the Guard of this panel.
func New(p Panel) *Guard {
	g := &Guard{
		client:  client{messages: window{limit: maxMessages}},
		pulses:  window{limit: maxPulses},
		tamper:  tamper{block: p.TamperBlock, open: p.State.CoverOpen, next: never},
		state:   p.State,
		reboots: p.State.Reboots,
	}
	for _, r := range p.Relays {
		g.relays = append(g.relays, relay{Relay: r})
	}
	for _, in := range p.Inputs {
		g.inputs = append(g.inputs, input{Input: in})
	}
	return g
}

// Step takes one event and appends what is to be done to out.
func (g *Guard) Step(now time.Duration, ev Event, out []Action) []Action {
	out = g.expire(now, out)
	out = g.unblock(now, out)
	out = g.take(now, ev, out)
	out = g.treat(now, out)
	out = g.feed(now, out)
	return g.keep(now, out)
}

func (g *Guard) take(now time.Duration, ev Event, out []Action) []Action {
	switch ev := ev.(type) {
	case Started:
		return g.started(now, out)
	case Received:
		if ev.Client == g.client.id {
			return g.received(now, ev.Raw, out)
		}
	case Connected:
		return g.connected(now, ev, g.silence(now, out))
	case Left:
		if ev.Client == g.client.id && g.client.id != 0 {
			return g.lose(now, "client gone", out)
		}
		return g.silence(now, out)
	case Exited:
		return g.exited(now, ev.Process, out)
	case Moved:
		return g.moved(now, ev, out)
	case Armed:
		g.feeding.arm(now, ev.Timeout)
	case Tick:
		return g.silence(now, out)
	}
	return out
}

// started drives every relay safe, whatever level it has, and takes up what was
// kept.
func (g *Guard) started(now time.Duration, out []Action) []Action {
	for i := range g.relays {
		out = g.safe(i, "guard starts", true, out)
	}
	g.feeding.start(now)
	if g.tamper.block > 0 && g.state.Blocked > 0 {
		g.tamper.until = now + min(g.state.Blocked, g.tamper.block)
	}
	return out
}

// Deadline is when Step wants a Tick; ok is false when it wants none.
func (g *Guard) Deadline() (at time.Duration, ok bool) {
	at = never
	for _, r := range g.relays {
		if r.active {
			at = min(at, r.until)
		}
	}
	at = min(at, g.client.deadline(), g.tamper.next, g.health.deadline(), g.feeding.deadline())
	return at, at != never
}

// never is later than any deadline.
const never = time.Duration(1<<63 - 1)

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
