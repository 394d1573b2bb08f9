package e2e

import (
	"fmt"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// The proxy lets in who has the right certificate; the panel shows its own.
func TestClientCertificate(t *testing.T) {
	for name, own := range map[string]bool{"ours": true, "none": false} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			place, gate := s.host("proxy", 5), s.host("panel", 10)
			mine := newCertificate(t, scratch(t, "panel"), gate.addr)
			proxy := &kamailio{host: place, users: map[string]string{"panel": panelPassword}, knows: mine.cert,
				pair: newCertificate(t, scratch(t, place.name), place.addr)}
			proxy.start()
			account := fmt.Sprintf(", registrar: %q, ca_file: %q", place.at(5061), proxy.pair.cert)
			if own {
				account += fmt.Sprintf(", cert_file: %q, key_file: %q", mine.cert, mine.key)
			}
			p := newPanel(gate)
			p.source = []string{"-config", p.config(config{targets: []string{"sip:anna@10.0.0.5"}, transport: "tls", account: account})}
			p.startDaemon()
			if own {
				p.registered()
				return
			}
			p.becomes("complaining", func(s control.Status) bool {
				return s.Registration.State != control.RegistrationOK && s.Registration.Reason != ""
			})
		})
	}
}

// A phone died without a word: its binding stays, and the proxy forks to it as
// well. The living one rings and talks.
func TestStaleBinding(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	dead := startBaresip(s.host("dead", 20), handset{user: "anna", password: "a-word", domain: domain})
	dead.kill()
	alive := startBaresip(s.host("alive", 21), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}})
	p.press()
	alive.event("CALL_INCOMING")
	alive.accept()
	p.hears(700)
	alive.types(rightCode + endKey)
	p.opened(1)
	alive.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1})
}

// Only the dead phone's binding is there: the ringing ends by itself, with a
// word about why.
func TestOnlyAStaleBinding(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	dead := startBaresip(s.host("dead", 20), handset{user: "anna", password: "a-word", domain: domain})
	dead.kill()
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}, call: "ring_for: 5s"})
	p.press()
	record := p.ended()
	if record.Result != "unreachable" && record.Result != "no-answer" || record.Reason == "" {
		t.Errorf("result %q (%s), want unreachable or no-answer, and why\n%s", record.Result, record.Reason, drawn(record))
	}
	p.shut()
}

// The resident holds the call and takes it back: no sound goes to a phone on
// hold, the call lives, and afterwards the code opens the door.
func TestBaresipHolds(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}})
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.hears(700)
	anna.command("hold", "")
	_, held := p.reoffered(1)
	pause(t, time.Second)
	anna.command("resume", "")
	back, _ := p.reoffered(2)
	p.soundSoFar()
	p.hears(700)
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.CodeRight: 1, timeline.Reoffer: 2})
	const underWay = 40 * time.Millisecond
	for _, k := range p.wire.all(audioTo(anna.host)) {
		if k.at.After(held.Add(underWay)) && k.at.Before(back) {
			t.Fatalf("sound goes to a phone on hold, %v after our answer", k.at.Sub(held))
		}
	}
}

// reoffered waits for our n-th answer to a re-INVITE, and tells when that came
// in and when the answer went out.
func (p *panel) reoffered(n int) (asked, answered time.Time) {
	p.t.Helper()
	await(p.t, fmt.Sprintf("the panel has answered %d re-INVITEs", n), func() error {
		in, out := p.wire.all(sip(false, "INVITE ", "INVITE")), p.wire.all(sip(true, "SIP/2.0 200", "INVITE"))
		if len(in) < n || len(out) < n {
			return errNothing
		}
		asked, answered = in[n-1].at, out[n-1].at
		return nil
	})
	return asked, answered
}
