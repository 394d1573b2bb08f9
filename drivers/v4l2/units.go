package v4l2

import (
	"bytes"
	"slices"

	"doorstation/drivers/annexb"
)

// NAL unit types (ITU-T H.264 table 7-1).
const (
	nalSlice = 1
	nalIDR   = 5
	nalSPS   = 7
	nalPPS   = 8
	nalAUD   = 9
)

// An assembler makes access units out of what an H.264 camera gives: a buffer
// is one picture in the byte stream format, with parameter sets before an IDR
// picture or only at the beginning.
type assembler struct {
	sps, pps []byte
	begun    bool // a key frame has come
}

// take returns the NAL units of one frame, in memory of their own, with the
// parameter sets before an IDR picture; nil if there is nothing to show yet.
func (a *assembler) take(data []byte) (nals [][]byte, key bool) {
	pictures := 0
	for _, nal := range annexb.Split(nil, bytes.Clone(data)) {
		switch nal[0] & 0x1F {
		case nalSPS:
			a.sps = nal
			continue
		case nalPPS:
			a.pps = nal
			continue
		case nalAUD:
			continue
		case nalIDR:
			key = true
			pictures++
		case nalSlice:
			pictures++
		}
		nals = append(nals, nal)
	}
	if key && a.sps != nil && a.pps != nil {
		nals = slices.Insert(nals, 0, a.sps, a.pps)
		a.begun = true
	}
	if !a.begun || pictures == 0 {
		return nil, false
	}
	return nals, key
}
