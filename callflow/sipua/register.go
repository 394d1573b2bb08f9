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
	again    bool // once more, after the answer that is due
	granted  bool
	asked    netip.AddrPort // contact of the last request
	contact  netip.AddrPort // what is registered, over UDP
	failures int
	timer    *time.Timer
}

func newRegistration(expires time.Duration) registration {
	return registration{id: rand.Text(), tag: rand.Text(), ask: expires}
}

func (r *registration) next() uint32 {
	r.seq++
	return r.seq
}

// register asks the registrar, now. It is the only one that does, one at a time.
func (u *UA) register() {
	a, r := u.cfg.Account, &u.reg
	if a.User == "" || a.Registrar == "" || u.stop {
		return
	}
	if r.asking {
		r.again = true
		return
	}
	r.asking = true
	if r.timer != nil {
		r.timer.Stop()
	}
	u.atServer(func(h hop, err error) {
		if err != nil {
			u.registerFailed(0, err.Error(), 0)
			return
		}
		u.sendRegister(h, r.ask, func(res *sip.Response, err error) { u.registerAnswered(h, res, err) })
	})
}

func (u *UA) sendRegister(h hop, expires time.Duration, done func(*sip.Response, error)) {
	a, r := u.cfg.Account, &u.reg
	req := sip.NewRequest(sip.REGISTER, sip.Uri{Scheme: "sip", Host: bareHost(a.Domain)})
	if a.Proxy != "" {
		req.AppendHeader(&sip.RouteHeader{Address: u.proxyRoute()})
	}
	us := party{uri: u.self().uri}
	u.fill(req, us, us, callKey{r.id, r.tag}, "", r.next())
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expires/time.Second))))
	r.asked = u.contactAddr(h)
	if h.network == "udp" {
		for _, c := range u.contacts(h) {
			req.AppendHeader(c)
		}
	}
	u.ask(asking{req: req, hop: h, seq: r.next, done: done})
}

// contacts is our contact, and with it the end of the one it replaces.
func (u *UA) contacts(h hop) []sip.Header {
	now := u.contact(h)
	all := []sip.Header{now}
	if old := u.reg.contact; old.IsValid() && u.reg.granted {
		was := u.contactAt(h.network, old)
		if !sameContact(was, now) {
			was.Params = sip.HeaderParams{{K: "expires", V: "0"}}
			all = append(all, was)
		}
	}
	return all
}

func sameContact(a, b *sip.ContactHeader) bool {
	return a.Address.User == b.Address.User && a.Address.Port == b.Address.Port &&
		strings.EqualFold(bareHost(a.Address.Host), bareHost(b.Address.Host))
}

func (u *UA) registerAnswered(h hop, res *sip.Response, err error) {
	switch {
	case errors.Is(err, errTimeout):
		u.registerFailed(0, fmt.Sprintf("registrar %v does not answer", h.addr), 0)
	case err != nil:
		u.registerFailed(0, err.Error(), 0)
	case res.IsSuccess():
		u.registerGranted(h, res)
	case res.StatusCode == sip.StatusIntervalToBrief && u.longer(res):
		u.reg.asking = false
		u.register()
	default:
		u.registerFailed(res.StatusCode, u.refusal(res), retryAfterOf(res))
	}
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

func (u *UA) refusal(res *sip.Response) string {
	switch res.StatusCode {
	case sip.StatusUnauthorized, sip.StatusProxyAuthRequired, sip.StatusForbidden:
		return fmt.Sprintf("the registrar refuses user %q: wrong user name or password (%d %s)",
			u.cfg.Account.AuthUser, res.StatusCode, clean(res.Reason))
	}
	return fmt.Sprintf("the registrar answers %d %s", res.StatusCode, clean(res.Reason))
}

func (u *UA) registerGranted(h hop, res *sip.Response) {
	r := &u.reg
	granted := u.grantedTime(h, res)
	if granted <= 0 {
		u.registerFailed(res.StatusCode, "the registrar keeps no registration of ours", 0)
		return
	}
	r.asking, r.granted, r.failures = false, true, 0
	r.contact = netip.AddrPort{}
	if h.network == "udp" {
		r.contact = r.asked
	}
	u.on(Registered{Expires: granted, Server: h.addr.String()})
	u.registerIn(refreshAfter(granted))
	u.registerAgain()
}

// registerAgain does what had to wait for the answer.
func (u *UA) registerAgain() {
	if u.reg.again {
		u.reg.again = false
		u.register()
	}
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
func (u *UA) grantedTime(h hop, res *sip.Response) time.Duration {
	own := u.contactAt(h.network, u.reg.asked)
	for _, f := range res.GetHeaders("contact") {
		c, ok := f.(*sip.ContactHeader)
		if !ok || !sameContact(c, own) {
			continue
		}
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
func (u *UA) registerFailed(status int, reason string, atLeast time.Duration) {
	r := &u.reg
	r.asking, r.granted, r.again = false, false, false
	again := max(backOff(status, r.failures), atLeast)
	r.failures++
	if status == 0 && u.named() {
		u.forgetServer()
	}
	u.on(Unregistered{Status: status, Reason: reason, Again: again})
	u.registerIn(again)
}

// named reports whether our server is configured by a name, which may have
// moved, and not by an address.
func (u *UA) named() bool {
	at := u.cfg.Account.Proxy
	if at == "" {
		at = u.cfg.Account.Registrar
	}
	_, err := netip.ParseAddr(hostOf(at))
	return err != nil
}

// registrationLost is the end of the flow that the registration lived on (RFC
// 5626 section 4.5).
func (u *UA) registrationLost(err error) {
	if u.reg.granted && !u.stop {
		u.registerFailed(0, fmt.Sprintf("the connection to the registrar ended: %v", err), 0)
	}
}

// unregister removes our own contact, and no other (RFC 3261 section 10.2.2).
func (u *UA) unregister() {
	if u.reg.timer != nil {
		u.reg.timer.Stop()
	}
	if !u.reg.granted || u.server == nil {
		return
	}
	u.reg.granted = false
	u.sendRegister(*u.server, 0, func(*sip.Response, error) {})
}

func (u *UA) setPublic(a netip.AddrPort) {
	if a == u.public {
		return
	}
	u.public = a
	if u.reg.granted || u.reg.asking {
		u.register()
	}
}
