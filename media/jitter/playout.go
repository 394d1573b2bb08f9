package jitter

import "time"

const (
	slack    = Rate / 100 // waiting 10 ms too long is let be
	skip     = Rate / 200 // 5 ms at a time are left out to catch up,
	skipRest = 10         // at most once in so many frames
)

// Pull fills frame with the next samples for the speaker, at now. It reports
// false, and gives silence, when the far end has nothing to say.
func (b *Buffer) Pull(now time.Duration, frame []int16) bool {
	if !b.started || b.adrift && !b.fresh {
		clear(frame)
		return false
	}
	n := int64(len(frame))
	clock := samples(now) - b.wait.base()
	b.steer(clock)
	real := n - b.stretch(clock, n)
	heard := b.fill(frame, real)
	b.play += real
	b.fresh = false
	if !heard && !b.conceal.audible() && b.end <= b.play {
		b.adrift = true
	}
	return heard || b.conceal.audible()
}

// stretch is how many of the frame's n samples are invented to wait for those
// that are not there yet: none while the frame is whole, or when the wait is
// long enough already and they must be lost. It waits a little longer than the
// network asks for, so as not to stretch every frame.
func (b *Buffer) stretch(clock, n int64) int64 {
	missing := n - min(max(b.end-b.play, 0), n)
	short := b.target() - (clock - b.play)
	if missing == 0 || short <= 0 {
		return 0
	}
	return min(max(missing, short+slack/2), n)
}

// fill copies what is there of the first real samples, and invents the rest.
func (b *Buffer) fill(frame []int16, real int64) (heard bool) {
	var holes bool
	for i := range frame {
		x, ok := b.ring.get(b.play + int64(i))
		if ok && int64(i) < real {
			frame[i] = b.conceal.good(x)
			heard = true
			continue
		}
		frame[i] = b.conceal.missing()
		holes = true
	}
	if holes && b.conceal.audible() {
		b.concealed++
	}
	return heard
}

// steer sets the playhead where nothing plays or it is far off, and else
// nudges it towards the wait that the network asks for.
func (b *Buffer) steer(clock int64) {
	over := clock - b.play - b.target()
	b.skipped++
	switch {
	case b.adrift:
		b.adrift = false
		b.play = clock - b.target()
	case over > capacity/4:
		b.play = clock - b.target()
		b.conceal.cut()
	case over > slack && b.skipped >= skipRest:
		b.skipped = 0
		b.play += skip
		b.conceal.cut()
	}
}

// target is the wait that the network asks for now: what the slowest packets
// of late took longer than the quickest, and one packet because a frame may
// begin in the middle of one.
func (b *Buffer) target() int64 {
	return min(max(b.wait.peak()+packet, b.min), b.max)
}

// Delay is the wait in force.
func (b *Buffer) Delay() time.Duration {
	return time.Duration(b.target()) * time.Second / Rate
}

// Late counts packets that came after their turn; Concealed counts frames
// with something invented.
func (b *Buffer) Late() uint64      { return b.late }
func (b *Buffer) Concealed() uint64 { return b.concealed }

func samples(d time.Duration) int64 { return int64(d * Rate / time.Second) }
