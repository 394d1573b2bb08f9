package sipua

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// The name of an allowed host is looked up again when the DNS's word for it has
// run out: not before shortestBelief, and after allowAgain at the latest. One
// that was not found is after allowRetry.
const (
	allowAgain = time.Hour
	allowRetry = time.Minute
)

// An allowed is a caller who is let in, and where his requests may come from.
type allowed struct {
	name       string // as Config.Allow has it: the same however he writes himself in From
	user, host string
	addr       netip.Addr // of host, once it is known
	Grant
}

// parseAllow reads Config.Allow: SIP URIs, or tel URIs at our own domain.
func parseAllow(uris []string, domain string, grants map[string]Grant) ([]allowed, error) {
	var all []allowed
	for _, s := range uris {
		var uri sip.Uri
		if number, ok := cutPrefixFold(s, "tel:"); ok && domain != "" {
			uri = sip.Uri{Scheme: "sip", User: number, Host: domain}
		} else if err := sip.ParseUri(s, &uri); err != nil || hasControl(s) ||
			(uri.Scheme != "sip" && uri.Scheme != "sips") || uri.Host == "" || uri.User == "" {
			return nil, &ConfigError{"allowed caller", s, "is no SIP URI of user and host"}
		}
		all = append(all, allowed{name: s, user: uri.User, host: strings.ToLower(bareHost(uri.Host)), Grant: grants[s]})
	}
	return all, nil
}

// admitAllowed opens the gate for the hosts of allowed callers.
func (u *UA) admitAllowed() {
	for i := range u.allow {
		u.admitHost(&u.allow[i])
	}
}

func (u *UA) admitHost(a *allowed) {
	_, err := netip.ParseAddr(a.host)
	named := err != nil
	if u.stop || named && u.isServer(a.host) {
		return // callers of our own domain come by our server
	}
	u.find(u.wanted(a.host, uint16(sip.DefaultUdpPort), "udp"), func(found findings) {
		again := min(max(found.ttl, shortestBelief), allowAgain)
		if len(found.hops) == 0 {
			u.log.Warn("sip allowed caller not found", "host", a.host, "err", found.err)
			again = allowRetry
		} else {
			u.moveAllowed(a, found.hops[0].addr.Addr())
		}
		if named {
			u.after(again, func() { u.admitHost(a) })
		}
	})
}

func (u *UA) moveAllowed(a *allowed, addr netip.Addr) {
	if a.addr == addr {
		return
	}
	u.sources.hold(netip.AddrPortFrom(addr, 0))
	if a.addr.IsValid() {
		u.sources.release(netip.AddrPortFrom(a.addr, 0))
	}
	a.addr = addr
}

// caller gives the allowed caller of an INVITE, or nil: user and host of From,
// and come by our server or from the caller's own host.
func (u *UA) caller(t *serverTx) *allowed {
	from := t.req.From().Address
	for i := range u.allow {
		a := &u.allow[i]
		if a.user == from.User && strings.EqualFold(a.host, bareHost(from.Host)) &&
			(u.fromServer(t.from) || a.addr == t.from.Addr()) {
			return a
		}
	}
	return nil
}

// admits reports whether requests outside of calls are heard at all: from our
// server and from allowed hosts.
func (u *UA) admits(from netip.AddrPort) bool {
	if u.fromServer(from) {
		return true
	}
	for _, a := range u.allow {
		if a.addr == from.Addr() {
			return true
		}
	}
	return false
}
