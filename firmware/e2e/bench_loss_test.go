package e2e

import (
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// losses is how often a server is lost in each way that is quick.
const losses = 5

// measureLoss times what the death of a server costs when its domain has
// another one. baresip has none to go to.
func measureLoss(b *testing.B, t *table) {
	var flow, silent, dead, mute sample
	b.Run("registered/tcp", func(b *testing.B) { flow = registeredAgain(b, "tcp", losses, dies) })
	b.Run("registered/udp", func(b *testing.B) { silent = registeredAgain(b, "udp", 1, fallsSilent) })
	b.Run("press/dead", func(b *testing.B) { dead = pressedInVain(b, dies) })
	b.Run("press/silent", func(b *testing.B) { mute = pressedInVain(b, fallsSilent) })
	t.add(
		figure{what: "server killed → registered at the next one, TCP, ms", ours: flow, by: median, reach: 5000},
		figure{what: "  UDP, worst case: silent from the registration on, asked every 10 s", ours: silent},
		figure{what: "press, server killed → the next one's phone rings, ms", ours: dead, by: worst, reach: 2000},
		figure{what: "  the same, its machine silent: 2 s are given to it", ours: mute},
	)
}

// Two ways to be lost: the machine still says that nobody is there, or nothing
// comes from it.
func dies(k *kamailio)        { k.kill() }
func fallsSilent(k *kamailio) { k.host.unplug() }

// registeredAgain loses the first server right after a registration there, and
// waits for the second one's word.
func registeredAgain(b *testing.B, transport string, rounds int, lose func(*kamailio)) (times sample) {
	k := quietPair(b, transport)
	for n := range rounds {
		if n > 0 {
			k.anew()
		}
		began := time.Now()
		lose(k.first)
		awaitFor(b, time.Minute, "the panel is registered at the second server", func() error {
			granted := k.panel.wire.all(func(p packet) bool {
				return p.at.After(began) && p.src.Addr() == k.second.host.addr && sip(false, "SIP/2.0 200", "REGISTER")(p)
			})
			if len(granted) == 0 {
				return errNothing
			}
			times.ms(granted[0].at.Sub(began))
			return nil
		})
	}
	return times
}

// pressedInVain loses the first server and presses before the panel can know.
func pressedInVain(b *testing.B, lose func(*kamailio)) (times sample) {
	k := quietPair(b, "udp")
	phone := k.bedroom.host.capture()
	for n := range losses {
		if n > 0 {
			k.anew()
		}
		began := time.Now()
		lose(k.first)
		k.panel.press()
		// What is for the lost machine goes to every port of the bridge now.
		rung := phone.seen(began, "the bedroom's INVITE", func(p packet) bool {
			return p.dst == k.bedroom.host.at(5060) && sip(false, "INVITE ", "INVITE")(p)
		})
		k.bedroom.event("CALL_INCOMING")
		k.bedroom.hangUp()
		k.bedroom.event("CALL_CLOSED")
		record := k.panel.ended()
		for _, m := range marks(record, timeline.Debounced) {
			times.ms(rung.Sub(record.Began.Add(m.At)))
		}
	}
	return times
}

// quietPair is a pair whose panel is registered at the first server and logs no
// messages.
func quietPair(b *testing.B, transport string) *pair {
	b.Helper()
	k, gate, c := preparePair(b, transport)
	k.panel = quietPanel(gate, c)
	k.panel.registeredAt(k.first)
	return k
}

// anew brings the first server back, and starts the panel once more: it would
// not return there for minutes.
func (k *pair) anew() {
	p := k.panel
	p.t.Helper()
	k.first.kill()
	k.first.host.plug()
	k.first.start()
	p.stopDaemon()
	p.quietly().run()
	p.answers()
	p.registeredAt(k.first)
	p.wire.forget()
}
