package e2e

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// A nameServer is dnsmasq with the records of the domain house.example, and
// nobody to ask in turn.
type nameServer struct {
	*process
	host *host
}

// startDNS runs a name server on UDP and TCP 53; records are dnsmasq's options.
func startDNS(h *host, records ...string) *nameServer {
	h.t.Helper()
	dir := scratch(h.t, h.name)
	config := write(h.t, dir, "dnsmasq.conf", append([]string{
		"keep-in-foreground", "log-facility=-", "log-queries", "no-resolv", "no-hosts", "user=", "pid-file=",
		"listen-address=" + h.addr.String(), "bind-interfaces", "local-ttl=2", "domain=house.example", "local=/house.example/",
	}, records...)...)
	d := &nameServer{host: h, process: h.start(h.name, "dnsmasq", "-C", config)}
	d.until("the name server answers", func() error {
		_, err := d.ask("house.example.", dns.TypeA)
		return err
	})
	return d
}

// srvRecord is a SRV record of the domain.
func srvRecord(service, target string, port, priority, weight int) string {
	return fmt.Sprintf("srv-host=%s.house.example,%s.house.example,%d,%d,%d", service, target, port, priority, weight)
}

// pointerRecord is a NAPTR record of the domain itself, to SRV records.
func pointerRecord(service, srv string, order int) string {
	return fmt.Sprintf("naptr-record=house.example,%d,10,s,%s,,%s.house.example", order, service, srv)
}

// addressRecord is the address of a machine of that domain.
func addressRecord(name string, h *host) string {
	return fmt.Sprintf("host-record=%s.house.example,%s", name, h.addr)
}

// asked is the command in front of a program that asks this server: it has a
// resolv.conf of its own, in the mounts that ip(8) has made for it.
func (d *nameServer) asked() []string {
	d.t.Helper()
	file := write(d.t, scratch(d.t, d.host.name), "resolv.conf", "nameserver "+d.host.addr.String(), "options timeout:1 attempts:1")
	return []string{"/bin/sh", "-euc", `mount --bind "$0" /etc/resolv.conf; exec "$@"`, file}
}

func (d *nameServer) ask(name string, kind uint16) (*dns.Msg, error) {
	conn := d.host.udp(0)
	defer conn.Close()
	if _, err := conn.WriteToUDPAddrPort(packed(name, kind), d.host.at(53)); err != nil {
		return nil, err
	}
	_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	raw := make([]byte, 1500)
	n, err := conn.Read(raw)
	if err != nil {
		return nil, err
	}
	answer := new(dns.Msg)
	return answer, answer.Unpack(raw[:n])
}

func packed(name string, kind uint16) []byte {
	question := new(dns.Msg)
	question.SetQuestion(name, kind)
	raw, err := question.Pack()
	if err != nil {
		panic(err) // a name in a test's own words
	}
	return raw
}

func TestDnsmasqAlone(t *testing.T) {
	s := newStreet(t)
	up := s.host("up", 9)
	d := startDNS(s.host("dns", 8), addressRecord("up", up), srvRecord("_sip._udp", "up", 5070, 10, 5))
	answer, err := d.ask("_sip._udp.house.example.", dns.TypeSRV)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Answer) != 1 || answer.Answer[0].(*dns.SRV).Port != 5070 {
		t.Errorf("SRV: %v", answer.Answer)
	}
	answer, err = d.ask("up.house.example.", dns.TypeA)
	if err != nil {
		t.Fatal(err)
	}
	if len(answer.Answer) != 1 || !answer.Answer[0].(*dns.A).A.Equal(net.IP(up.addr.AsSlice())) {
		t.Errorf("A: %v", answer.Answer)
	}
}
