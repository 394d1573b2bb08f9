//go:build cgo

package openh264

import (
	"sync"

	"doorstation/drivers/annexb"
)

// NAL unit types (ITU-T H.264 table 7-1).
const (
	typeIDR = 5
	typeSPS = 7
)

// unit is the list of NAL units of one frame. The lists are used again.
type unit struct {
	nals    [][]byte
	release func()
}

var units sync.Pool

// takeUnit splits a coded picture into a list from the pool.
func takeUnit(coded []byte) *unit {
	u, ok := units.Get().(*unit)
	if !ok {
		u = &unit{}
		u.release = func() {
			clear(u.nals)
			u.nals = u.nals[:0]
			units.Put(u)
		}
	}
	u.nals = annexb.Split(u.nals, coded)
	return u
}

// isKey reports whether a frame begins with SPS and has an IDR slice.
func isKey(nals [][]byte) bool {
	if len(nals) == 0 || nals[0][0]&0x1F != typeSPS {
		return false
	}
	for _, n := range nals {
		if n[0]&0x1F == typeIDR {
			return true
		}
	}
	return false
}
