package locate

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// queryWithin bounds one question to one name server, whatever the machine's
// own settings say: a visitor may be waiting.
const queryWithin = 2 * time.Second

// largestAnswer is what we take over UDP, below the smallest MTU on the way.
const largestAnswer = 1232

// System is the DNS as this machine is set up for it: its hosts file, and the
// name servers of resolv.conf, which is read again for every question.
type System struct {
	path  string
	port  int // of the name servers; 0: what is usual
	hosts *net.Resolver
}

// ResolvConf is where a machine names its name servers.
const ResolvConf = "/etc/resolv.conf"

// NewSystem gives the DNS of this machine, whose name servers path names.
func NewSystem(path string) *System {
	return &System{path: path, hosts: &net.Resolver{PreferGo: true,
		Dial: func(context.Context, string, string) (net.Conn, error) { return nil, net.ErrClosed }}}
}

// Local reports whether the hosts file has the name.
func (s *System) Local(ctx context.Context, name string) bool {
	found, err := s.hosts.LookupNetIP(ctx, "ip", name)
	return err == nil && len(found) > 0
}

// Addrs gives the addresses of a name, of both families.
func (s *System) Addrs(ctx context.Context, name string) ([]netip.Addr, time.Duration, error) {
	if found, err := s.hosts.LookupNetIP(ctx, "ip", name); err == nil && len(found) > 0 {
		return found, defaultTTL, nil
	}
	v4, ttl4, err4 := s.query(ctx, name, dns.TypeA)
	v6, ttl6, err6 := s.query(ctx, name, dns.TypeAAAA)
	var found []netip.Addr
	for _, rr := range append(v4, v6...) {
		var ip net.IP
		switch rr := rr.(type) {
		case *dns.A:
			ip = rr.A
		case *dns.AAAA:
			ip = rr.AAAA
		}
		if a, ok := netip.AddrFromSlice(ip); ok {
			found = append(found, a.Unmap())
		}
	}
	if len(found) > 0 {
		return found, min(ttl4, ttl6), nil
	}
	return nil, 0, errors.Join(err4, err6)
}

// SRV gives the service records of a name.
func (s *System) SRV(ctx context.Context, name string) ([]SRV, time.Duration, error) {
	rrs, ttl, err := s.query(ctx, name, dns.TypeSRV)
	var found []SRV
	for _, rr := range rrs {
		if r, ok := rr.(*dns.SRV); ok {
			found = append(found, SRV{Priority: r.Priority, Weight: r.Weight, Port: r.Port, Target: r.Target})
		}
	}
	return found, ttl, err
}

// NAPTR gives the naming authority pointers of a name.
func (s *System) NAPTR(ctx context.Context, name string) ([]NAPTR, time.Duration, error) {
	rrs, ttl, err := s.query(ctx, name, dns.TypeNAPTR)
	var found []NAPTR
	for _, rr := range rrs {
		if r, ok := rr.(*dns.NAPTR); ok {
			found = append(found, NAPTR{Order: r.Order, Preference: r.Preference, Flags: r.Flags,
				Service: r.Service, Replacement: strings.TrimSuffix(r.Replacement, ".")})
		}
	}
	return found, ttl, err
}

// query asks the name servers one after the other, twice round, for the records
// of one type. A name that they do not know has none.
func (s *System) query(ctx context.Context, name string, kind uint16) ([]dns.RR, time.Duration, error) {
	conf, err := dns.ClientConfigFromFile(s.path)
	if err != nil {
		return nil, longestTTL, fmt.Errorf("no name servers: %w", err)
	}
	if s.port != 0 {
		conf.Port = strconv.Itoa(s.port)
	}
	err = fmt.Errorf("%s names no name server", s.path)
	for range 2 {
		for _, server := range conf.Servers {
			var answer *dns.Msg
			if answer, err = ask(ctx, net.JoinHostPort(server, conf.Port), name, kind); err == nil {
				rrs, ttl := ofKind(answer, kind)
				return rrs, ttl, nil
			}
		}
	}
	return nil, longestTTL, err
}

// ask puts one question, over TCP again when the answer does not fit.
func ask(ctx context.Context, server, name string, kind uint16) (*dns.Msg, error) {
	q := new(dns.Msg).SetQuestion(dns.Fqdn(name), kind)
	q.SetEdns0(largestAnswer, false)
	var answer *dns.Msg
	for _, network := range []string{"udp", "tcp"} {
		c := dns.Client{Net: network, Timeout: queryWithin}
		var err error
		if answer, _, err = c.ExchangeContext(ctx, q, server); err != nil {
			return nil, err
		}
		if !answer.Truncated {
			break
		}
	}
	switch {
	case len(answer.Question) != 1 || answer.Question[0].Qtype != kind || !strings.EqualFold(answer.Question[0].Name, dns.Fqdn(name)):
		return nil, fmt.Errorf("name server %s answers another question", server)
	case answer.Rcode != dns.RcodeSuccess && answer.Rcode != dns.RcodeNameError:
		return nil, fmt.Errorf("name server %s answers %s", server, dns.RcodeToString[answer.Rcode])
	}
	return answer, nil
}

// ofKind gives the records of one type, and the shortest time of all in the
// answer: an alias on the way may be the first to change.
func ofKind(answer *dns.Msg, kind uint16) ([]dns.RR, time.Duration) {
	var found []dns.RR
	ttl := longestTTL
	for _, rr := range answer.Answer {
		ttl = min(ttl, time.Duration(rr.Header().Ttl)*time.Second)
		if rr.Header().Rrtype == kind {
			found = append(found, rr)
		}
	}
	return found, ttl
}
