package sipua

import (
	"maps"
	"net/netip"
	"time"
)

// A request of more than this goes over TCP where the path's MTU is unknown (RFC
// 3261 section 18.1.1).
const largestRequest = 1300

// Times of the change to TCP.
const (
	switchWithin = time.Second // for the connection; a visitor waits
	noTCPFor     = time.Hour   // who refused it is not asked again before
)

// tooLarge reports whether a request should not go over UDP.
func (u *UA) tooLarge(t *clientTx) bool {
	const roomForVia = 200
	if t.hop.network != "udp" || len(t.req.Body()) == 0 || len(t.req.String())+roomForVia <= largestRequest {
		return false
	}
	whole := t.req.Clone()
	u.stamp(whole, t.hop)
	return len(whole.String()) > largestRequest && time.Now().After(u.noTCP[t.hop.addr])
}

// launchLarge sends a request over TCP, or over UDP all the same where the other
// side takes no connection.
func (u *UA) launchLarge(t *clientTx) {
	over := t.hop
	over.network, over.switched = "tcp", true
	settled := false
	settle := func(err error) {
		if settled || t.dropped || t.final {
			return
		}
		settled = true
		if err == nil {
			t.hop = over
		} else {
			u.refusedTCP(t.hop)
		}
		u.launch(t)
	}
	u.overStream(over, settle)
	u.after(switchWithin, func() { settle(errTimeout) })
}

// refusedTCP remembers who took no connection.
func (u *UA) refusedTCP(h hop) {
	now := time.Now()
	maps.DeleteFunc(u.noTCP, func(_ netip.AddrPort, until time.Time) bool { return now.After(until) })
	u.noTCP[h.addr] = now.Add(noTCPFor)
}
