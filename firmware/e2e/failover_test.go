package e2e

import (
	"fmt"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// A pair is two Kamailios of the domain house.example behind its SRV records,
// the first one preferred. They know nothing of each other: a phone is
// registered at each.
type pair struct {
	panel         *panel
	first, second *kamailio
	hall, bedroom *baresip // registered at the first, at the second
}

func newPair(t testing.TB, transport string) *pair {
	t.Helper()
	k, gate, c := preparePair(t, transport)
	k.panel = startPanel(gate, c)
	return k
}

// preparePair is newPair without the panel: its place and its configuration.
func preparePair(t testing.TB, transport string) (*pair, *host, config) {
	t.Helper()
	s := newStreet(t)
	users := map[string]string{"panel": panelPassword, "anna": "a-word"}
	a, b := s.host("first", 5), s.host("second", 4)
	names := startDNS(s.host("dns", 8),
		addressRecord("one", a), addressRecord("two", b),
		srvRecord("_sip._"+transport, "one", 5060, 10, 5), srvRecord("_sip._"+transport, "two", 5060, 20, 5))
	k := &pair{first: startKamailio(a, users), second: startKamailio(b, users)}
	k.hall = startBaresip(s.host("hall", 20), handset{user: "anna", password: "a-word", domain: a.addr.String(), speaks: 700})
	k.bedroom = startBaresip(s.host("bedroom", 21), handset{user: "anna", password: "a-word", domain: b.addr.String(), speaks: 800})
	gate := s.host("panel", 10)
	gate.names = names
	return k, gate, config{
		registrar: "house.example", transport: transport, targets: []string{"sip:anna@house.example"},
		account: ", keepalive: 10s", call: "ring_for: 8s, no_media_for: 3s",
	}
}

// registeredAt waits for a registration at a server.
func (p *panel) registeredAt(k *kamailio) time.Duration {
	p.t.Helper()
	began := time.Now()
	awaitFor(p.t, time.Minute, "the panel is registered at "+k.host.name, func() error {
		r := p.status().Registration
		if r.State == control.RegistrationOK && r.Server == k.host.at(5060).String() {
			return nil
		}
		return fmt.Errorf("its registration is %+v", r)
	})
	return time.Since(began)
}

// rings presses, has the phone answer, and opens the door.
func (k *pair) rings(phone *baresip, opened int) time.Duration {
	t := k.panel.t
	t.Helper()
	began := time.Now()
	k.panel.press()
	phone.event("CALL_INCOMING")
	took := time.Since(began)
	phone.accept()
	phone.event("CALL_ESTABLISHED")
	k.panel.calls(control.CallTalking)
	phone.types(rightCode + endKey)
	k.panel.opened(opened)
	phone.hangUp()
	wantRecord(t, k.panel.ended(), "talked", map[timeline.Name]int{timeline.CodeRight: 1})
	return took
}

// The server dies while nobody calls. The panel finds out by itself, and is
// registered at the other; when the first one is back, it returns.
func TestServerDiesWhileRegistered(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		t.Run(transport, func(t *testing.T) {
			k := newPair(t, transport)
			k.panel.registeredAt(k.first)
			k.rings(k.hall, 1)
			k.first.kill()
			t.Logf("registered at the second server %v after the first died", k.panel.registeredAt(k.second).Round(time.Millisecond))
			t.Logf("the phone rings %v after the press", k.rings(k.bedroom, 2).Round(time.Millisecond))
		})
	}
}

// The server dies, and somebody presses at once, before the panel can know.
func TestPressWithADeadServer(t *testing.T) {
	k := newPair(t, "udp")
	k.panel.registeredAt(k.first)
	k.first.kill()
	t.Logf("the phone rings %v after the press", k.rings(k.bedroom, 1).Round(time.Millisecond))
}

// The server dies while the phone rings. The visitor presses again, and another
// phone rings.
func TestServerDiesWhileRinging(t *testing.T) {
	k := newPair(t, "udp")
	k.panel.press()
	k.hall.event("CALL_INCOMING")
	k.panel.calls(control.CallRinging)
	k.first.kill()
	k.panel.ended()
	k.panel.shut()
	k.rings(k.bedroom, 1)
}

// The server dies in a conversation. It goes on, the code opens the door, and
// its end is noticed.
func TestServerDiesWhileTalking(t *testing.T) {
	k := newPair(t, "udp")
	k.panel.press()
	k.hall.event("CALL_INCOMING")
	k.hall.accept()
	k.panel.calls(control.CallTalking)
	k.first.kill()
	k.panel.registeredAt(k.second)
	k.panel.hears(700)
	k.hall.types(rightCode + endKey)
	k.panel.opened(1)
	k.hall.hangUp()
	record := k.panel.ended()
	wantRecord(t, record, record.Result, map[timeline.Name]int{timeline.CodeRight: 1})
	k.rings(k.bedroom, 2)
}

// Both servers go and come back.
func TestBothServersRestart(t *testing.T) {
	k := newPair(t, "udp")
	k.panel.registeredAt(k.first)
	k.first.kill()
	k.second.kill()
	awaitFor(t, time.Minute, "the panel knows that it is not registered", func() error {
		if k.panel.status().Registration.State == control.RegistrationOK {
			return errNothing
		}
		return nil
	})
	k.second.start()
	t.Logf("registered again %v after a server came back", k.panel.registeredAt(k.second).Round(time.Millisecond))
}
