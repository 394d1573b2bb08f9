// Package jitter turns packets that come when the network likes into sound
// when the speaker wants it: it reorders, waits as little as the network
// allows, follows a clock that runs apart from ours, and covers what is lost.
// It is pure: the caller gives the time.
//
// Everything is counted in samples of the far end's RTP clock. A packet's
// transit is its arrival less its timestamp; the smallest transit of the last
// seconds stands for a packet that met no queue, and how far the others
// exceed it is how long playing must wait.
package jitter

import "time"

// Rate is the RTP clock and sampling rate, in Hz (RFC 3551 section 4.5.14).
const Rate = 8000

const (
	capacity = 4096      // of the ring, in samples; a power of two
	packet   = Rate / 50 // 20 ms, the usual packet
	jump     = Rate / 2  // a transit this far off is another timeline
	agree    = Rate / 4  // two packets this close are on the same one
)

// Params bounds the wait.
type Params struct {
	Min, Max time.Duration // such as 20 ms and 120 ms
}

// A Buffer is the playout buffer of one audio stream. The zero value is not
// ready; use New. It is not safe for concurrent use.
type Buffer struct {
	min, max int64

	ring    ring
	wait    estimator
	conceal concealer

	started bool   // a packet has come since the last reset
	adrift  bool   // nothing plays: the next packet sets the playhead anew
	fresh   bool   // and one has come
	ssrc    uint32 // of the current source
	last    int64  // unwrapped timestamp of the last packet
	end     int64  // one past the newest sample
	play    int64  // the next sample for the speaker
	strayed bool   // the last packet was of another timeline,
	stray   int64  // with this transit
	skipped int    // frames since samples were last skipped

	late, concealed uint64
}

// New makes an empty buffer.
func New(p Params) *Buffer {
	b := &Buffer{min: samples(p.Min), max: samples(p.Max)}
	b.Reset()
	return b
}

// Reset forgets the source; the counters stay.
func (b *Buffer) Reset() {
	b.started, b.strayed, b.fresh = false, false, false
	b.adrift = true
	b.ring.clear()
	b.conceal = concealer{}
}

// Push takes the decoded samples of a packet that came at now. It may come in
// any order, late or twice. A new SSRC starts anew.
func (b *Buffer) Push(now time.Duration, ssrc, timestamp uint32, pcm []int16) {
	if len(pcm) == 0 || len(pcm) > capacity/2 {
		return
	}
	if b.started && ssrc != b.ssrc {
		b.Reset()
	}
	pos := b.last + int64(int32(timestamp-uint32(b.last)))
	transit := samples(now) - pos
	if !b.started || b.jumped(transit) {
		b.start(ssrc, timestamp, now)
		pos, transit = b.last, samples(now)-b.last
	}
	if b.strayed {
		return
	}
	b.last = pos
	b.wait.observe(samples(now), transit)
	b.put(pos, pcm)
}

// jumped reports that the far end's timeline has changed: at once while
// nothing plays, else when a second packet agrees with the first.
func (b *Buffer) jumped(transit int64) bool {
	if excess := transit - b.wait.base(); excess > -jump && excess < jump {
		b.strayed = false
		return false
	}
	if b.adrift {
		return true
	}
	off := transit - b.stray
	if b.strayed && off > -agree && off < agree {
		return true
	}
	b.stray, b.strayed = transit, true
	return false
}

// start begins a timeline with the packet of this timestamp.
func (b *Buffer) start(ssrc, timestamp uint32, now time.Duration) {
	b.ring.clear()
	b.started, b.adrift, b.strayed = true, true, false
	b.ssrc = ssrc
	b.last = int64(timestamp)
	b.end = b.last
	b.wait.reset(samples(now), samples(now)-b.last)
}

// put keeps what is not too late to be heard.
func (b *Buffer) put(pos int64, pcm []int16) {
	b.fresh = true
	past := pos + int64(len(pcm))
	if !b.adrift && past <= b.play {
		b.late++
		return
	}
	if !b.adrift && past-b.play > capacity {
		b.adrift = true // nobody has listened for long: begin with the newest
	}
	b.end = max(b.end, past)
	b.ring.put(pos, pcm)
}
