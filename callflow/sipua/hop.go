package sipua

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// locateWithin bounds one look-up of a host name.
const locateWithin = 5 * time.Second

// A hop is where a request goes next.
type hop struct {
	network string // "udp", "tcp" or "tls"
	addr    netip.AddrPort
	name    string // to verify in TLS
}

// A flowKey tells flows apart. Two names of one address share a flow.
type flowKey struct {
	network string
	addr    netip.AddrPort
}

func (h hop) flow() flowKey { return flowKey{h.network, h.addr} }

// atServer gives the registrar's or proxy's address to f, now if it is known.
func (u *UA) atServer(f func(hop, error)) {
	if u.server != nil {
		f(*u.server, nil)
		return
	}
	a := u.cfg.Account
	at := a.Proxy
	if at == "" {
		at = a.Registrar
	}
	if at == "" {
		f(hop{}, fmt.Errorf("sip: no registrar and no proxy is configured"))
		return
	}
	host, port := splitHostPort(at)
	u.resolve(hop{network: a.Transport, name: host}, port, func(h hop, err error) {
		if err == nil && u.server == nil {
			u.server = &h
			u.sources.hold(h.addr)
		}
		f(h, err)
	})
}

// forgetServer makes the next request look the server up again.
func (u *UA) forgetServer() {
	if u.server != nil {
		u.sources.release(u.server.addr)
		u.server = nil
	}
}

// isServer reports whether a host name stands for our registrar or proxy.
func (u *UA) isServer(host string) bool {
	a := u.cfg.Account
	for _, own := range []string{a.Domain, hostOf(a.Registrar), hostOf(a.Proxy)} {
		if own != "" && strings.EqualFold(own, host) {
			return true
		}
	}
	return false
}

// locate finds the hop for a URI (RFC 3263 section 4, without SRV): an address
// at once, the names of our server at its address, all others by look-up.
func (u *UA) locate(uri sip.Uri, f func(hop, error)) {
	host := bareHost(uri.Host)
	h := hop{network: u.networkOf(uri), name: host}
	if _, err := netip.ParseAddr(host); err != nil && uri.Port == 0 && u.isServer(host) {
		u.atServer(f)
		return
	}
	u.resolve(h, uint16(uri.Port), f)
}

// networkOf says how to reach a URI: as it asks, or as our server is reached
// when it names our server, else over UDP.
func (u *UA) networkOf(uri sip.Uri) string {
	transport, _ := uri.UriParams.Get("transport")
	transport = strings.ToLower(transport)
	switch {
	case uri.IsEncrypted() || transport == "tls":
		return "tls"
	case transport == "tcp" || transport == "udp":
		return transport
	case u.server != nil && bareHost(uri.Host) == u.server.addr.Addr().String() && uriPort(uri) == u.server.addr.Port():
		return u.server.network
	}
	return "udp"
}

func uriPort(uri sip.Uri) uint16 {
	if uri.Port == 0 {
		return uint16(sip.DefaultUdpPort)
	}
	return uint16(uri.Port)
}

// resolve fills in the address of h.name, at once if it is one.
func (u *UA) resolve(h hop, port uint16, f func(hop, error)) {
	if port == 0 {
		port = uint16(sip.DefaultPort(h.network))
	}
	if a, err := netip.ParseAddr(bareHost(h.name)); err == nil {
		h.addr = netip.AddrPortFrom(a.Unmap(), port)
		f(h, nil)
		return
	}
	go func() {
		ctx, cancel := context.WithTimeout(u.life, locateWithin)
		defer cancel()
		found, err := u.cfg.Resolve(ctx, h.name)
		u.box.post(func() {
			if a, ok := u.sameFamily(found); err == nil && ok {
				h.addr = netip.AddrPortFrom(a, port)
				f(h, nil)
				return
			}
			f(h, fmt.Errorf("sip: %q has no address that %v can reach: %v", h.name, u.local.Addr(), err))
		})
	}()
}

func (u *UA) sameFamily(found []netip.Addr) (netip.Addr, bool) {
	for _, a := range found {
		if a = a.Unmap(); a.Is4() == u.local.Addr().Is4() {
			return a, true
		}
	}
	return netip.Addr{}, false
}

func bareHost(s string) string {
	return strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
}

// hostOf gives the host of "host", "host:port", "[v6]:port" or "v6".
func hostOf(s string) string {
	host, _ := splitHostPort(s)
	return host
}

// splitHostPort takes "host", "host:port", "[v6]:port", "[v6]" or "v6"; port 0
// stands for none.
func splitHostPort(s string) (host string, port uint16) {
	if _, err := netip.ParseAddr(bareHost(s)); err == nil {
		return bareHost(s), 0
	}
	i := strings.LastIndexByte(s, ':')
	if i < 0 {
		return s, 0
	}
	n, err := strconv.ParseUint(s[i+1:], 10, 16)
	if err != nil {
		return s, 0
	}
	return bareHost(s[:i]), uint16(n)
}
