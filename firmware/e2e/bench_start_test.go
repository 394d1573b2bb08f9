package e2e

import (
	"syscall"
	"testing"
	"time"
)

// settling is how long a process has, once registered, before its memory counts.
const settling = 2 * time.Second

// measureStart times exec → REGISTER on the wire, and weighs the registered
// process.
func measureStart(b *testing.B, t *table) {
	s, _, gate := site(b)
	first, ours := startOurs(b, gate)
	peer := startPeer(b, s.host("peer", 20))
	t.add(
		figure{what: "process start → REGISTER on the wire, ms", ours: ours.start, peer: peer.start, by: median, reach: 20},
		figure{what: "  the same, at the very first start", ours: first},
		figure{what: "memory when registered: RSS, MB", ours: ours.rss, peer: peer.rss, by: median, reach: 12},
		figure{what: "  PSS, MB", ours: ours.pss, peer: peer.pss},
		figure{what: "  of it anonymous, MB", ours: ours.anon, peer: peer.anon},
		figure{what: "  the guard beside it, RSS, MB", ours: ours.guard, note: "has none"},
	)
}

// A weight is what a process needs of memory.
type weight struct{ rss, pss, anon sample }

func (w *weight) of(p *process) {
	p.t.Helper()
	w.rss = append(w.rss, p.rss())
	w.pss = append(w.pss, p.pss())
	w.anon = append(w.anon, p.anon())
}

type starts struct {
	weight
	start, guard sample
}

// startOurs gives the first start apart: it makes keys and folders.
func startOurs(b *testing.B, gate *host) (first sample, times starts) {
	p := newPanel(gate)
	c := config{targets: []string{"sip:phone@10.0.0.31:5060"}}
	p.source = []string{"-config", p.config(c)}
	for n := range often + 1 {
		daemon := p.quietly()
		began := daemon.execute(gate)
		took := p.wire.seen(began, "our REGISTER", sip(true, "REGISTER ", "REGISTER")).Sub(began)
		p.answers()
		p.registered()
		if n == 0 {
			first.ms(took)
		} else {
			times.start.ms(took)
		}
		if n == often {
			pause(b, settling)
			times.of(daemon)
			times.guard = sample{p.guard.rss()}
		}
		daemon.signal(syscall.SIGTERM)
		daemon.wait(patience)
	}
	return first, times
}

func startPeer(b *testing.B, h *host) (times starts) {
	set := handset{user: "anna", password: "a-word", domain: "10.0.0.5", speaks: 500, video: true}
	wire := h.capture()
	for n := range often {
		r := prepareRival(h, set)
		began := r.execute(h)
		times.start.ms(wire.seen(began, "the peer's REGISTER", sip(true, "REGISTER ", "REGISTER")).Sub(began))
		wire.seen(began, "the peer's registration", sip(false, "SIP/2.0 200", "REGISTER"))
		if n == often-1 {
			pause(b, settling)
			times.of(r.process)
		}
		r.kill()
	}
	return times
}
