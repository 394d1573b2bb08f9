package dtmf

import "time"

const (
	// MergeWindow is how far apart two roads may report the same press.
	MergeWindow = 2 * time.Second

	// maxPresses bounds the presses remembered at once; the oldest goes first.
	maxPresses = 64
)

// A Merge makes one stream of presses out of several roads that may report the
// same ones: a phone that sends both telephone-event and INFO for each key
// counts once. The n-th report of a key by one road matches the n-th by another
// within MergeWindow; the same key twice by one road is two presses. The zero
// Merge is ready. It is not safe for concurrent use.
type Merge struct {
	presses []press // oldest first
}

// press is one that counted, and the roads that reported it.
type press struct {
	at    time.Time
	key   byte
	roads uint32 // bit per road
}

// Digit takes one report of a key by a road, a small number from 0 to 31, and
// says whether it is a press of its own.
func (m *Merge) Digit(now time.Time, road int, key byte) bool {
	m.forget(now)
	bit := uint32(1) << (road & 31)
	for i := range m.presses {
		if p := &m.presses[i]; p.key == key && p.roads&bit == 0 {
			p.roads |= bit
			return false
		}
	}
	if len(m.presses) == maxPresses {
		m.presses = append(m.presses[:0], m.presses[1:]...)
	}
	m.presses = append(m.presses, press{now, key, bit})
	return true
}

// forget drops presses that are older than MergeWindow.
func (m *Merge) forget(now time.Time) {
	n := 0
	for n < len(m.presses) && now.Sub(m.presses[n].at) > MergeWindow {
		n++
	}
	m.presses = append(m.presses[:0], m.presses[n:]...)
}
