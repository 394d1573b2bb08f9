package sipua

import (
	"net/netip"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// allowAgain is how often the names of allowed hosts are looked up.
const allowAgain = time.Hour

// An allowed is a caller who is let in, and where his requests may come from.
type allowed struct {
	user, host string
	addr       netip.Addr // of host, once it is known
}

// parseAllow reads Config.Allow: SIP URIs, or tel URIs at our own domain.
func parseAllow(uris []string, domain string) ([]allowed, error) {
	var all []allowed
	for _, s := range uris {
		var uri sip.Uri
		if number, ok := cutPrefixFold(s, "tel:"); ok && domain != "" {
			uri = sip.Uri{Scheme: "sip", User: number, Host: domain}
		} else if err := sip.ParseUri(s, &uri); err != nil || hasControl(s) ||
			(uri.Scheme != "sip" && uri.Scheme != "sips") || uri.Host == "" || uri.User == "" {
			return nil, &ConfigError{"allowed caller", s, "is no SIP URI of user and host"}
		}
		all = append(all, allowed{user: uri.User, host: strings.ToLower(bareHost(uri.Host))})
	}
	return all, nil
}

// admitAllowed opens the gate for the hosts of allowed callers.
func (u *UA) admitAllowed() {
	named := false
	for i := range u.allow {
		host := u.allow[i].host
		if _, err := netip.ParseAddr(host); err != nil {
			named = true
			if u.isServer(host) {
				continue // they come by our server
			}
		}
		u.resolve(hop{network: "udp", name: host}, 0, func(h hop, err error) {
			if err != nil {
				u.log.Warn("sip allowed caller not found", "host", host, "err", err)
				return
			}
			u.moveAllowed(&u.allow[i], h.addr.Addr())
		})
	}
	if named && !u.stop {
		u.after(allowAgain, u.admitAllowed)
	}
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

// mayCall reports whether an INVITE is of an allowed caller: user and host of
// From, and come by our server or from the caller's own host.
func (u *UA) mayCall(t *serverTx) bool {
	from := t.req.From().Address
	for _, a := range u.allow {
		if a.user == from.User && strings.EqualFold(a.host, bareHost(from.Host)) &&
			(u.fromServer(t.from) || a.addr == t.from.Addr()) {
			return true
		}
	}
	return false
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

func (u *UA) fromServer(from netip.AddrPort) bool {
	return u.server != nil && u.server.addr.Addr() == from.Addr()
}
