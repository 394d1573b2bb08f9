package web

import (
	"net/netip"
	"sync"
	"time"
)

// The login's limits.
const (
	freeTries   = 5 // of one address, before it must wait
	firstWait   = 10 * time.Second
	longestWait = 15 * time.Minute
	forgetAfter = time.Hour
	maxSources  = 256
	triesOfAll  = 60 // of all addresses together, in a minute
	allWindow   = time.Minute
)

// limiter slows down who guesses passwords: each address by itself, and all
// together, for guesses that come from many.
type limiter struct {
	mu      sync.Mutex
	sources map[string]*tries
	window  time.Time // when the count of all began
	all     int
}

type tries struct {
	failed int
	last   time.Time
	until  time.Time
}

func newLimiter() *limiter { return &limiter{sources: make(map[string]*tries)} }

// try counts a login before its password is looked at, so that many at a time
// gain nothing. It gives how long this address must wait instead; 0: go on.
func (l *limiter) try(from string, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if now.Sub(l.window) >= allWindow {
		l.window, l.all = now, 0
	}
	if l.all >= triesOfAll {
		return allWindow - now.Sub(l.window)
	}
	one := l.of(from, now)
	if wait := one.until.Sub(now); wait > 0 {
		return wait
	}
	l.all++
	one.failed++
	one.last = now
	if over := one.failed - freeTries; over >= 0 {
		wait := longestWait
		if over < 10 {
			wait = min(firstWait<<over, longestWait)
		}
		one.until = now.Add(wait)
	}
	return 0
}

// succeeded takes the failures of an address back, and this one of all: a
// program that asks often leaves people their tries.
func (l *limiter) succeeded(from string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = max(l.all-1, 0)
	delete(l.sources, from)
}

// of gives the count of an address. Where there is no room, addresses share
// the count of all others, which is never forgotten for want of room.
func (l *limiter) of(from string, now time.Time) *tries {
	if one := l.sources[from]; one != nil && now.Sub(one.last) < forgetAfter {
		return one
	}
	if len(l.sources) >= maxSources {
		for name, one := range l.sources {
			if now.Sub(one.last) >= forgetAfter {
				delete(l.sources, name)
			}
		}
	}
	if len(l.sources) >= maxSources {
		from = ""
	}
	one := l.sources[from]
	if one == nil || now.Sub(one.last) >= forgetAfter {
		one = &tries{last: now}
		l.sources[from] = one
	}
	return one
}

// network gives the name under which an address is counted: of IPv6 the
// network of 64 bits, all of whose addresses one host may have (RFC 4291
// section 2.5.4).
func network(from string) string {
	addr, err := netip.ParseAddr(from)
	if err != nil {
		return from
	}
	addr = addr.Unmap().WithZone("")
	if addr.Is4() {
		return addr.String()
	}
	prefix, err := addr.Prefix(64)
	if err != nil {
		return addr.String()
	}
	return prefix.String()
}
