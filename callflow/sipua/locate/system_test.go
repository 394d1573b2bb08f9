package locate

import (
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

const testRecords = `
house.example. 300 IN NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.house.example.
_sip._tcp.house.example. 20 IN SRV 1 5 5070 sbc.house.example.
sbc.house.example. 600 IN CNAME host.house.example.
host.house.example. 40 IN A 192.0.2.1
host.house.example. 40 IN AAAA 2001:db8::1
`

// A nameServer serves records on UDP and TCP, as real ones do.
type nameServer struct {
	records map[string][]dns.RR
	broken  bool
	large   bool // nothing fits into a datagram
}

func (n *nameServer) ServeDNS(w dns.ResponseWriter, q *dns.Msg) {
	m := new(dns.Msg).SetReply(q)
	name, _, udp := q.Question[0].Name, 0, w.LocalAddr().Network() == "udp"
	switch {
	case n.broken:
		m.Rcode = dns.RcodeServerFailure
	case n.large && udp:
		m.Truncated = true
	default:
		m.Answer = n.find(name, q.Question[0].Qtype)
		if len(n.records[name]) == 0 {
			m.Rcode = dns.RcodeNameError
		}
	}
	_ = w.WriteMsg(m)
}

func (n *nameServer) find(name string, kind uint16) []dns.RR {
	var found []dns.RR
	for _, rr := range n.records[name] {
		if alias, ok := rr.(*dns.CNAME); ok {
			found = append(append(found, rr), n.find(alias.Target, kind)...)
		} else if rr.Header().Rrtype == kind {
			found = append(found, rr)
		}
	}
	return found
}

// serveNames starts n and gives a System that asks it.
func serveNames(t *testing.T, n *nameServer) *System {
	t.Helper()
	n.records = map[string][]dns.RR{}
	for zp := dns.NewZoneParser(strings.NewReader(testRecords), "", ""); ; {
		rr, ok := zp.Next()
		if !ok {
			if err := zp.Err(); err != nil {
				t.Fatal(err)
			}
			break
		}
		n.records[rr.Header().Name] = append(n.records[rr.Header().Name], rr)
	}
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*dns.Server{{PacketConn: pc, Handler: n}, {Listener: l, Handler: n}} {
		go s.ActivateAndServe()
		t.Cleanup(func() { s.Shutdown() })
	}
	return system(t, pc.LocalAddr().(*net.UDPAddr).Port)
}

// system asks the name server at a port of loopback.
func system(t *testing.T, port int) *System {
	t.Helper()
	path := filepath.Join(t.TempDir(), "resolv.conf")
	if err := os.WriteFile(path, []byte("nameserver 127.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := NewSystem(path)
	s.port = port
	return s
}

func TestSystem(t *testing.T) {
	for name, n := range map[string]*nameServer{"UDP": {}, "TCP after a truncated answer": {large: true}} {
		t.Run(name, func(t *testing.T) {
			s := serveNames(t, n)
			found, ttl, err := Servers(t.Context(), s, Wanted{Host: "house.example", Transport: Auto})
			want := Server{Transport: "tcp", Addr: netip.MustParseAddrPort("192.0.2.1:5070"), Name: "house.example"}
			if err != nil || len(found) != 1 || found[0] != want || ttl != 20*time.Second {
				t.Errorf("found %v for %v, %v", found, ttl, err)
			}
			if _, _, err := Servers(t.Context(), s, Wanted{Host: "nowhere.example", Transport: "udp"}); err == nil {
				t.Error("a name that nobody has is found")
			}
		})
	}
}

func TestSystemFailures(t *testing.T) {
	s := serveNames(t, &nameServer{broken: true})
	if _, _, err := s.Addrs(t.Context(), "house.example"); err == nil || !strings.Contains(err.Error(), "SERVFAIL") {
		t.Errorf("told %v", err)
	}
	missing := NewSystem(filepath.Join(t.TempDir(), "none"))
	if _, _, err := missing.SRV(t.Context(), "house.example"); err == nil {
		t.Error("no resolv.conf, and no error")
	}
}

func TestHostsFile(t *testing.T) {
	s := system(t, 9)
	if !s.Local(t.Context(), "localhost") {
		t.Error("localhost is not known")
	}
	found, _, err := s.Addrs(t.Context(), "localhost")
	if err != nil || len(found) == 0 || !found[0].IsLoopback() {
		t.Errorf("localhost is %v, %v", found, err)
	}
}
