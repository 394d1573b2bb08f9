package e2e

import (
	"fmt"
	"net/netip"
	"os/exec"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// A masquerade is a router that hides a LAN, 192.168.1.0/24, behind its address
// on the street. What it lets in is what has been asked for from inside: it is
// port-restricted (RFC 4787 section 5), and forgets sooner than any should.
type masquerade struct {
	*host
	lan *street
}

// Seconds after which the router forgets a mapping without packets: before and
// after packets have gone both ways.
const (
	forgetsNew  = 11
	forgetsUsed = 12
)

// masquerade puts a router on the street.
func (s *street) masquerade(name string, last byte) *masquerade {
	s.t.Helper()
	r := &masquerade{host: s.host(name, last)}
	r.lan = &street{t: s.t, name: r.namespace}
	r.sh(fmt.Sprintf(`
echo 1 >/proc/sys/net/ipv4/ip_forward
nft -f - <<END
table ip nat {
  chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
}
END
echo %d >/proc/sys/net/netfilter/nf_conntrack_udp_timeout
echo %d >/proc/sys/net/netfilter/nf_conntrack_udp_timeout_stream`, forgetsNew, forgetsUsed))
	return r
}

// sh runs a script in the router.
func (r *masquerade) sh(script string) {
	r.t.Helper()
	cmd := exec.Command("/usr/sbin/ip", "netns", "exec", r.namespace, "/bin/sh", "-euc", script)
	if out, err := cmd.CombinedOutput(); err != nil {
		r.t.Fatalf("router: %v\n%s", err, out)
	}
}

// inside adds the one machine of the LAN, 192.168.1.10.
func (r *masquerade) inside(name string) *host {
	r.t.Helper()
	h := &host{
		t: r.t, street: r.lan, name: name, namespace: r.namespace + "-" + name, port: "lan0",
		addr: netip.AddrFrom4([4]byte{192, 168, 1, 10}),
	}
	r.lan.do("netns add "+h.namespace,
		fmt.Sprintf("link add eth0 netns %s type veth peer name %s netns %s", h.namespace, h.port, r.namespace))
	r.t.Cleanup(func() { r.lan.do("netns del " + h.namespace) })
	r.lan.in(r.namespace, "addr add 192.168.1.1/24 dev lan0", "link set lan0 addrgenmode none up")
	r.lan.in(h.namespace, "link set lo up", fmt.Sprintf("addr add %s/24 dev eth0", h.addr),
		"link set eth0 addrgenmode none up", "route add default via 192.168.1.1")
	return h
}

// renumber gives the router another address on the street, and makes it forget
// every mapping: the provider's night, or a reboot.
func (r *masquerade) renumber(last byte) {
	r.t.Helper()
	to := netip.AddrFrom4([4]byte{10, 0, 0, last})
	r.sh("nft delete table ip nat")
	r.street.in(r.namespace,
		fmt.Sprintf("addr del %s/24 dev eth0", r.addr),
		fmt.Sprintf("addr add %s/24 dev eth0", to),
		"route replace default via 10.0.0.1")
	r.sh(`nft -f - <<END
table ip nat {
  chain out { type nat hook postrouting priority 100; oifname "eth0" masquerade; }
}
END`)
	r.addr = to
}

// behind is a street with Kamailio, coturn and a phone, and a panel behind a
// router.
func behind(t *testing.T) (*panel, *baresip, *masquerade) {
	t.Helper()
	s := newStreet(t)
	proxy := startKamailio(s.host("proxy", 5), map[string]string{"panel": panelPassword, "anna": "a-word"})
	startCoturn(s.host("stun", 7))
	domain := proxy.host.addr.String()
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: domain, speaks: 700})
	router := s.masquerade("router", 12)
	p := startPanel(router.inside("panel"), config{
		targets: []string{"sip:anna@" + domain}, account: ", keepalive: 10s",
		extra: []string{
			"stun: {server: 10.0.0.7, keepalive: 1s}",
			fmt.Sprintf("inbound: {allow: [\"sip:anna@%s\"]}", domain),
		},
	})
	return p, anna, router
}

// The panel behind a router calls, and is called after a time that the router
// would have forgotten it in; sound goes both ways, and the door opens.
func TestBehindMasquerade(t *testing.T) {
	p, anna, _ := behind(t)
	p.says(1000)
	p.press()
	anna.event("CALL_INCOMING")
	anna.accept()
	p.hears(700)
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.Answered: 1, timeline.CodeRight: 1})
	wantTone(t, "anna hears the visitor", anna.recording("dec"), 1000)

	pause(t, (forgetsUsed+2)*time.Second)
	p.called(anna)
	all := p.wire.all(sip(true, "REGISTER", ""))
	if last := contactOf(string(all[len(all)-1].payload)); !strings.Contains(last, "@10.0.0.12:") {
		t.Errorf("the last Contact is %s, want the router's address", last)
	}
}

// The router comes back with another address: the panel notices by itself,
// registers again, and is called there.
func TestMappingLostAndFound(t *testing.T) {
	p, anna, router := behind(t)
	p.called(anna)
	before := len(p.wire.all(sip(true, "REGISTER", "")))
	router.renumber(13)
	at := time.Now()
	p.daemon.until("the panel registers its new address", func() error {
		for _, k := range p.wire.all(sip(true, "REGISTER", ""))[before:] {
			if strings.Contains(contactOf(string(k.payload)), "@10.0.0.13:") {
				return nil
			}
		}
		return errNothing
	})
	p.registered()
	t.Logf("registered with the new mapping after %v", time.Since(at).Round(time.Millisecond))
	p.called(anna)
	p.shut()
}

// called has anna call the panel, hear it and be heard.
func (p *panel) called(anna *baresip) {
	p.t.Helper()
	p.soundSoFar()
	anna.dial("sip:panel@10.0.0.5")
	anna.event("CALL_ESTABLISHED")
	p.hears(700)
	anna.hangUp()
	anna.event("CALL_CLOSED")
	wantRecord(p.t, p.ended(), "talked", map[timeline.Name]int{timeline.Incoming: 1})
}

// contactOf is the Contact line of a message.
func contactOf(message string) string {
	for line := range strings.Lines(message) {
		if rest, ok := strings.CutPrefix(line, "Contact:"); ok {
			return strings.TrimSpace(rest)
		}
	}
	return ""
}
