// Package h264 carries H.264 over RTP (RFC 6184): splitting access units into
// payloads and putting them together again, Annex B byte streams, and what the
// panel needs to know of a sequence parameter set. It codes no pictures.
package h264

// NAL unit types (ITU-T H.264 table 7-1; RFC 6184 section 5.2 from 24 on).
const (
	TypeSlice = 1 // coded slice of a non-IDR picture
	TypeIDR   = 5 // coded slice of an IDR picture
	TypeSEI   = 6 // supplemental enhancement information
	TypeSPS   = 7 // sequence parameter set
	TypePPS   = 8 // picture parameter set
	TypeAUD   = 9 // access unit delimiter

	typeSTAPA = 24 // single-time aggregation packet, type A
	typeFUA   = 28 // fragmentation unit, type A
)

// Type returns the type of a NAL unit, 0 for an empty one.
func Type(nal []byte) int {
	if len(nal) == 0 {
		return 0
	}
	return int(nal[0] & 0x1F)
}

// IsKey reports whether the access unit holds an IDR slice.
func IsKey(nals [][]byte) bool {
	for _, n := range nals {
		if Type(n) == TypeIDR {
			return true
		}
	}
	return false
}

// Complete reports whether a decoder can begin with the access unit: SPS and
// PPS are there, ahead of an IDR slice.
func Complete(nals [][]byte) bool {
	var sps, pps bool
	for _, n := range nals {
		switch Type(n) {
		case TypeSPS:
			sps = true
		case TypePPS:
			pps = true
		case TypeIDR:
			return sps && pps
		}
	}
	return false
}
