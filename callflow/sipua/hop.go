package sipua

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow/sipua/locate"
)

// locateWithin bounds one look-up of a host name.
const locateWithin = 5 * time.Second

// A hop is where a request goes next.
type hop struct {
	network string // "udp", "tcp" or "tls"
	addr    netip.AddrPort
	name    string  // to verify in TLS
	route   sip.Uri // how a server of ours is configured, for Route; else empty

	// switched says that a request too large for UDP goes over TCP instead
	// (RFC 3261 section 18.1.1).
	switched bool
}

// unswitched is the hop that was chosen, whatever the request's size.
func (h hop) unswitched() hop {
	if h.switched {
		h.network, h.switched = "udp", false
	}
	return h
}

// A flowKey tells flows apart. Two names of one address share a flow.
type flowKey struct {
	network string
	addr    netip.AddrPort
}

func (h hop) flow() flowKey { return flowKey{h.network, h.addr} }

// locate finds the hop for a URI (RFC 3263 section 4): an address at once, the
// names of our server at its address, all others by look-up. A SIPS URI has a
// hop of TLS, or none.
func (u *UA) locate(uri sip.Uri, f func(hop, error)) {
	host := bareHost(uri.Host)
	if !isAddress(host) && uri.Port == 0 && u.isServer(host) {
		u.atServer(func(h hop, err error) {
			if err == nil && h.network != "tls" && u.networkOf(uri) == "tls" {
				u.lookFor(uri, f)
				return
			}
			f(h, err)
		})
		return
	}
	u.lookFor(uri, f)
}

// lookFor finds the hop for a URI by its own words.
func (u *UA) lookFor(uri sip.Uri, f func(hop, error)) {
	host := bareHost(uri.Host)
	w := u.wanted(host, uint16(uri.Port), u.networkOf(uri))
	w.Secure = w.Transport == "tls"
	u.resolve(w, f)
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
	}
	if a, err := netip.ParseAddr(bareHost(uri.Host)); err == nil {
		for _, p := range u.pool.places {
			if p.hop.addr.Addr() == a.Unmap() && (uri.Port == 0 || uri.Port == int(p.hop.addr.Port())) {
				return p.hop.network
			}
		}
	}
	return "udp"
}

// resolve finds the first server of a name, at once if it is an address.
func (u *UA) resolve(w locate.Wanted, f func(hop, error)) {
	u.find(w, func(found findings) {
		if len(found.hops) == 0 {
			f(hop{}, fmt.Errorf("sip: %w", found.err))
			return
		}
		f(found.hops[0], nil)
	})
}

// find looks a name up, at once if it is an address.
func (u *UA) find(w locate.Wanted, f func(findings)) { u.findAll([]locate.Wanted{w}, f) }

// findAll looks names up together, at once if all are addresses.
func (u *UA) findAll(all []locate.Wanted, f func(findings)) {
	if !slices.ContainsFunc(all, func(w locate.Wanted) bool { return !isAddress(w.Host) }) {
		f(lookUp(u.life, u.dns, all))
		return
	}
	go func() {
		found := lookUp(u.life, u.dns, all)
		u.box.post(func() { f(found) })
	}()
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
