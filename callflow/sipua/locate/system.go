package locate

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strconv"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// System is the DNS as this machine is set up for it: its hosts file, and the
// name servers of resolv.conf, which is read again for every question.
type System struct {
	path  string
	port  int // of the name servers
	hosts *net.Resolver
}

// ResolvConf is where a machine names its name servers.
const ResolvConf = "/etc/resolv.conf"

// dnsPort is where name servers listen (RFC 1035 section 4.2).
const dnsPort = 53

// NewSystem gives the DNS of this machine, whose name servers path names.
func NewSystem(path string) *System {
	return &System{path: path, port: dnsPort, hosts: &net.Resolver{PreferGo: true,
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
	v4, err4 := s.query(ctx, name, dnsmessage.TypeA)
	v6, err6 := s.query(ctx, name, dnsmessage.TypeAAAA)
	if found := append(v4.addrs, v6.addrs...); len(found) > 0 {
		return found, min(v4.ttl, v6.ttl), nil
	}
	return nil, 0, errors.Join(err4, err6)
}

// SRV gives the service records of a name.
func (s *System) SRV(ctx context.Context, name string) ([]SRV, time.Duration, error) {
	r, err := s.query(ctx, name, dnsmessage.TypeSRV)
	return r.srv, r.ttl, err
}

// NAPTR gives the naming authority pointers of a name.
func (s *System) NAPTR(ctx context.Context, name string) ([]NAPTR, time.Duration, error) {
	r, err := s.query(ctx, name, typeNAPTR)
	return r.naptr, r.ttl, err
}

// query asks the name servers one after the other, twice round, for the records
// of one type. A name that they do not know has none.
func (s *System) query(ctx context.Context, name string, kind dnsmessage.Type) (reply, error) {
	none := reply{ttl: longestTTL}
	asked, err := newQuestion(name, kind)
	if err != nil {
		return none, err
	}
	servers, err := nameServers(s.path)
	if err != nil {
		return none, err
	}
	for range 2 {
		for _, server := range servers {
			var r reply
			if r, err = ask(ctx, net.JoinHostPort(server, strconv.Itoa(s.port)), asked); err == nil {
				return r, nil
			}
		}
	}
	return none, err
}
