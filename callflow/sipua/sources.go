package sipua

import (
	"maps"
	"net/netip"
	"sync/atomic"
	"time"
)

// Rates of datagrams that may reach the parser, in messages a second. A known
// peer has a bucket of its own; all other ports of admitted hosts share one.
const (
	peerRate, peerBurst     = 1000, 400
	sharedRate, sharedBurst = 200, 100
)

// sources says from where messages are taken: the server, the allowed hosts,
// the peers of calls. The loop changes it, the reader asks it.
type sources struct {
	current atomic.Pointer[peers]

	held map[netip.AddrPort]int // of the loop: how many reasons there are

	seen    *peers // of the reader, as all below
	buckets map[netip.AddrPort]*bucket
	shared  bucket
}

type peers struct {
	exact map[netip.AddrPort]bool
	hosts map[netip.Addr]bool
}

func newSources() *sources {
	s := &sources{held: map[netip.AddrPort]int{}, buckets: map[netip.AddrPort]*bucket{}}
	s.shared = bucket{rate: sharedRate, burst: sharedBurst, level: sharedBurst}
	s.publish()
	return s
}

// hold admits a peer; port 0 admits a host. Every hold needs its release.
func (s *sources) hold(a netip.AddrPort) {
	s.held[a]++
	if s.held[a] == 1 {
		s.publish()
	}
}

func (s *sources) release(a netip.AddrPort) {
	s.held[a]--
	if s.held[a] <= 0 {
		delete(s.held, a)
		s.publish()
	}
}

func (s *sources) publish() {
	p := &peers{exact: map[netip.AddrPort]bool{}, hosts: map[netip.Addr]bool{}}
	for a := range s.held {
		p.exact[a] = a.Port() != 0
		p.hosts[a.Addr()] = true
	}
	s.current.Store(p)
}

// knows reports whether connections of a host are taken. Anybody may call it.
func (s *sources) knows(host netip.Addr) bool { return s.current.Load().hosts[host] }

// admit decides about one datagram. Only the reader calls it.
func (s *sources) admit(from netip.AddrPort, now time.Time) bool {
	p := s.current.Load()
	if !p.hosts[from.Addr()] {
		return false
	}
	if p != s.seen {
		s.seen = p
		maps.DeleteFunc(s.buckets, func(a netip.AddrPort, _ *bucket) bool { return !p.exact[a] })
	}
	if !p.exact[from] {
		return s.shared.take(now)
	}
	b := s.buckets[from]
	if b == nil {
		b = &bucket{rate: peerRate, burst: peerBurst, level: peerBurst}
		s.buckets[from] = b
	}
	return b.take(now)
}

// A bucket lets rate events a second pass, and burst at once.
type bucket struct {
	rate, burst, level float64
	last               time.Time
}

func (b *bucket) take(now time.Time) bool {
	b.level = min(b.burst, b.level+now.Sub(b.last).Seconds()*b.rate)
	b.last = now
	if b.level < 1 {
		return false
	}
	b.level--
	return true
}
