package sipua

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// flowAddr is our end of the way to h.
func (u *UA) flowAddr(h hop) netip.AddrPort {
	if s := u.streams[h.flow()]; s != nil && s.ready {
		return s.local
	}
	return u.local
}

// outside is our end of the way to h as it is seen from there: as the server in
// use tells us, else as STUN does.
func (u *UA) outside(h hop) netip.AddrPort {
	h = h.unswitched() // a request that is too large for UDP is the exception: we stay reachable by UDP
	own := u.flowAddr(h)
	switch {
	case u.server != nil && u.server.flow() == h.flow() && u.seen.IsValid():
		return u.seen
	case h.network != "udp" || !u.public.IsValid(), !u.isAtServer(h) && neighbour(own.Addr(), h.addr.Addr()):
		return own
	}
	return u.public
}

// neighbour reports whether two addresses are most likely of one network, so
// that no address translation lies between.
func neighbour(a, b netip.Addr) bool {
	bits := 24
	if a.Is6() {
		bits = 64
	}
	p, err := a.Prefix(bits)
	return err == nil && p.Contains(b)
}

// contact is where we want to be reached, over the flow to h.
func (u *UA) contact(h hop) *sip.ContactHeader {
	return u.contactAt(h.unswitched().network, u.outside(h))
}

func (u *UA) contactAt(network string, at netip.AddrPort) *sip.ContactHeader {
	uri := sip.Uri{Scheme: "sip", User: u.user(), Host: at.Addr().String(), Port: int(at.Port())}
	if network != "udp" {
		uri.UriParams = sip.HeaderParams{{K: "transport", V: network}}
	}
	return &sip.ContactHeader{Address: uri}
}

// secured is a contact of ours as a SIPS URI, where the dialog has to be one of
// SIPS URIs all the way.
func secured(c *sip.ContactHeader, wanted bool) *sip.ContactHeader {
	if wanted {
		c.Address.Scheme = "sips"
	}
	return c
}

// asksSecurely reports whether our Contact in a request has to be a SIPS URI
// (RFC 3261 section 8.1.1.8).
func asksSecurely(req *sip.Request) bool {
	route := req.Route()
	return req.Recipient.IsEncrypted() || route != nil && route.Address.IsEncrypted()
}

// cameSecurely reports the same of our response to a request (RFC 3261 section
// 12.1.1).
func cameSecurely(req *sip.Request) bool {
	if req.Recipient.IsEncrypted() {
		return true
	}
	if routes := recordRoutes(req); len(routes) > 0 {
		return routes[0].IsEncrypted()
	}
	contact := req.Contact()
	return contact != nil && contact.Address.IsEncrypted()
}

// user is how we name ourselves, registered or not.
func (u *UA) user() string {
	if u.cfg.Account.User != "" {
		return u.cfg.Account.User
	}
	return "doorstation"
}

// addContacts puts our contact into a REGISTER: with what tells this panel from
// others of the same account (RFC 5626 section 4.1), and with the end of the
// contact that it replaces. A registrar that knows flows replaces it by itself.
func (u *UA) addContacts(req *sip.Request, h hop) {
	r := &u.reg
	now := u.contact(h)
	r.offered = binding{h.unswitched().network, u.outside(h)}
	if id := u.cfg.Account.Instance; id != "" {
		now.Params.Add("+sip.instance", `"<`+id+`>"`)
		if !r.flowless {
			now.Params.Add("reg-id", "1")
			now.Address.UriParams.Add("ob", "")
		}
	}
	req.AppendHeader(now)
	if old := r.bound; r.granted && !r.byFlow && old != r.offered && old.at.IsValid() {
		was := u.contactAt(old.network, old.at)
		was.Params = sip.HeaderParams{{K: "expires", V: "0"}}
		req.AppendHeader(was)
	}
}

// ownContact finds the contact that we offered in what the registrar has of us.
func (u *UA) ownContact(res *sip.Response) *sip.ContactHeader {
	own := u.contactAt(u.reg.offered.network, u.reg.offered.at)
	for _, f := range res.GetHeaders("contact") {
		if c, ok := f.(*sip.ContactHeader); ok && sameContact(c, own) {
			return c
		}
	}
	return nil
}

func sameContact(a, b *sip.ContactHeader) bool {
	return a.Address.User == b.Address.User && a.Address.Port == b.Address.Port &&
		strings.EqualFold(bareHost(a.Address.Host), bareHost(b.Address.Host))
}

// learnSeen takes the address that the server in use sees us at, from the Via of
// its response (RFC 3581 section 4), and registers it when it is another.
func (u *UA) learnSeen(h hop, res *sip.Response) {
	if at, ok := seenIn(res, u.flowAddr(h)); ok {
		u.see(h, at)
	}
}

func seenIn(res *sip.Response, own netip.AddrPort) (netip.AddrPort, bool) {
	via := res.Via()
	if via == nil {
		return netip.AddrPort{}, false
	}
	rport, _ := via.Params.Get("rport")
	port, err := strconv.ParseUint(rport, 10, 16)
	if err != nil || port == 0 {
		return netip.AddrPort{}, false
	}
	addr := own.Addr()
	if received, ok := via.Params.Get("received"); ok {
		if addr, err = netip.ParseAddr(bareHost(received)); err != nil {
			return netip.AddrPort{}, false
		}
	}
	return netip.AddrPortFrom(addr.Unmap().WithZone(""), uint16(port)), true
}

// see notes where the server in use sees us.
func (u *UA) see(h hop, at netip.AddrPort) {
	if u.server == nil || u.server.flow() != h.flow() || at == u.seen {
		return
	}
	before := u.outside(h)
	u.seen = at
	if u.outside(h) != before {
		u.moved()
	}
}

// setPublic takes what STUN has learnt.
func (u *UA) setPublic(a netip.AddrPort) {
	if a == u.public {
		return
	}
	u.public = a
	u.moved()
}

// moved renews the registration after our address as seen from outside has
// changed. One that changes with every look costs no storm of requests.
func (u *UA) moved() {
	r := &u.reg
	switch {
	case u.stop || r.asking: // its answer will show the difference
	case !r.granted:
	case time.Since(r.moved) < moveGap:
		r.moved = time.Now().Add(moveGap)
		u.registerIn(moveGap)
	default:
		r.moved = time.Now()
		u.log.Info("sip contact moves", "to", u.seen, "public", u.public)
		u.register()
	}
}
