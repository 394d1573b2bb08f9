package guard

import (
	"fmt"
	"time"
)

// client is who is served.
type client struct {
	id       ClientID // 0: nobody
	process  ProcessID
	heard    time.Duration
	silent   bool          // it has said nothing for StaleAfter
	spared   bool          // it has had its Grace since then
	again    time.Duration // it is excused until then
	ended    bool          // its process has ended; its last words may still come
	messages window
}

// quiet says whether the client has said nothing for limit. If the guard itself
// was late to look, the client gets its Grace first.
func (c *client) quiet(now, limit time.Duration) bool {
	silent := now - c.heard
	if silent < limit {
		return false
	}
	if silent > limit+lateTick && !c.spared {
		c.heard, c.spared = now-limit+Grace, true
		return false
	}
	return true
}

// deadline is when the silence of the client has its next consequence.
func (c *client) deadline() time.Duration {
	switch {
	case c.id == 0:
		return never
	case c.silent:
		return c.heard + DropAfter
	}
	return max(c.heard+StaleAfter, c.again)
}

// Doubts is the process of a client that holds a relay and should have been
// heard by now; 0 if there is none.
func (g *Guard) Doubts(now time.Duration) ProcessID {
	c := &g.client
	silent := now - c.heard
	if c.id == 0 || c.silent || silent < StaleAfter || silent >= StarvedAfter || !g.heldByClient() {
		return 0
	}
	return c.process
}

// Excuse says that this process wants to run, and was not let. What it has to
// say may come in a moment.
func (g *Guard) Excuse(now time.Duration) {
	g.client.again = min(now+doubtAgain, g.client.heard+StarvedAfter)
	g.client.spared = true // that was its Grace
}

// silence takes the relays from a client that has said nothing for too long,
// and in the end the connection.
func (g *Guard) silence(now time.Duration, out []Action) []Action {
	c := &g.client
	if c.id == 0 || now < c.again {
		return out
	}
	if !c.silent && c.quiet(now, StaleAfter) {
		c.silent = true
		if g.heldByClient() {
			out = g.release(now, fmt.Sprintf("client silent for %v", StaleAfter), out)
		}
	}
	if c.silent && c.quiet(now, DropAfter) {
		out = g.lose(now, fmt.Sprintf("client silent for %v", DropAfter), out)
	}
	return out
}

// lose makes the relays safe, then ends the client's connection.
func (g *Guard) lose(now time.Duration, why string, out []Action) []Action {
	out = g.release(now, why, out)
	out = append(out, Drop{Client: g.client.id, Why: why})
	was := g.client
	g.client.id, g.client.process = 0, 0
	if was.ended {
		out = g.crashed(now, was.process, out)
	}
	return out
}

func (g *Guard) connected(now time.Duration, ev Connected, out []Action) []Action {
	refusal := message{kind: kindDenied, text: printable(ev.Denied)}
	switch {
	case ev.Client == 0:
		return out
	case ev.Denied != "":
	case g.client.id != 0 && !g.client.silent:
		refusal = message{kind: kindBusy, text: "another client is served"}
	default:
		return g.welcome(now, ev, out)
	}
	return append(out, Reply{Client: ev.Client, Raw: refusal.append(nil)},
		Drop{Client: ev.Client, Why: refusal.text})
}

// welcome serves a client, in the place of one that is silent.
func (g *Guard) welcome(now time.Duration, ev Connected, out []Action) []Action {
	if g.client.id != 0 {
		out = g.lose(now, fmt.Sprintf("client silent for %v, and another one comes", StaleAfter), out)
	}
	g.client = client{id: ev.Client, process: ev.Process, heard: now, messages: window{limit: maxMessages}}
	m := message{kind: kindWelcome, seq: g.seq, count: uint32(g.reboots)}
	out = append(out, Reply{Client: ev.Client, Raw: m.append(nil)})
	for i := range g.inputs {
		out = g.tell(now, i, out)
	}
	return out
}

// received takes a message of the client.
func (g *Guard) received(now time.Duration, raw []byte, out []Action) []Action {
	m, err := parse(raw)
	switch {
	case g.client.id == 0:
		return out
	case err != nil:
		return g.lose(now, err.Error(), out)
	case !g.client.messages.allow(now):
		return g.lose(now, fmt.Sprintf("more than %d messages in a second", maxMessages), out)
	}
	g.client.heard, g.client.silent, g.client.spared = now, false, false
	switch m.kind {
	case kindBeat:
		return g.beat(now, m.text, out)
	case kindPulse:
		return g.pulse(now, m, out)
	case kindBye:
		g.health.forget(g.client.process)
		g.health.isWell = false
		g.feeding.leave(now)
		return g.lose(now, "client ends", out)
	}
	return g.lose(now, "message of a wrong kind: "+string(m.kind), out)
}
