package session

import (
	"math"
	"time"
)

// A cadence is when the next RTCP packet leaves (RFC 3550 section 6.3), for a
// session of two.
type cadence struct {
	bandwidth float64 // of RTCP, in bytes a second: 5 % of the session's
	size      float64 // average compound packet with UDP and IP headers, in bytes
	sentOne   bool    // false: the first interval is half as long
}

// The constants of RFC 3550 section 6.2 and appendix A.7.
const (
	members      = 2
	minInterval  = 5 * time.Second
	compensation = math.E - 1.5 // what timer reconsideration takes away
	headers      = 28           // IPv4 and UDP
)

func newCadence(kbps int) cadence {
	return cadence{bandwidth: float64(kbps) * 1000 / 8 * 0.05, size: 100}
}

// expired decides, when the time has come, whether a packet leaves now: the
// interval is drawn again, and if it would end later, so be it (timer
// reconsideration, section 6.3.6). last is when the last one left.
func (c *cadence) expired(now, last time.Duration, random float64) (send bool, due time.Duration) {
	if due = last + c.next(random); due > now {
		return false, due
	}
	c.sentOne = true
	return true, now
}

// next is the time to wait; random is uniform in [0, 1).
func (c *cadence) next(random float64) time.Duration {
	least := minInterval
	if !c.sentOne {
		least /= 2
	}
	wait := max(time.Duration(c.size*members/c.bandwidth*float64(time.Second)), least)
	return time.Duration(float64(wait) * (0.5 + random) / compensation)
}

// passed counts a packet, ours or the other side's, into the average.
func (c *cadence) passed(bytes int) {
	c.size += (float64(bytes+headers) - c.size) / 16
}
