package sipua

import (
	"crypto/rand"
	"net/netip"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

// linger is how long a call is remembered after its end, for what is still on
// the way: a late 200, one sent again, a BYE. It is 64 times T1 (RFC 3261
// section 13.2.2.4).
const linger = 32 * time.Second

// A callKey is Call-ID and our tag. With the tag of the far end it names a
// dialog (RFC 3261 section 12).
type callKey struct{ id, tag string }

// A call is one INVITE, ours or theirs, with all dialogs that come of it.
type call struct {
	u             *UA
	leg           callflow.LegID
	key           callKey
	local, remote party
	dialogs       map[string]*dialog // by the far end's tag
	won           *dialog            // the answered one
	out           *outgoing          // of a call we make
	incoming      *incoming          // of a call we take
	over          bool               // the leg's last event is out
	byServer      bool               // it goes by a server of ours, not straight to the phone
	peers         map[netip.Addr]bool
	held          []netip.AddrPort
}

// A party is what stands in From or To, without the tag.
type party struct {
	display string
	uri     sip.Uri
}

func (u *UA) newCall(leg callflow.LegID, key callKey) *call {
	c := &call{u: u, leg: leg, key: key, dialogs: map[string]*dialog{}, peers: map[netip.Addr]bool{}}
	u.legs[leg] = c
	u.calls[key] = c
	return c
}

func freshKey() callKey { return callKey{id: rand.Text(), tag: rand.Text()} }

// meet admits a peer of this call, at the gate and in its dialogs.
func (c *call) meet(a netip.AddrPort) {
	if !c.peers[a.Addr()] {
		c.peers[a.Addr()] = true
	}
	c.held = append(c.held, a)
	c.u.sources.hold(a)
}

// emit tells an event, unless the leg is over.
func (c *call) emit(ev Event) {
	if !c.over {
		c.u.on(ev)
	}
}

// refuse ends a leg that was never answered.
func (c *call) refuse(status int, reason string) {
	c.close(Refused{Leg: c.leg, Status: status, Reason: reason})
}

// unheard ends a leg of which nothing came back.
func (c *call) unheard(status int, reason string) {
	c.close(Refused{Leg: c.leg, Status: status, Reason: reason, Unheard: true})
}

// end ends a leg that was answered, or that was theirs.
func (c *call) end(reason string, byUs bool) {
	c.close(Ended{Leg: c.leg, Reason: reason, ByUs: byUs})
}

// close tells the last event of the leg, and forgets the call in a while.
func (c *call) close(last Event) {
	if c.over {
		return
	}
	c.over = true
	for _, d := range c.dialogs {
		d.refuseOffer()
	}
	delete(c.u.legs, c.leg)
	c.u.after(linger, c.forget)
	if last != nil {
		c.u.on(last)
	}
}

// dropEarly ends the early dialogs of an INVITE that is sent again or elsewhere.
func (c *call) dropEarly() {
	for _, d := range c.dialogs {
		d.refuseOffer()
		d.drop()
	}
	clear(c.dialogs)
}

func (c *call) forget() {
	delete(c.u.calls, c.key)
	for _, a := range c.held {
		c.u.sources.release(a)
	}
	c.held = nil
	for _, d := range c.dialogs {
		d.drop()
	}
}

func (c *call) sent(method sip.RequestMethod) func(at time.Time) {
	return func(at time.Time) { c.emit(Sent{Leg: c.leg, Method: string(method), At: at}) }
}

// clean makes a phrase of the far end fit for a log line.
func clean(s string) string {
	const longest = 120
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r >= ' ' && r != 0x7f && len(out) < longest {
			out = append(out, r)
		}
	}
	return string(out)
}
