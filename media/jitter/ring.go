package jitter

// ring keeps samples by their position on the timeline. A slot carries the
// low bits of the position it was written for, so what is stale or was never
// written cannot be taken for sound.
type ring struct {
	pcm   [capacity]int16
	stamp [capacity]uint32
}

func (r *ring) clear() {
	for i := range r.stamp {
		r.stamp[i] = uint32(i) + 1 // the stamp of no position of this slot
	}
}

func (r *ring) put(pos int64, pcm []int16) {
	for i, x := range pcm {
		at := uint32(pos + int64(i))
		r.pcm[at%capacity] = x
		r.stamp[at%capacity] = at
	}
}

func (r *ring) get(pos int64) (int16, bool) {
	at := uint32(pos)
	return r.pcm[at%capacity], r.stamp[at%capacity] == at
}
