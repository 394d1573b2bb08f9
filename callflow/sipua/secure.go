package sipua

import (
	"errors"
	"fmt"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow/sipua/locate"
)

// securely is the way to a SIPS URI while we reach our server without TLS. Such
// a request never goes in the clear (RFC 3261 section 26.2.2): it goes to the
// outbound proxy's own TLS server (section 8.1.2) or, where there is no proxy,
// to that of the URI's domain.
func (u *UA) securely(uri sip.Uri, f func(hop, []sip.Uri, error)) {
	if u.cfg.Account.Proxy == "" {
		w := u.wanted(uri.Host, uint16(uri.Port), "tls")
		w.Secure = true
		u.resolve(w, func(h hop, err error) { f(h, nil, err) })
		return
	}
	proxies, err := u.secureProxies()
	if err != nil {
		f(hop{}, nil, err)
		return
	}
	u.findAll(proxies, func(found findings) {
		if len(found.hops) == 0 {
			f(hop{}, nil, fmt.Errorf("sip: the outbound proxy's TLS server: %w", found.err))
			return
		}
		h := u.besideServer(found.hops)
		f(h, []sip.Uri{secureRoute(h)}, nil)
	})
}

// secureProxies are the account's servers as TLS finds them. A port that is
// configured is that of the account's transport, so that nothing is known of TLS
// there.
func (u *UA) secureProxies() ([]locate.Wanted, error) {
	var all []locate.Wanted
	for _, name := range u.pool.names {
		host, port := splitHostPort(name)
		if port == 0 {
			w := u.wanted(host, 0, "tls")
			w.Secure = true
			all = append(all, w)
		}
	}
	if len(all) == 0 {
		a := u.cfg.Account
		return nil, fmt.Errorf("sip: %w: the account's transport is %q and its outbound proxy %q has the port of that; "+
			"leave out the proxy's port, or set the transport to tls", errNoTLS, a.Transport, a.Proxy)
	}
	return all, nil
}

var errNoTLS = errors.New("a sips address needs TLS")

// besideServer is the hop of the machine that is our server now, the one that
// lives, else the preferred hop.
func (u *UA) besideServer(hops []hop) hop {
	for _, h := range hops {
		if u.server != nil && h.addr.Addr() == u.server.addr.Addr() {
			return h
		}
	}
	return hops[0]
}

// secureRoute is the outbound proxy as the Route of a request to a SIPS URI
// names it.
func secureRoute(h hop) sip.Uri {
	route := h.route
	route.Scheme, route.UriParams = "sips", sip.HeaderParams{{K: "lr"}}
	return route
}
