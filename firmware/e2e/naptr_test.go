package e2e

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

// secureDomain is a Kamailio of the domain house.example with a certificate for
// a name, and a name server that knows the domain by these records.
func secureDomain(t *testing.T, s *street, certified string, records ...string) (*kamailio, *nameServer) {
	t.Helper()
	place := s.host("proxy", 5)
	names := startDNS(s.host("dns", 8), append(records, addressRecord("one", place),
		srvRecord("_sips._tcp", "one", 5061, 10, 5), srvRecord("_sip._udp", "one", 5060, 10, 5))...)
	return startSecureKamailio(place, map[string]string{"panel": panelPassword, "anna": "a-word"}, certified), names
}

// The configuration names the domain alone: NAPTR leads to TLS, or a sips
// address does, SRV to the machine and the port. The certificate names the
// domain, not the machine (RFC 5922 section 7.2). Nothing is said in the clear.
func TestDomainLeadsToTLS(t *testing.T) {
	for name, c := range map[string]struct{ transport, target, phone, result string }{
		"by NAPTR": {"auto", "sip:anna@house.example", "udp", "talked"},
		// It is TLS to the very phone; baresip sends no request to a SIPS URI, so
		// that the panel has to end the call.
		"by NAPTR to sips": {"auto", "sips:anna@house.example", "tls", "time-limit"},
		"by SRV to sips":   {"tls", "sips:anna@house.example", "tls", "time-limit"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newStreet(t)
			proxy, names := secureDomain(t, s, "house.example",
				pointerRecord("SIP+D2U", "_sip._udp", 20), pointerRecord("SIPS+D2T", "_sips._tcp", 10))
			domain := proxy.host.addr.String()
			if c.phone == "tls" {
				domain = proxy.host.at(5061).String()
			}
			anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700, transport: c.phone})
			gate := s.host("panel", 10)
			gate.names = names
			p := startPanel(gate, config{registrar: "house.example", transport: c.transport, targets: []string{c.target},
				account: caFile(proxy), call: "talk_for: 6s, warn_before: 1s"})
			p.press()
			anna.event("CALL_INCOMING")
			anna.accept()
			p.hears(700)
			anna.types(rightCode + endKey)
			p.opened(1)
			if c.result == "talked" {
				anna.hangUp()
			}
			anna.event("CALL_CLOSED")
			wantRecord(t, p.ended(), c.result, map[timeline.Name]int{timeline.CodeRight: 1})
			p.saidNothingOpenly(proxy)
		})
	}
}

// The account is one over UDP, the phone's address a sips one: the call goes over
// TLS all the same, to the domain's server or to the outbound proxy's.
func TestSipsWithAnAccountOverUDP(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ certified, proxy, route string }{
		"by the domain":          {"house.example", "", ""},
		"by the outbound proxy":  {"one.house.example", ", proxy: one.house.example", "<sips:one.house.example;lr>"},
		"by the proxy's address": {"", `, proxy: "10.0.0.5"`, "<sips:10.0.0.5;lr>"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStreet(t)
			proxy, names := secureDomain(t, s, c.certified)
			if c.route != "" {
				proxy.kill()
				proxy.atOnce = fmt.Sprintf(`if (is_method("INVITE") && $hdr(Route) != %q) { sl_send_reply("400", "Not by the proxy"); exit; }`, c.route)
				proxy.start()
			}
			anna := startBaresip(s.host("anna", 20), handset{
				user: "anna", password: "a-word", domain: proxy.host.at(5061).String(), speaks: 700, transport: "tls",
			})
			gate := s.host("panel", 10)
			gate.names = names
			p := startPanel(gate, config{
				registrar: "house.example", targets: []string{"sips:anna@house.example"}, account: caFile(proxy) + c.proxy,
			})
			p.press()
			anna.event("CALL_INCOMING")
			p.calls(control.CallRinging)
			pause(t, 2100*time.Millisecond) // the same button is ignored for 2 s
			p.press()
			anna.event("CALL_CLOSED")
			wantRecord(t, p.ended(), "cancelled", map[timeline.Name]int{timeline.SecondPress: 1})
			if open := p.wire.all(sip(true, "INVITE ", "")); len(open) != 0 {
				t.Errorf("%d INVITEs went in the clear, the first:\n%s", len(open), open[0].payload)
			}
		})
	}
}

// A proxy's port is that of UDP: no call to a sips address, and the reason is
// said, nothing of it in the clear.
func TestSipsByAProxyOfUDPAlone(t *testing.T) {
	t.Parallel()
	_, proxy, gate := site(t)
	p := startPanel(gate, config{targets: []string{"sips:anna@10.0.0.5"}, account: `, proxy: "10.0.0.5:5060"`})
	p.press()
	record := p.ended()
	if record.Result != "unreachable" || !strings.Contains(drawn(record), "needs TLS") {
		t.Errorf("result %q (%s), want unreachable, and why\n%s", record.Result, record.Reason, drawn(record))
	}
	if n := p.requests("INVITE", proxy.host); n != 0 {
		t.Errorf("%d INVITEs went in the clear", n)
	}
}

// The certificate is of an authority that the panel trusts, and names another
// domain: no registration, no call, and the reason is said.
func TestCertificateOfAnotherDomain(t *testing.T) {
	s := newStreet(t)
	proxy, names := secureDomain(t, s, "home.example", pointerRecord("SIPS+D2T", "_sips._tcp", 10))
	gate := s.host("panel", 10)
	gate.names = names
	p := newPanel(gate)
	p.source = []string{"-config", p.config(config{
		registrar: "house.example", transport: "auto", targets: []string{"sip:anna@house.example"}, account: caFile(proxy),
	})}
	p.startDaemon()
	p.becomes("complaining of the name", func(s control.Status) bool {
		return s.Registration.State != control.RegistrationOK &&
			strings.Contains(s.Registration.Reason, "certificate") && strings.Contains(s.Registration.Reason, "house.example")
	})
	p.saidNothingOpenly(proxy)
}

// caFile trusts a proxy's own certificate.
func caFile(k *kamailio) string { return `, ca_file: "` + k.pair.cert + `"` }

// saidNothingOpenly fails when the panel and the proxy exchanged anything
// outside of TLS.
func (p *panel) saidNothingOpenly(k *kamailio) {
	p.t.Helper()
	open := k.host.at(5060)
	if all := p.wire.all(func(k packet) bool { return k.dst == open || k.src == open }); len(all) != 0 {
		p.t.Errorf("%d packets between the panel and the proxy's open port, want none; the first:\n%s", len(all), all[0].payload)
	}
	if over := p.wire.all(func(k packet) bool { return k.tcp && k.dst.Port() == 5061 }); len(over) == 0 {
		p.t.Error("nothing went to the proxy's TLS port")
	}
}
