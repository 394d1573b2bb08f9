package guard

import (
	"fmt"
	"slices"
	"time"
)

const (
	// AbortAfter is how long a process may be sick or silent before it is told to
	// write down what it does and to end.
	AbortAfter = 8 * time.Second
	// KillAfter is how much later it is killed. Whoever supervises it has the
	// rest of ten seconds to start it again.
	KillAfter = time.Second
	// HealthyFor is how long a client has to be healthy until the resets of the
	// board are forgotten.
	HealthyFor = 5 * time.Minute
	// So many ends of clients without a bye, within so long, reset the board.
	maxCrashes   = 5
	crashesCount = 5 * time.Minute

	maxPatients = 8
)

// A patient is a process that has beaten as a client, and has not said bye.
type patient struct {
	id      ProcessID
	healthy time.Duration // its last healthy beat
	sick    string        // what it says that it has
	spared  bool          // the guard was late to look; it has had more time
	aborted time.Duration // when; 0 is never
	killed  bool
}

// due is when something has to be done about it.
func (p *patient) due() time.Duration {
	switch {
	case p.killed:
		return never
	case p.aborted != 0:
		return p.aborted + KillAfter
	}
	return p.healthy + AbortAfter
}

// health knows how the clients are.
type health struct {
	patients []patient
	crashes  []time.Duration // within crashesCount
	well     time.Duration   // since when the client has been healthy
	isWell   bool
}

func (h *health) find(id ProcessID) *patient {
	for i := range h.patients {
		if h.patients[i].id == id {
			return &h.patients[i]
		}
	}
	return nil
}

// admit finds the patient of a process that beats, which may be a new one. The
// one that has been here longest makes room.
func (h *health) admit(now time.Duration, id ProcessID) *patient {
	if p := h.find(id); p != nil {
		return p
	}
	if len(h.patients) == maxPatients {
		h.patients = slices.Delete(h.patients, 0, 1)
	}
	h.patients = append(h.patients, patient{id: id, healthy: now})
	return &h.patients[len(h.patients)-1]
}

// forget lets a process go; false if nobody knows it.
func (h *health) forget(id ProcessID) bool {
	before := len(h.patients)
	h.patients = slices.DeleteFunc(h.patients, func(p patient) bool { return p.id == id })
	return len(h.patients) < before
}

func (h *health) deadline() time.Duration {
	at := never
	for i := range h.patients {
		at = min(at, h.patients[i].due())
	}
	return at
}

// beat takes a heart-beat; sick is what the client has, or "".
func (g *Guard) beat(now time.Duration, sick string, out []Action) []Action {
	if id := g.client.process; id != 0 {
		p := g.health.admit(now, id)
		if p.sick != sick {
			p.sick = sick
			out = append(out, Note{Text: fmt.Sprintf("process %d: %s", id, diagnosis(sick))})
		}
		if sick == "" {
			p.healthy, p.spared = now, false
		}
	}
	if sick != "" {
		g.health.isWell = false
		return out
	}
	return g.recover(now, out)
}

func diagnosis(sick string) string {
	if sick == "" {
		return "is healthy again"
	}
	return "is sick: " + sick
}

// recover takes a healthy beat.
func (g *Guard) recover(now time.Duration, out []Action) []Action {
	if g.feeding.healthy(now) {
		g.reboots--
		out = append(out, Note{Text: "feeds the watchdog again"})
	}
	switch h := &g.health; {
	case !h.isWell:
		h.well, h.isWell = now, true
	case now-h.well >= HealthyFor && !g.feeding.doomed:
		g.reboots = 0
	}
	return out
}

// treat ends the processes that have been sick or silent for too long.
func (g *Guard) treat(now time.Duration, out []Action) []Action {
	for i := range g.health.patients {
		p := &g.health.patients[i]
		switch {
		case now < p.due():
		case p.aborted != 0:
			p.killed = true
			out = append(out, Signal{Process: p.id, Kill: true, Why: fmt.Sprintf("aborted %v ago", KillAfter)})
		case now > p.due()+KillAfter/2 && !p.spared:
			p.healthy, p.spared = now-AbortAfter+KillAfter, true
		default:
			p.aborted = now
			out = append(out, Signal{Process: p.id, Why: p.complaint()})
		}
	}
	return out
}

func (p *patient) complaint() string {
	if p.sick != "" {
		return fmt.Sprintf("sick for %v: %s", AbortAfter, p.sick)
	}
	return fmt.Sprintf("silent for %v", AbortAfter)
}

// exited takes the end of a process. What it has sent before is read first: it
// may have said bye.
func (g *Guard) exited(now time.Duration, id ProcessID, out []Action) []Action {
	if g.client.id != 0 && g.client.process == id {
		g.client.ended = true
		return out
	}
	return g.crashed(now, id, out)
}

// crashed counts a process that has ended without a bye. Too many in a short
// time reset the board.
func (g *Guard) crashed(now time.Duration, id ProcessID, out []Action) []Action {
	h := &g.health
	if !h.forget(id) {
		return out
	}
	h.isWell = false
	h.crashes = slices.DeleteFunc(h.crashes, func(at time.Duration) bool { return now-at >= crashesCount })
	h.crashes = append(h.crashes, now)
	out = append(out, Note{Text: fmt.Sprintf("process %d ended without a bye: %d of %d in %v", id, len(h.crashes), maxCrashes, crashesCount)})
	if len(h.crashes) < maxCrashes {
		return out
	}
	h.crashes = h.crashes[:0]
	if !g.feeding.armed() {
		return append(out, Note{Text: "would reset the board now, but it has no watchdog"})
	}
	if !g.feeding.doomed && !g.feeding.starving {
		g.reboots++
	}
	g.feeding.doomed = true
	return append(out, Note{Text: fmt.Sprintf("resets the board: feeds the watchdog no more, it bites within %v", g.feeding.timeout)})
}
