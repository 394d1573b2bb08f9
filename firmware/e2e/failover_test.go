package e2e

import (
	"fmt"
	"os"
	"strings"
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
// Over TLS the servers let in only who has the panel's certificate.
func preparePair(t testing.TB, transport string) (*pair, *host, config) {
	t.Helper()
	s := newStreet(t)
	a, b, gate := s.host("first", 5), s.host("second", 4), s.host("panel", 10)
	service, port := "_sip._"+transport, 5060
	if transport == "tls" {
		service, port = "_sips._tcp", 5061
	}
	gate.names = startDNS(s.host("dns", 8),
		addressRecord("one", a), addressRecord("two", b),
		srvRecord(service, "one", port, 10, 5), srvRecord(service, "two", port, 20, 5))
	users := map[string]string{"panel": panelPassword, "anna": "a-word"}
	k := &pair{first: &kamailio{host: a, users: users}, second: &kamailio{host: b, users: users}}
	account := ", keepalive: 10s"
	if transport == "tls" {
		account += k.certified(gate)
	}
	k.first.start()
	k.second.start()
	k.hall = startBaresip(s.host("hall", 20), handset{user: "anna", password: "a-word", domain: a.addr.String(), speaks: 700})
	k.bedroom = startBaresip(s.host("bedroom", 21), handset{user: "anna", password: "a-word", domain: b.addr.String(), speaks: 800})
	return k, gate, config{
		registrar: "house.example", transport: transport, targets: []string{"sip:anna@house.example"},
		account: account, call: "ring_for: 8s, no_media_for: 3s",
	}
}

// certified gives both servers certificates of the domain and the panel one of
// its own, and returns what the panel's account says of them.
func (k *pair) certified(gate *host) string {
	t := gate.t
	t.Helper()
	mine := newCertificate(t, scratch(t, gate.name), gate.addr)
	var trusted []string
	for _, one := range []*kamailio{k.first, k.second} {
		one.knows = mine.cert
		one.pair = newCertificate(t, scratch(t, one.host.name), one.host.addr, "house.example")
		text, err := os.ReadFile(one.pair.cert)
		if err != nil {
			t.Fatal(err)
		}
		trusted = append(trusted, string(text))
	}
	all := write(t, scratch(t, gate.name), "trusted.pem", trusted...)
	return fmt.Sprintf(", ca_file: %q, cert_file: %q, key_file: %q", all, mine.cert, mine.key)
}

// inTheOpen fails when the panel said anything to a server outside of TLS.
func (k *pair) inTheOpen() {
	k.panel.t.Helper()
	for _, one := range []*kamailio{k.first, k.second} {
		k.panel.saidNothingOpenly(one)
	}
}

// registeredAt waits for a registration at a server.
func (p *panel) registeredAt(k *kamailio) time.Duration {
	p.t.Helper()
	began := time.Now()
	awaitFor(p.t, time.Minute, "the panel is registered at "+k.host.name, func() error {
		r := p.status().Registration
		if r.State == control.RegistrationOK && strings.HasPrefix(r.Server, k.host.literal()+":") {
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

// overBoth tells a story of a pair over UDP, and over TLS with certificates on
// both sides, where nothing is to be said in the clear.
func overBoth(t *testing.T, story func(t *testing.T, k *pair)) {
	for _, transport := range []string{"udp", "tls"} {
		t.Run(transport, func(t *testing.T) {
			k := newPair(t, transport)
			k.panel.registeredAt(k.first)
			story(t, k)
			if transport == "tls" {
				k.inTheOpen()
			}
		})
	}
}

// The server dies while nobody calls. The panel finds out by itself, and is
// registered at the other; when the first one is back, it returns.
func TestServerDiesWhileRegistered(t *testing.T) {
	for _, transport := range []string{"udp", "tcp", "tls"} {
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
	overBoth(t, func(_ *testing.T, k *pair) {
		k.panel.press()
		k.hall.event("CALL_INCOMING")
		k.panel.calls(control.CallRinging)
		k.first.kill()
		k.panel.ended()
		k.panel.shut()
		k.rings(k.bedroom, 1)
	})
}

// The server dies in a conversation. It goes on, the code opens the door, and
// its end is noticed.
func TestServerDiesWhileTalking(t *testing.T) {
	overBoth(t, func(t *testing.T, k *pair) {
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
	})
}

// Both servers go and come back.
func TestBothServersRestart(t *testing.T) {
	overBoth(t, func(t *testing.T, k *pair) {
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
	})
}
