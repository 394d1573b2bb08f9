package session

import (
	"net/netip"
	"time"
)

// A sourceGate decides who may send to a socket. The far end's description
// says who: its address and port. Behind a NAT that changes ports, packets
// come from another port of the same address; the first such port is taken,
// once, and given up for good when the described one speaks. No packet ever
// moves the gate to another address, nor what we send to another place.
type sourceGate struct {
	described netip.AddrPort
	former    netip.AddrPort // the far end before this one, never latched
	latched   netip.AddrPort
}

// admit reports whether a packet from this source belongs to the far end.
func (g *sourceGate) admit(from netip.AddrPort) bool {
	switch {
	case from == g.described:
		g.latched = from
		return true
	case from == g.latched:
		return true
	case !g.latched.IsValid() && from.Addr() == g.described.Addr() && from != g.former:
		g.latched = from
		return true
	}
	return false
}

// The bounds on what an admitted source may do.
const (
	ssrcBurst = 4                // new SSRCs at once,
	ssrcEvery = 2 * time.Second  // and one more in this time
	ssrcProof = 2                // packets in a row before a new SSRC replaces a live one
	rtcpBurst = 20               // RTCP packets at once,
	rtcpEvery = time.Second / 20 // and one more in this time
)

// A bucket allows size things at once and one more each every.
type bucket struct {
	size  int
	every time.Duration

	used   int
	filled time.Duration // up to when the refill has been counted
}

// take reports whether one more is allowed now.
func (b *bucket) take(now time.Duration) bool {
	if back := int((now - b.filled) / b.every); back > 0 {
		b.used = max(0, b.used-back)
		b.filled += time.Duration(back) * b.every
	}
	if b.used >= b.size {
		return false
	}
	b.used++
	return true
}

// An ssrcGate follows the SSRC of an admitted source. The first one is taken
// at once. Another one replaces it after proof packets in a row, and not more
// often than the bucket allows.
type ssrcGate struct {
	proof   int
	changes bucket

	known   bool
	current uint32
	rival   uint32
	seen    int // packets of the rival in a row
}

func newSSRCGate(proof int) ssrcGate {
	return ssrcGate{proof: proof, changes: bucket{size: ssrcBurst, every: ssrcEvery}}
}

// admit reports whether a packet with this SSRC counts, and whether it begins
// a new source.
func (g *ssrcGate) admit(now time.Duration, ssrc uint32) (ok, fresh bool) {
	if g.known && ssrc == g.current {
		g.seen = 0
		return true, false
	}
	if g.known {
		if ssrc != g.rival {
			g.rival, g.seen = ssrc, 0
		}
		if g.seen++; g.seen < g.proof || !g.changes.take(now) {
			return false, false
		}
	}
	g.known, g.current, g.seen = true, ssrc, 0
	return true, true
}
