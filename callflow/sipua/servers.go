package sipua

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow/sipua/locate"
)

// Times of the choice among servers.
const (
	// patience is how long a server may be silent before the next one is tried:
	// a visitor waits.
	patience = 2 * time.Second
	// shunFor is how long a server that failed is left alone while another works.
	shunFor = time.Minute
	// returnAfter is when a preferred server that failed is looked at again.
	returnAfter = 2 * time.Minute
	// shortestBelief is how long an answer of the DNS is kept at least.
	shortestBelief = 10 * time.Second
)

// errNoServer is why an account without one sends nothing to it.
var errNoServer = errors.New("sip: no registrar and no proxy is configured")

// A place is one server of the account.
type place struct {
	hop  hop
	shun time.Time // not before, unless there is no other
	told bool      // it said so itself, by Retry-After
}

// A pool is the servers of the account, the preferred one first (RFC 3263). The
// loop alone uses it.
type pool struct {
	names   []string // as configured: host or host:port
	places  []place
	until   time.Time     // then the DNS is asked again
	waiting []func(error) // for its answer
	asking  bool
	back    *time.Timer // looks whether a preferred server has come back
}

// serverNames are the configured servers: the outbound proxy or else the
// registrar, then the further ones.
func (a Account) serverNames() []string {
	first := a.Proxy
	if first == "" {
		first = a.Registrar
	}
	var names []string
	for _, name := range append([]string{first}, a.Servers...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// atServer gives the server in use to f, now if it is known.
func (u *UA) atServer(f func(hop, error)) {
	if u.server != nil {
		f(*u.server, nil)
		return
	}
	if len(u.pool.places) > 0 {
		u.chooseServer() // those known from before, without a wait for the DNS
		f(*u.server, nil)
		return
	}
	u.findServers(func(err error) {
		if u.server == nil && len(u.pool.places) > 0 {
			u.chooseServer()
		}
		if u.server == nil {
			f(hop{}, err)
			return
		}
		f(*u.server, nil)
	})
}

// findServers looks up the account's servers, at once when all are addresses,
// and calls f when that is done. What was found before stays when the DNS fails.
func (u *UA) findServers(f func(error)) {
	p := &u.pool
	if len(p.names) == 0 {
		f(errNoServer)
		return
	}
	if time.Now().Before(p.until) {
		f(nil)
		return
	}
	p.waiting = append(p.waiting, f)
	if p.asking {
		return
	}
	p.asking = true
	wanted := make([]locate.Wanted, len(p.names))
	for i, name := range p.names {
		host, port := splitHostPort(name)
		wanted[i] = u.wanted(host, port, u.cfg.Account.Transport)
	}
	u.findAll(wanted, u.serversFound)
}

func (u *UA) wanted(host string, port uint16, transport string) locate.Wanted {
	return locate.Wanted{Host: bareHost(host), Port: port, Transport: transport, IPv6: u.local.Addr().Is6()}
}

func isAddress(host string) bool {
	_, err := netip.ParseAddr(bareHost(host))
	return err == nil
}

// findings are what the DNS said of all names together.
type findings struct {
	hops []hop
	ttl  time.Duration
	err  error
}

// lookUp asks for all names at the same time, and keeps their order.
func lookUp(life context.Context, dns locate.Records, names []locate.Wanted) findings {
	ctx, cancel := context.WithTimeout(life, locateWithin)
	defer cancel()
	all := make([]findings, len(names))
	var asking sync.WaitGroup
	for i, w := range names {
		asking.Go(func() {
			servers, ttl, err := locate.Servers(ctx, dns, w)
			all[i] = findings{ttl: ttl, err: err}
			for _, s := range servers {
				all[i].hops = append(all[i].hops, hop{network: s.Transport, addr: s.Addr, name: s.Name,
					route: sip.Uri{Scheme: "sip", Host: w.Host, Port: int(w.Port)}})
			}
		})
	}
	asking.Wait()
	sum := findings{ttl: longestGrant}
	for _, f := range all {
		sum.ttl = min(sum.ttl, f.ttl)
		sum.err = errors.Join(sum.err, f.err)
		for _, h := range f.hops {
			if !slices.ContainsFunc(sum.hops, func(o hop) bool { return o.flow() == h.flow() }) {
				sum.hops = append(sum.hops, h)
			}
		}
	}
	return sum
}

func (u *UA) serversFound(f findings) {
	p := &u.pool
	p.asking = false
	p.until = time.Now().Add(max(f.ttl, shortestBelief))
	if len(f.hops) > 0 {
		u.replaceServers(f.hops)
	}
	var err error
	switch {
	case f.err != nil && len(p.places) == 0:
		err = fmt.Errorf("sip: server %w", f.err)
	case f.err != nil:
		u.log.Warn("sip server not found, those known before are used", "err", f.err)
	}
	waiting := p.waiting
	p.waiting = nil
	for _, f := range waiting {
		f(err)
	}
}

// replaceServers takes the servers that were found. One that is known already
// keeps its marks; the one in use is left when it is no server any more.
func (u *UA) replaceServers(hops []hop) {
	former := u.pool.places
	u.pool.places = nil
	for _, h := range hops {
		pl := place{hop: h}
		if i := placeOf(former, h); i >= 0 {
			pl = former[i]
		}
		u.pool.places = append(u.pool.places, pl)
		u.sources.hold(h.addr)
	}
	for _, pl := range former {
		u.sources.release(pl.hop.addr)
	}
	if u.server != nil && placeOf(u.pool.places, *u.server) < 0 {
		u.log.Info("sip server left: it is none of this account's any more", "server", u.server.addr)
		u.server = nil
	}
}

func placeOf(places []place, h hop) int {
	return slices.IndexFunc(places, func(p place) bool { return p.hop.flow() == h.flow() })
}

// chooseServer takes the first server that is not shunned, else the one whose
// time comes first. It reports whether it is not shunned.
func (u *UA) chooseServer() bool {
	now := time.Now()
	best := 0
	for i, pl := range u.pool.places {
		if !pl.shun.After(now) {
			u.useServer(pl.hop)
			return true
		}
		if pl.shun.Before(u.pool.places[best].shun) {
			best = i
		}
	}
	u.useServer(u.pool.places[best].hop)
	return false
}

func (u *UA) useServer(h hop) {
	if u.server != nil && u.server.flow() == h.flow() {
		return
	}
	u.server = &h
	u.seen = netip.AddrPort{} // each server sees us in its own way
}

// leaveServer turns from a server that failed to another one. It reports false
// when there is none left to try. retry is what the server itself asked for.
func (u *UA) leaveServer(h hop, retry time.Duration) bool {
	p := &u.pool
	i := placeOf(p.places, h)
	if i < 0 {
		return u.server != nil && u.server.flow() != h.flow()
	}
	p.places[i].shun, p.places[i].told = time.Now().Add(max(retry, shunFor)), retry > 0
	if u.server != nil && u.server.flow() != h.flow() {
		return true // somebody has turned away already
	}
	return u.chooseServer()
}

// hasOtherServer reports whether there is one to turn to, should h fail.
func (u *UA) hasOtherServer(h hop) bool {
	now := time.Now()
	return slices.ContainsFunc(u.pool.places, func(p place) bool { return p.hop.flow() != h.flow() && !p.shun.After(now) })
}

// forgiveServers makes the next try begin at the preferred server again, but for
// those that asked to be left alone, and look the names up again.
func (u *UA) forgiveServers() {
	p := &u.pool
	for i := range p.places {
		if !p.places[i].told {
			p.places[i].shun = time.Time{}
		}
	}
	u.server = nil
	if slices.ContainsFunc(p.names, func(name string) bool { return !isAddress(hostOf(name)) }) {
		p.until = time.Time{}
	}
}

// watchPreferred looks, while a server of less preference is in use, whether a
// better one has come back.
func (u *UA) watchPreferred() {
	if u.pool.back != nil {
		u.pool.back.Stop()
		u.pool.back = nil
	}
	if u.server != nil && placeOf(u.pool.places, *u.server) > 0 {
		u.pool.back = u.after(jitter(returnAfter, 0.5, 1), u.tryPreferred)
	}
}

// tryPreferred asks the preferred server for a sign of life, and registers there
// when it gives one. A call that is on goes on where it is.
func (u *UA) tryPreferred() {
	if u.stop || u.server == nil || !u.reg.granted || len(u.pool.places) == 0 {
		return
	}
	first := &u.pool.places[0]
	if first.hop.flow() == u.server.flow() || first.told && first.shun.After(time.Now()) {
		u.watchPreferred()
		return
	}
	h := first.hop
	u.probe(h, func(alive bool) {
		if i := placeOf(u.pool.places, h); !alive || i != 0 || u.stop {
			u.watchPreferred()
			return
		}
		u.pool.places[0].shun = time.Time{}
		u.useServer(h)
		u.register()
	})
}

// isServer reports whether a host name stands for one of our servers.
func (u *UA) isServer(host string) bool {
	a := u.cfg.Account
	if a.Domain != "" && strings.EqualFold(a.Domain, host) {
		return true
	}
	return slices.ContainsFunc(append(u.pool.names, a.Registrar), func(name string) bool {
		return name != "" && strings.EqualFold(hostOf(name), host)
	})
}

// isAtServer reports whether a request on this hop goes to one of our servers.
func (u *UA) isAtServer(h hop) bool {
	return placeOf(u.pool.places, h.unswitched()) >= 0
}

// fromServer reports whether a message came from one of our servers.
func (u *UA) fromServer(from netip.AddrPort) bool {
	return slices.ContainsFunc(u.pool.places, func(p place) bool { return p.hop.addr.Addr() == from.Addr() })
}

// knowsUs reports whether our password is for whoever is at h: one of our
// servers, or one whose certificate bears our server's name.
func (u *UA) knowsUs(h hop) bool {
	return u.isAtServer(h) || h.network == "tls" && u.isServer(h.name)
}

// trusted reports whether a challenge came from the server of ours that the
// request went to.
func (u *UA) trusted(res *sip.Response, h hop) bool {
	return u.knowsUs(h) && source(res).Addr() == h.addr.Addr()
}
