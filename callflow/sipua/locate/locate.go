// Package locate finds the servers of a SIP domain (RFC 3263): NAPTR, SRV and
// addresses, in the order in which they are to be tried.
package locate

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Auto leaves the transport to the domain: its NAPTR records, or its SRV
// records, choose among UDP, TCP and TLS.
const Auto = "auto"

// Bounds of what an answer of the DNS costs us.
const (
	maxServers = 16 // of one domain
	maxRecords = 16 // of one look-up that are followed
	defaultTTL = time.Minute
	longestTTL = 24 * time.Hour
)

// Default ports (RFC 3261 section 19.1.2).
const (
	plainPort  = 5060
	securePort = 5061
)

// A Wanted says what is looked for.
type Wanted struct {
	Host      string // name or address, without brackets
	Port      uint16 // 0: the one of SRV, or the default one
	Transport string // "udp", "tcp", "tls", or Auto
	Secure    bool   // nothing but TLS will do, as for a sips URI
	IPv6      bool   // the family of our own address; the other one is no use
}

// A Server is one place to send a request to.
type Server struct {
	Transport string // "udp", "tcp" or "tls"
	Addr      netip.AddrPort
	Name      string // the domain that was asked for: what a certificate has to name (RFC 5922 section 4)
}

// Records are the DNS as this package needs it. A name without such records is
// no error: it gives none. The duration is how long the answer may be kept.
type Records interface {
	NAPTR(ctx context.Context, name string) ([]NAPTR, time.Duration, error)
	SRV(ctx context.Context, name string) ([]SRV, time.Duration, error)
	Addrs(ctx context.Context, name string) ([]netip.Addr, time.Duration, error)
	// Local reports whether this machine itself knows the name, in its hosts
	// file say. Such a name has addresses and nothing else.
	Local(ctx context.Context, name string) bool
}

// A NAPTR is a naming authority pointer (RFC 3403) with an SRV name for its
// replacement.
type NAPTR struct {
	Order, Preference           uint16
	Flags, Service, Replacement string
}

// An SRV is a service record (RFC 2782).
type SRV struct {
	Priority, Weight, Port uint16
	Target                 string
}

// Servers gives the servers of w in the order to try them in, at most 16, and
// how long that may be believed. It fails when there is none.
func Servers(ctx context.Context, dns Records, w Wanted) ([]Server, time.Duration, error) {
	s := search{ctx: ctx, dns: dns, w: w, ttl: longestTTL}
	s.run()
	if len(s.found) == 0 {
		if s.err == nil {
			s.err = fmt.Errorf("the DNS has no %s address for it", map[bool]string{true: "IPv6", false: "IPv4"}[w.IPv6])
		}
		return nil, defaultTTL, fmt.Errorf("%q is not found: %w", w.Host, s.err)
	}
	if s.err != nil {
		s.ttl = min(s.ttl, defaultTTL) // a part of the answer is missing
	}
	return s.found[:min(len(s.found), maxServers)], s.ttl, nil
}

// A search is one run of RFC 3263 section 4.
type search struct {
	ctx   context.Context
	dns   Records
	w     Wanted
	found []Server
	ttl   time.Duration
	err   error // the first
}

func (s *search) run() {
	if a, err := netip.ParseAddr(s.w.Host); err == nil {
		s.add(s.plainest(), a, s.w.Port)
		return
	}
	if s.w.Port != 0 || s.dns.Local(s.ctx, s.w.Host) {
		s.addresses(s.plainest(), s.w.Host, s.w.Port)
		return
	}
	if s.w.Transport == Auto {
		s.pointers()
	}
	if len(s.found) == 0 {
		for _, t := range s.transports() {
			s.services(t, serviceName(t, s.w.Host))
		}
	}
	if len(s.found) == 0 {
		s.addresses(s.plainest(), s.w.Host, 0)
	}
}

// plainest is the transport where the DNS does not choose (section 4.1).
func (s *search) plainest() string {
	switch {
	case s.w.Secure:
		return "tls"
	case s.w.Transport == Auto || s.w.Transport == "":
		return "udp"
	}
	return s.w.Transport
}

// transports are those that may be used, the preferred first.
func (s *search) transports() []string {
	switch {
	case s.w.Secure:
		return []string{"tls"}
	case s.w.Transport == Auto || s.w.Transport == "":
		return []string{"udp", "tcp", "tls"}
	}
	return []string{s.w.Transport}
}

func serviceName(transport, host string) string {
	switch transport {
	case "tls":
		return "_sips._tcp." + host
	case "tcp":
		return "_sip._tcp." + host
	}
	return "_sip._udp." + host
}

// services of NAPTR records (section 4.1).
var services = map[string]string{"SIP+D2U": "udp", "SIP+D2T": "tcp", "SIPS+D2T": "tls"}

// pointers follows the NAPTR records, in their order.
func (s *search) pointers() {
	all, ttl, err := s.dns.NAPTR(s.ctx, s.w.Host)
	s.note(len(all), ttl, err)
	all = slices.DeleteFunc(all, func(p NAPTR) bool {
		t := services[strings.ToUpper(p.Service)]
		return t == "" || !strings.EqualFold(p.Flags, "s") || p.Replacement == "" || !slices.Contains(s.transports(), t)
	})
	slices.SortStableFunc(all, func(a, b NAPTR) int {
		return (int(a.Order)-int(b.Order))<<16 + int(a.Preference) - int(b.Preference)
	})
	for _, p := range all[:min(len(all), maxRecords)] {
		s.services(services[strings.ToUpper(p.Service)], p.Replacement)
	}
}

// services follows the SRV records of one name.
func (s *search) services(transport, name string) {
	all, ttl, err := s.dns.SRV(s.ctx, name)
	s.note(len(all), ttl, err)
	all = order(all, rand.IntN)
	for _, r := range all[:min(len(all), maxRecords)] {
		if target := strings.TrimSuffix(r.Target, "."); target != "" { // "." says: no such service
			s.addresses(transport, target, r.Port)
		}
	}
}

func (s *search) addresses(transport, name string, port uint16) {
	all, ttl, err := s.dns.Addrs(s.ctx, name)
	s.note(len(all), ttl, err)
	for _, a := range all {
		s.add(transport, a, port)
	}
}

// note keeps what an answer says of its time, and the first failure.
func (s *search) note(records int, ttl time.Duration, err error) {
	if err != nil && s.err == nil {
		s.err = err
	}
	if records > 0 {
		s.ttl = min(s.ttl, ttl)
	}
}

func (s *search) add(transport string, a netip.Addr, port uint16) {
	a = a.Unmap().WithZone("")
	if a.Is6() != s.w.IPv6 {
		return
	}
	if port == 0 {
		port = plainPort
		if transport == "tls" {
			port = securePort
		}
	}
	server := Server{Transport: transport, Addr: netip.AddrPortFrom(a, port), Name: s.w.Host}
	if !slices.Contains(s.found, server) {
		s.found = append(s.found, server)
	}
}

// order sorts by priority and, within one, by chance in proportion to the
// weights (RFC 2782). pick gives a number from 0 to n-1.
func order(all []SRV, pick func(n int) int) []SRV {
	slices.SortStableFunc(all, func(a, b SRV) int {
		if a.Priority != b.Priority {
			return int(a.Priority) - int(b.Priority)
		}
		return min(int(a.Weight), 1) - min(int(b.Weight), 1) // those of weight 0 first
	})
	for first := range all {
		total, same := 0, first
		for ; same < len(all) && all[same].Priority == all[first].Priority; same++ {
			total += int(all[same].Weight)
		}
		for point, i := pick(total+1), first; i < same; i++ {
			if point -= int(all[i].Weight); point <= 0 {
				chosen := all[i]
				copy(all[first+1:i+1], all[first:i])
				all[first] = chosen
				break
			}
		}
	}
	return all
}
