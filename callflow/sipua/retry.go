package sipua

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// Bounds of what a phone can make us do by 3xx.
const (
	redirectDepth = 2 // a redirection of a redirection
	redirectMost  = 4 // targets tried for one leg
)

// redirects are the places that 3xx have named and that were not tried yet.
type redirects struct {
	left  []redirect
	depth int // of the one in force
	tried []string
}

type redirect struct {
	uri   sip.Uri
	depth int
}

// retries sends the INVITE once more where a refusal can be mended by us: with
// a longer session, fewer streams, or another target. It reports whether it did.
func (c *call) retries(res *sip.Response) bool {
	o := c.out
	switch {
	case res.StatusCode == statusSessionTooBrief && o.longerSession(res):
		c.u.askSession(o.req, o.leastSession, "")
		c.inviteAgain()
		return true
	case c.fewer(res):
		return true
	case res.StatusCode >= 300 && res.StatusCode < 400:
		o.redirects.learn(res, c.u.mayFollow(o.req.Recipient, c.remote.uri))
	}
	return c.redirected()
}

// fewer tries the next offer, if the phone refused the last one for its media
// (415, 488, 606), or failed over it before it rang (5xx).
func (c *call) fewer(res *sip.Response) bool {
	o := c.out
	failed := res.StatusCode >= 500 && res.StatusCode < 600 && !o.rang
	if o.offer+1 >= len(o.Offers) || !failed && !slices.Contains([]int{415, 488, 606}, res.StatusCode) {
		return false
	}
	o.offer++
	o.req.SetBody(o.description())
	c.emit(Retried{Leg: c.leg, Status: res.StatusCode, Reason: clean(res.Reason), Offer: o.offer})
	c.inviteAgain()
	return true
}

// redirected rings the next place that a 3xx named.
func (c *call) redirected() bool {
	o := c.out
	r := &o.redirects
	if len(r.left) == 0 || len(r.tried) >= redirectMost {
		return false
	}
	next := r.left[0]
	r.left = r.left[1:]
	r.depth = next.depth
	r.tried = append(r.tried, next.uri.String())
	o.seq++
	o.tries = 0
	c.dropEarly()
	c.emit(Redirected{Leg: c.leg, Target: next.uri.String()})
	c.inviteAt(next.uri)
	return true
}

// mayFollow says which targets of a 3xx are followed: those of our own domain,
// and those of the host that redirects; never from sips to sip.
func (u *UA) mayFollow(hosts ...sip.Uri) func(sip.Uri) bool {
	secure := hosts[0].IsEncrypted()
	return func(uri sip.Uri) bool {
		if secure && !uri.IsEncrypted() {
			return false
		}
		host := bareHost(uri.Host)
		return u.isServer(host) || slices.ContainsFunc(hosts, func(h sip.Uri) bool { return strings.EqualFold(bareHost(h.Host), host) })
	}
}

// learn takes the Contacts of a 3xx, those of a higher q first (RFC 3261 section
// 8.1.3.4), as long as they may be followed and lead on.
func (r *redirects) learn(res *sip.Response, may func(sip.Uri) bool) {
	if r.depth >= redirectDepth {
		return
	}
	type weighed struct {
		redirect
		q float64
	}
	var found []weighed
	for _, h := range res.GetHeaders("contact") {
		contact, ok := h.(*sip.ContactHeader)
		if !ok || len(found) >= redirectMost {
			continue
		}
		uri := *contact.Address.Clone()
		uri.Headers = nil // they would become header fields (RFC 3261 section 19.1.5)
		if uri.Wildcard || uri.Host == "" || hasControl(uri.String()) || uri.Scheme != "sip" && uri.Scheme != "sips" ||
			!may(uri) || slices.Contains(r.tried, uri.String()) {
			continue
		}
		found = append(found, weighed{redirect{uri, r.depth + 1}, quality(contact)})
	}
	slices.SortStableFunc(found, func(a, b weighed) int { return cmp.Compare(b.q, a.q) })
	for i := range found {
		r.left = slices.Insert(r.left, i, found[i].redirect) // before those that were named earlier
	}
}

// quality is the q of a Contact, 1 where it has none.
func quality(c *sip.ContactHeader) float64 {
	v, ok := c.Params.Get("q")
	q, err := strconv.ParseFloat(v, 64)
	if !ok || err != nil || q < 0 || q > 1 {
		return 1
	}
	return q
}
