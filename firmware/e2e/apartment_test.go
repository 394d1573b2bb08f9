package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/zaf/g711"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// The main story with Kamailio and baresip: press, ring, answer, a tone each
// way, a wrong code, the right one, the door, hang-up.
func TestApartment(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{
		user: "anna", password: "a-word", domain: domain, speaks: 700, video: true,
	})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}})
	p.says(1000) // before, during and after the call
	p.press()
	anna.event("CALL_INCOMING")
	p.calls(control.CallRinging)
	p.soundSoFar()
	anna.accept()
	anna.event("CALL_ESTABLISHED")
	p.calls(control.CallTalking)
	p.hears(700)
	anna.types(wrongCode + endKey)
	p.becomesWrong(1)
	p.shut()
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	record := p.ended()
	anna.stop()

	wantRecord(t, record, "talked", map[timeline.Name]int{
		timeline.Ringing: -1, timeline.Answered: 1, timeline.CodeWrong: 1, timeline.CodeRight: 1,
		timeline.RelayOn: 1, timeline.RelayOff: 1, timeline.HungUp: 1,
	})
	wantTone(t, "anna hears the visitor", anna.recording("dec"), 1000)
	video := p.videoOf(anna.host)
	if len(video) == 0 {
		t.Fatal("no picture went to anna")
	}
	wantMovingClock(t, "after the answer", decode(anna.host, p.offerTo(proxy.host), video, 640, 480), 640, 480, 15)
	answered := p.wire.first("the 200", sip(false, "SIP/2.0 200", "INVITE"))
	sound := p.wire.all(audioTo(anna.host))
	if len(sound) == 0 || sound[0].at.Before(answered.at) {
		t.Errorf("%d packets of our sound, the first %v after the answer", len(sound), sound[0].at.Sub(answered.at))
	}
}

// becomesWrong waits for n wrong codes in the record of the running call.
func (p *panel) becomesWrong(n int) {
	p.t.Helper()
	p.daemon.until("the wrong code is recorded", func() error {
		records, err := p.client.Calls(p.t.Context())
		if err != nil {
			return err
		}
		if len(records) == 0 || len(marks(records[0], timeline.CodeWrong)) != n {
			return errNothing
		}
		return nil
	})
}

// audioTo matches our PCMU to a phone: 160 bytes behind the RTP header.
func audioTo(h *host) func(packet) bool {
	return func(k packet) bool {
		return k.sent && !k.tcp && k.dst.Addr() == h.addr && len(k.payload) == 172 && k.payload[1]&127 == 0
	}
}

// videoOf are our RTP packets to a phone with a dynamic payload type that are
// no telephone-event.
func (p *panel) videoOf(h *host) []packet {
	return p.wire.all(func(k packet) bool {
		return rtp(true, k.dst)(k) && k.dst.Addr() == h.addr && k.payload[1]&127 >= 96 && len(k.payload) > 16
	})
}

// The panel ends the call at its limit; the phone hears of it.
func TestPanelHangsUp(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}, call: "talk_for: 2s, warn_before: 1s"})
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	anna.event("CALL_ESTABLISHED")
	anna.event("CALL_CLOSED")
	record := p.ended()
	wantRecord(t, record, "time-limit", nil)
	if !strings.Contains(fmt.Sprint(marks(record, timeline.Signal)), "warning") {
		t.Errorf("no warning before the end\n%s", drawn(record))
	}
	p.shut()
}

// The visitor gives up: the phone stops ringing.
func TestVisitorCancels(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}})
	p.press()
	anna.event("CALL_INCOMING")
	pause(t, 2100*time.Millisecond) // the same button is ignored for 2 s
	p.press()
	anna.event("CALL_CLOSED")
	wantRecord(t, p.ended(), "cancelled", map[timeline.Name]int{timeline.Answered: 0, timeline.SecondPress: 1})
}

// Kamailio forks to two phones of one person; one of them answers.
func TestProxyForks(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	hall := startBaresip(s.host("hall", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	bedroom := startBaresip(s.host("bedroom", 21), handset{user: "anna", password: "a-word", domain: domain, speaks: 800})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}})
	p.press()
	hall.event("CALL_INCOMING")
	bedroom.event("CALL_INCOMING")
	bedroom.accept()
	hall.event("CALL_CLOSED")
	p.hears(800)
	bedroom.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1})
}

// The same over TCP, the registration and the call.
func TestOverTCP(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700, transport: "tcp"})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + domain}, transport: "tcp"})
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.hears(700)
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.CodeRight: 1})
	if over := p.wire.all(func(k packet) bool { return k.sent && !k.tcp && k.dst == proxy.host.at(5060) }); len(over) != 0 {
		t.Errorf("%d datagrams went to the proxy's UDP port, want none", len(over))
	}
}

// Over TLS to the proxy, whose certificate the panel checks: the name of the
// authority is in the configuration.
func TestOverTLS(t *testing.T) {
	s := newStreet(t)
	place := s.host("proxy", 5)
	proxy := startSecureKamailio(place, map[string]string{"panel": panelPassword, "anna": "a-word"})
	domain := place.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	p := startPanel(s.host("panel", 10), config{
		targets: []string{"sip:anna@" + domain}, transport: "tls",
		account: fmt.Sprintf(", registrar: %q, proxy: %q, ca_file: %q", place.at(5061), place.at(5061), proxy.pair.cert),
	})
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.hears(700)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1})
	if open := p.wire.all(func(k packet) bool { return k.dst == place.at(5060) || k.src == place.at(5060) }); len(open) != 0 {
		t.Errorf("%d packets went to or from the proxy's open port, want none", len(open))
	}
}

// A certificate of an authority that the panel does not know: no registration,
// and the reason is said.
func TestUnknownCertificate(t *testing.T) {
	s := newStreet(t)
	place := s.host("proxy", 5)
	startSecureKamailio(place, map[string]string{"panel": panelPassword})
	p := newPanel(s.host("panel", 10))
	p.source = []string{"-config", p.config(config{
		targets: []string{"sip:anna@10.0.0.5"}, transport: "tls", account: fmt.Sprintf(", registrar: %q", place.at(5061)),
	})}
	p.startDaemon()
	p.becomes("complaining of the certificate", func(s control.Status) bool {
		return s.Registration.State != control.RegistrationOK && strings.Contains(s.Registration.Reason, "certificate")
	})
}

// A resident calls the panel: who is allowed hears and is heard, and may open;
// nobody else gets through.
func TestResidentCalls(t *testing.T) {
	s, proxy, gate := site(t)
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	ben := startBaresip(s.host("ben", 21), handset{user: "ben", password: "another", domain: domain, speaks: 800})
	p := startPanel(gate, config{
		targets: []string{"sip:anna@" + domain},
		extra:   []string{fmt.Sprintf("inbound: {allow: [\"sip:anna@%s\"]}", domain)},
	})
	ben.dial("sip:panel@" + domain)
	ben.event("CALL_CLOSED")
	if n := len(p.wire.all(sip(true, "SIP/2.0 200", "INVITE"))); n != 0 {
		t.Errorf("the panel answered a stranger")
	}
	anna.dial("sip:panel@" + domain)
	anna.event("CALL_ESTABLISHED")
	p.hears(700)
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Incoming: 1, timeline.CodeRight: 1})
}

// A phone that plays before it answers is heard by the visitor, who is not
// heard himself.
func TestEarlyAudio(t *testing.T) {
	s, _, gate := site(t)
	host := s.host("phone", 31)
	writeUlaw(t, filepath.Join(scratch(t, "phone"), "early.ulaw"), sine(620, 4))
	phone := startSipp(host, "early_audio")
	p := startPanel(gate, config{targets: []string{phone.uri()}})
	p.says(1000)
	p.press()
	p.hears(620)
	pause(t, 2100*time.Millisecond)
	p.press()
	phone.played()
	wantRecord(t, p.ended(), "cancelled", map[timeline.Name]int{timeline.EarlyAnswer: 1, timeline.FirstAudioIn: 1})
	var sound []int16
	for _, k := range p.wire.all(audioTo(host)) {
		for _, b := range k.payload[12:] {
			sound = append(sound, g711.DecodeUlawFrame(b))
		}
	}
	wantNoTone(t, "the phone before its answer", sound, 1000)
}

func writeUlaw(t testing.TB, path string, samples []int16) {
	t.Helper()
	raw := make([]byte, len(samples))
	for i, v := range samples {
		raw[i] = g711.EncodeUlawFrame(v)
	}
	if err := os.WriteFile(path, raw, 0o644); err != nil {
		t.Fatal(err)
	}
}
