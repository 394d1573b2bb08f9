package sipua

import (
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A registration keeps our contact at the registrar (RFC 3261 section 10.2).
type registration struct {
	id, tag  string
	seq      uint32
	ask      time.Duration // raised by 423
	asking   bool
	granted  bool
	offered  binding // of the REGISTER that is under way
	bound    binding // what is registered
	byFlow   bool    // the registrar tells our flows apart (RFC 5626)
	flowless bool    // it, or a proxy on the way, cannot (439)
	redirect int     // redirections followed in this try
	failures int
	moved    time.Time // when the contact moved last
	patient  time.Time // a press makes no try before
	timer    *time.Timer
	service  []sip.Uri // Service-Route (RFC 3608)
	at       flowKey   // the server that granted it
	gruu     string    // our name for others (RFC 5627), "" where the registrar gives none
}

// A binding is a contact as the registrar keeps it.
type binding struct {
	network string
	at      netip.AddrPort
}

// Bounds of a registration.
const (
	moveGap      = 5 * time.Second // between two moves of the contact
	pressGap     = 2 * time.Second // between two tries that presses make
	maxRedirects = 2
	maxRoutes    = 8 // of a Service-Route
)

// statusLacksOutbound is 439 (RFC 5626 section 6).
const statusLacksOutbound = 439

func newRegistration(expires time.Duration) registration {
	return registration{id: rand.Text(), tag: rand.Text(), ask: expires}
}

func (r *registration) next() uint32 {
	r.seq++
	return r.seq
}

// registers reports whether the account wants a registration.
func (u *UA) registers() bool {
	return u.cfg.Account.User != "" && u.cfg.Account.Registrar != ""
}

// registerFirst is the first try. Where many panels were switched on together,
// each waits a time of its own; a press does not.
func (u *UA) registerFirst() {
	if spread := u.cfg.Account.Spread; spread > 0 && u.registers() {
		u.registerIn(jitter(spread, 0, 1))
		return
	}
	u.register()
}

// hurry makes a try that waits now: somebody stands at the door.
func (u *UA) hurry() {
	r := &u.reg
	if r.granted || r.asking || time.Now().Before(r.patient) {
		return
	}
	r.patient = time.Now().Add(pressGap)
	u.register()
}

// register asks the registrar, now. It is the only one that does, one at a time.
func (u *UA) register() {
	r := &u.reg
	if !u.registers() || u.stop || r.asking {
		return
	}
	r.asking = true
	if r.timer != nil {
		r.timer.Stop()
	}
	u.findServers(func(err error) {
		if err != nil {
			u.registerFailed(0, err.Error(), 0)
			return
		}
		u.atServer(func(h hop, err error) {
			if err != nil {
				u.registerFailed(0, err.Error(), 0)
				return
			}
			u.sendRegister(h, r.ask, func(res *sip.Response, err error) { u.registerAnswered(h, res, err) })
		})
	})
}

func (u *UA) sendRegister(h hop, expires time.Duration, done func(*sip.Response, error)) {
	a, r := u.cfg.Account, &u.reg
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: bareHost(a.Domain)})
	if a.Proxy != "" {
		req.AppendHeader(&sip.RouteHeader{Address: proxyRoute(h)})
	}
	us := party{uri: u.self().uri}
	u.fill(req, us, us, callKey{r.id, r.tag}, "", r.next())
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))))
	req.AppendHeader(sip.NewHeader("Supported", r.supported(a)))
	t := asking{req: req, hop: h, seq: r.next, done: done}
	if u.hasOtherServer(h) {
		t.patience = patience
	}
	u.ask(t)
}

func (r *registration) supported(a Account) string {
	if a.Instance == "" {
		return "path"
	}
	if r.flowless {
		return "path, gruu"
	}
	return "path, gruu, outbound"
}

func (u *UA) registerAnswered(h hop, res *sip.Response, err error) {
	if err != nil {
		reason := err.Error()
		if errors.Is(err, errTimeout) {
			reason = fmt.Sprintf("registrar %v does not answer", h.addr)
		}
		u.serverFailed(h, 0, reason, 0)
		return
	}
	u.learnSeen(h, res)
	switch status := res.StatusCode; {
	case res.IsSuccess():
		u.registerGranted(h, res)
	case status == sip.StatusIntervalToBrief && u.longer(res):
		u.registerAgain()
	case status == statusLacksOutbound && !u.reg.flowless && u.cfg.Account.Instance != "":
		u.reg.flowless = true
		u.registerAgain()
	case status >= 300 && status < 400 && u.redirected(res):
	case status >= 500 && status < 600 || status == sip.StatusRequestTimeout || status == statusFlowFailed:
		u.serverFailed(h, status, u.refusal(res), retryAfterOf(res))
	default:
		u.registerFailed(status, u.refusal(res), retryAfterOf(res))
	}
}

// statusFlowFailed is 430 (RFC 5626 section 11.5).
const statusFlowFailed = 430

func (u *UA) registerAgain() {
	u.reg.asking = false
	u.register()
}

// serverFailed goes on at the next server, if there is one.
func (u *UA) serverFailed(h hop, status int, reason string, retry time.Duration) {
	if u.leaveServer(h, retry) {
		u.log.Warn("sip server failed, the next one is tried", "server", h.addr, "next", u.server.addr, "reason", reason)
		u.reg.granted = false
		u.registerAgain()
		return
	}
	u.registerFailed(status, reason, retry)
}

// longer raises what we ask for to what a 423 demands (RFC 3261 section 10.2.8).
func (u *UA) longer(res *sip.Response) bool {
	h := res.GetHeader("min-expires")
	if h == nil {
		return false
	}
	least := seconds(h.Value())
	if least <= u.reg.ask || least > longestGrant {
		return false
	}
	u.reg.ask = least
	return true
}

// redirected follows a registrar to another one of its domain. Elsewhere our
// credentials have no business.
func (u *UA) redirected(res *sip.Response) bool {
	c := res.Contact()
	if c == nil || u.reg.redirect >= maxRedirects || !u.inDomain(bareHost(c.Address.Host)) {
		return false
	}
	u.reg.redirect++
	w := u.wanted(c.Address.Host, uint16(c.Address.Port), u.networkOf(c.Address))
	w.Secure = u.cfg.Account.Transport == "tls" || c.Address.IsEncrypted()
	u.resolve(w, func(h hop, err error) {
		if err != nil {
			u.registerFailed(res.StatusCode, "the registrar sends us to a server that is not found: "+err.Error(), 0)
			return
		}
		h.route = sip.Uri{Scheme: "sip", Host: bareHost(c.Address.Host), Port: c.Address.Port}
		if placeOf(u.pool.places, h) < 0 {
			u.pool.places = append([]place{{hop: h}}, u.pool.places...)
			u.sources.hold(h.addr)
		}
		u.useServer(h)
		u.registerAgain()
	})
	return true
}

// inDomain reports whether a host is of our domain, or one of our servers.
func (u *UA) inDomain(host string) bool {
	domain := u.cfg.Account.Domain
	if u.isServer(host) || !isAddress(domain) && len(host) > len(domain) &&
		strings.EqualFold(host[len(host)-len(domain)-1:], "."+domain) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && u.fromServer(netip.AddrPortFrom(a.Unmap(), 0))
}

func (u *UA) refusal(res *sip.Response) string {
	switch res.StatusCode {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired:
		if why := u.creds.declined; why != "" {
			return why
		}
		fallthrough
	case sip.StatusForbidden:
		return fmt.Sprintf("the registrar refuses user %q: wrong user name or password (%d %s)",
			u.cfg.Account.AuthUser, res.StatusCode, clean(res.Reason))
	}
	if res.StatusCode >= 300 && res.StatusCode < 400 {
		return fmt.Sprintf("the registrar sends us elsewhere than to servers of %s, or too often (%d)", u.cfg.Account.Domain, res.StatusCode)
	}
	return fmt.Sprintf("the registrar answers %d %s", res.StatusCode, clean(res.Reason))
}

func (u *UA) registerGranted(h hop, res *sip.Response) {
	r := &u.reg
	granted := u.grantedTime(res)
	if granted <= 0 {
		u.registerFailed(res.StatusCode, "the registrar keeps no registration of ours", 0)
		return
	}
	r.asking, r.granted, r.failures, r.redirect = false, true, 0, 0
	r.bound, r.at = r.offered, h.unswitched().flow()
	r.byFlow = hasOption(res, "require", "outbound")
	r.service, r.gruu = serviceRoute(res), u.givenName(res)
	if i := placeOf(u.pool.places, h); i >= 0 {
		u.pool.places[i].shun, u.pool.places[i].told = time.Time{}, false
	}
	u.on(Registered{Expires: granted, Server: h.addr.String(), GRUU: r.gruu})
	u.registerIn(refreshAfter(granted))
	u.keepAlive()
	u.watchPreferred()
	if u.outside(h) != r.bound.at {
		u.moved()
	}
}

// hasOption reports whether a field of option tags names one.
func hasOption(m sip.Message, field, option string) bool {
	res, ok := m.(*sip.Response)
	if !ok {
		return false
	}
	for _, h := range res.GetHeaders(field) {
		for tag := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(tag), option) {
				return true
			}
		}
	}
	return false
}

// serviceRoute reads the way that requests from us are to take (RFC 3608). What
// cannot be read is left out.
func serviceRoute(res *sip.Response) []sip.Uri {
	var routes []sip.Uri
	for _, h := range res.GetHeaders("service-route") {
		for entry := range strings.SplitSeq(h.Value(), ",") {
			var uri sip.Uri
			_, rest, found := strings.Cut(entry, "<")
			text, _, closed := strings.Cut(rest, ">")
			if found && closed && !hasControl(text) && sip.ParseUri(text, &uri) == nil && uri.Host != "" && len(routes) < maxRoutes {
				routes = append(routes, uri)
			}
		}
	}
	return routes
}

func (u *UA) registerIn(d time.Duration) {
	r := &u.reg
	if r.timer != nil {
		r.timer.Stop()
	}
	r.timer = u.after(d, u.register)
}

// grantedTime is what the registrar gives: the expires of our own Contact
// first, then the Expires field, else what we asked for (RFC 3261 section 10.2.4).
func (u *UA) grantedTime(res *sip.Response) time.Duration {
	if c := u.ownContact(res); c != nil {
		if v, ok := c.Params.Get("expires"); ok {
			return min(seconds(v), longestGrant)
		}
	}
	if f := res.GetHeader("expires"); f != nil {
		return min(seconds(f.Value()), longestGrant)
	}
	return u.reg.ask
}

// registerFailed tells why, and when the next try is made.
func (u *UA) registerFailed(status int, reason string, retry time.Duration) {
	r := &u.reg
	r.asking, r.granted, r.redirect = false, false, 0
	again := max(backOff(status, r.failures), retry)
	r.failures++
	r.patient = time.Now().Add(pressGap)
	if refused(status) || retry > 0 {
		r.patient = time.Now().Add(again) // a press changes nothing about that
	}
	u.forgiveServers()
	u.on(Unregistered{Status: status, Reason: reason, Again: again})
	u.registerIn(again)
}

// registrationLost is the end of the flow that the registration lived on (RFC
// 5626 section 4.5).
func (u *UA) registrationLost(h hop, err error) {
	if !u.reg.granted || u.stop || u.reg.asking {
		return
	}
	reason := fmt.Sprintf("the connection to the registrar %v ended: %v", h.addr, err)
	u.reg.granted = false
	u.reg.patient = time.Time{}
	again := backOff(0, u.reg.failures)
	u.on(Unregistered{Reason: reason, Again: again})
	u.registerIn(again)
}

// unregister removes our own contact, and no other (RFC 3261 section 10.2.2).
func (u *UA) unregister() {
	for _, t := range []*time.Timer{u.reg.timer, u.pool.back, u.alive.timer} {
		if t != nil {
			t.Stop()
		}
	}
	if !u.reg.granted || u.server == nil {
		return
	}
	u.reg.granted = false
	u.sendRegister(*u.server, 0, func(*sip.Response, error) {})
}
