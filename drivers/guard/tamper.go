package guard

import (
	"fmt"
	"time"
)

// input is an Input and what it is doing.
type input struct {
	Input
	known  bool
	active bool
	at     time.Duration
}

// tamper blocks the relays after the cover was opened.
type tamper struct {
	block time.Duration // 0: never
	until time.Duration // blocked; 0: not
	open  bool          // the cover, as far as known
	next  time.Duration // when to look again
}

// rest is for how much longer no relay opens.
func (t *tamper) rest(now time.Duration) time.Duration { return max(0, t.until-now) }

// keptEvery is the step in which the rest of a block is kept: seldom, since
// flash wears out. It is rounded up.
const keptEvery = 5 * time.Minute

// kept is the rest of the block as it is to be kept.
func (t *tamper) kept(now time.Duration) time.Duration {
	return min(t.block, (t.rest(now)+keptEvery-1)/keptEvery*keptEvery)
}

// plan notes when to look again: at the end of the block, or when less of it has
// to be kept.
func (t *tamper) plan(now time.Duration) {
	t.next = never
	if rest := t.rest(now); rest > 0 {
		t.next = t.until - (rest-1)/keptEvery*keptEvery
	}
}

// moved takes the level of an input.
func (g *Guard) moved(now time.Duration, ev Moved, out []Action) []Action {
	if ev.Input < 0 || ev.Input >= len(g.inputs) {
		return out
	}
	in := &g.inputs[ev.Input]
	if in.known && in.active == ev.Active {
		return out
	}
	in.known, in.active, in.at = true, ev.Active, ev.At
	switch {
	case in.Tamper:
		out = g.cover(now, in.Name, out)
	case ev.Active && !ev.First:
		out = g.press(now, in, out)
	}
	return g.tell(now, ev.Input, out)
}

// cover takes a change of a switch below the cover. A cover that is found open,
// and was not when the guard last knew, counts as opened.
func (g *Guard) cover(now time.Duration, name string, out []Action) []Action {
	open, unknown := false, false
	for _, in := range g.inputs {
		open = open || in.Tamper && in.active
		unknown = unknown || in.Tamper && !in.known
	}
	opened := open && !g.tamper.open
	g.tamper.open = open || unknown && g.tamper.open
	if !opened || g.tamper.block == 0 {
		return out
	}
	g.tamper.until = now + g.tamper.block
	for i := range g.relays {
		out = g.safe(i, "the cover was opened", false, out)
	}
	return append(out, Note{Text: fmt.Sprintf("%s: the cover was opened; no relay opens for %v", name, g.tamper.block)})
}

// unblock ends the block.
func (g *Guard) unblock(now time.Duration, out []Action) []Action {
	if g.tamper.until == 0 || now < g.tamper.until {
		return out
	}
	g.tamper.until = 0
	for i, in := range g.inputs {
		if in.Tamper {
			out = g.tell(now, i, out)
		}
	}
	return append(out, Note{Text: "relays may open again"})
}

// press opens what an exit button opens.
func (g *Guard) press(now time.Duration, in *input, out []Action) []Action {
	i := g.find(in.Opens)
	if i < 0 {
		return out
	}
	if why := g.hindrance(now, i); why != "" {
		return append(out, Note{Text: fmt.Sprintf("%s pressed: %s does not open: %s", in.Name, in.Opens, why)})
	}
	if r := &g.relays[i]; !r.active {
		r.seq = 0
	}
	return g.open(now, i, 0, now+in.For, "exit: "+in.Name, out)
}

// tell tells the client about an input.
func (g *Guard) tell(now time.Duration, i int, out []Action) []Action {
	in := g.inputs[i]
	if g.client.id == 0 || !in.known {
		return out
	}
	rest := (g.tamper.rest(now) + time.Millisecond - 1).Truncate(time.Millisecond)
	m := message{kind: kindInput, name: in.Name, active: in.active, at: in.at, d: rest}
	return append(out, Reply{Client: g.client.id, Raw: m.append(nil)})
}
