package sipua

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Times of session timers (RFC 4028).
const (
	leastSession   = 90 * time.Second        // section 4
	expiryMargin   = 32 * time.Second        // BYE so long before the end, or a third (section 10)
	refreshRetry   = 10 * time.Second        // after a refresh that failed for a while only
	glareStep      = 10 * time.Millisecond   // of the waits below (RFC 3261 section 14.1)
	glareOwnLeast  = 2100 * time.Millisecond // the Call-ID is ours
	glareOwnMost   = 4000 * time.Millisecond
	glareTheirMost = 2000 * time.Millisecond // it is theirs
)

// A sessionTimer keeps a dialog alive by refreshing it, or ends it when the side
// that ought to refresh does not (RFC 4028).
type sessionTimer struct {
	interval time.Duration // agreed; 0: the session has no end
	ours     bool          // we refresh
	refresh  *time.Timer
	expiry   *time.Timer
}

func (s *sessionTimer) stop() {
	for _, t := range []*time.Timer{s.refresh, s.expiry} {
		if t != nil {
			t.Stop()
		}
	}
}

// A sessionExpires is the value of that header field. refresher is "uac", "uas"
// or empty.
type sessionExpires struct {
	interval  time.Duration
	refresher string
}

func (e sessionExpires) header() sip.Header {
	value := strconv.Itoa(int(e.interval / time.Second))
	if e.refresher != "" {
		value += ";refresher=" + e.refresher
	}
	return sip.NewHeader("Session-Expires", value)
}

// sessionExpiresOf reads Session-Expires or its compact form x; the interval is
// 0 where there is none.
func sessionExpiresOf(m sip.Message) sessionExpires {
	fields := append(m.GetHeaders("session-expires"), m.GetHeaders("x")...)
	if len(fields) == 0 {
		return sessionExpires{}
	}
	value, params, _ := strings.Cut(fields[0].Value(), ";")
	e := sessionExpires{interval: min(seconds(value), longestGrant)}
	for p := range strings.SplitSeq(params, ";") {
		name, who, _ := strings.Cut(p, "=")
		who = strings.ToLower(strings.TrimSpace(who))
		if strings.EqualFold(strings.TrimSpace(name), "refresher") && (who == "uac" || who == "uas") {
			e.refresher = who
		}
	}
	return e
}

// lists reports whether an option tag or method stands in one of the header
// fields of this name.
func lists(m sip.Message, field, word string) bool {
	for _, h := range m.GetHeaders(field) {
		for item := range strings.SplitSeq(h.Value(), ",") {
			if strings.EqualFold(strings.TrimSpace(item), word) {
				return true
			}
		}
	}
	return false
}

// supports reads Supported and its compact form k.
func supports(m sip.Message, option string) bool {
	return lists(m, "supported", option) || lists(m, "k", option)
}

// tooBrief gives the 422 to a session that is shorter than we allow (RFC 4028
// section 9), nil to others. A caller without timers would not understand it.
func tooBrief(req *sip.Request) sip.Header {
	e := sessionExpiresOf(req)
	if e.interval == 0 || e.interval >= leastSession || !supports(req, "timer") {
		return nil
	}
	return sip.NewHeader("Min-SE", strconv.Itoa(int(leastSession/time.Second)))
}

// longerSession raises what our INVITE asks for to what a 422 demands.
func (o *outgoing) longerSession(res *sip.Response) bool {
	h := res.GetHeader("min-se")
	if h == nil || o.leastSession > 0 {
		return false
	}
	least := seconds(h.Value())
	if least < leastSession || least > longestGrant {
		return false
	}
	o.leastSession = least
	return true
}

// askSession puts our wish for a session timer into a request.
func (u *UA) askSession(req *sip.Request, least time.Duration, refresher string) {
	e := sessionExpires{max(u.cfg.SessionExpires, least), refresher}
	for _, field := range []string{"Session-Expires", "Min-SE"} {
		for req.RemoveHeader(field) {
		}
	}
	req.AppendHeader(e.header())
	if least > 0 {
		req.AppendHeader(sip.NewHeader("Min-SE", strconv.Itoa(int(least/time.Second))))
	}
}

// sessionAgreed takes the 200 to our INVITE, re-INVITE or UPDATE. Where it names
// no refresher, it is us: one refresh too many does no harm.
func (d *dialog) sessionAgreed(res *sip.Response) {
	e := sessionExpiresOf(res)
	d.keepSession(e.interval, e.refresher != "uas")
}

// sessionAsked answers the wish of their INVITE or UPDATE, and gives what the
// response says of it (RFC 4028 section 9). The caller refreshes unless he
// cannot, or wants us to.
func (d *dialog) sessionAsked(req *sip.Request) []sip.Header {
	e := sessionExpiresOf(req)
	if e.interval == 0 {
		d.keepSession(0, false)
		return nil
	}
	e.interval = max(e.interval, leastSession)
	able := supports(req, "timer")
	if e.refresher == "" || !able {
		e.refresher = "uac"
		if !able {
			e.refresher = "uas"
		}
	}
	d.keepSession(e.interval, e.refresher == "uas")
	headers := []sip.Header{e.header()}
	if e.refresher == "uac" {
		headers = append(headers, sip.NewHeader("Require", "timer"))
	}
	return headers
}

// keepSession begins the session's time anew.
func (d *dialog) keepSession(interval time.Duration, ours bool) {
	s := &d.session
	s.stop()
	*s = sessionTimer{ours: ours}
	if interval == 0 || d.ended {
		return
	}
	s.interval = max(interval, leastSession)
	s.expiry = d.c.u.after(s.interval-min(expiryMargin, s.interval/3), d.sessionExpired)
	if ours {
		s.refresh = d.c.u.after(s.interval/2, d.refreshSession)
	}
}

// sessionExpired ends a dialog that nobody refreshed (RFC 4028 section 10).
func (d *dialog) sessionExpired() {
	if d.session.interval == 0 || d.ended {
		return
	}
	d.hangUp(func() { d.c.end("the session was not refreshed in time", true) })
}

// refreshSession renews the session, by UPDATE where the other side takes it,
// else by a re-INVITE with the description that is in force (RFC 4028 section 7.4).
func (d *dialog) refreshSession() {
	switch {
	case d.session.interval == 0 || !d.session.ours || d.ended || !d.confirmed:
	case d.offer != nil || d.unacked != nil || d.asking: // theirs goes first
		d.refreshIn(refreshRetry)
	case d.updates:
		req := d.request(sip.UPDATE, d.next())
		d.c.u.askSession(req, d.session.interval, "uac")
		req.AppendHeader(sip.NewHeader("Supported", supported))
		d.asking = true
		d.ask(req, nil, d.refreshed)
	default:
		d.reinvite(d.described, d.refreshed)
	}
}

func (d *dialog) refreshIn(wait time.Duration) {
	d.session.refresh = d.c.u.after(wait, d.refreshSession)
}

// refreshed takes what came of our refresh.
func (d *dialog) refreshed(res *sip.Response, err error) {
	d.asking, d.reoffering = false, false
	switch {
	case d.ended:
	case gone(res, err):
		d.hangUp(func() { d.c.end("the phone does not know of the call any more", true) })
	case err != nil:
		d.refreshIn(refreshRetry)
	case res.IsSuccess():
		d.refresh(res.Contact())
		d.sessionAgreed(res)
	case res.StatusCode == sip.StatusRequestPending:
		d.refreshIn(d.glare())
	default:
		d.updates = d.updates && !slices.Contains([]int{405, 501}, res.StatusCode)
		d.refreshIn(max(retryAfterOf(res), refreshRetry))
	}
}

// gone reports whether the answer to a request in a dialog ends the dialog (RFC
// 3261 section 12.2.1.2).
func gone(res *sip.Response, err error) bool {
	if err != nil {
		return err == errTimeout
	}
	return res.StatusCode == sip.StatusCallTransactionDoesNotExists || res.StatusCode == sip.StatusRequestTimeout
}

// glare is the wait after a 491 (RFC 3261 section 14.1): whoever made the
// Call-ID waits longer.
func (d *dialog) glare() time.Duration {
	least, most := time.Duration(0), glareTheirMost
	if d.c.out != nil {
		least, most = glareOwnLeast, glareOwnMost
	}
	return least + glareStep*time.Duration(rand.IntN(int((most-least)/glareStep)+1))
}
