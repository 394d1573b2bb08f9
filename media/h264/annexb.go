package h264

import "bytes"

// startCode is the long form, which may stand everywhere (ITU-T H.264 annex B).
var startCode = []byte{0, 0, 0, 1}

// SplitAnnexB appends the NAL units of a byte stream (ITU-T H.264 annex B) to
// dst, without start codes and without the zero bytes around them. What comes
// before the first start code is left out, and so are empty NAL units. The NAL
// units alias stream.
func SplitAnnexB(dst [][]byte, stream []byte) [][]byte {
	short := startCode[1:]
	at := bytes.Index(stream, short)
	for at >= 0 {
		stream = stream[at+len(short):]
		at = bytes.Index(stream, short)
		nal := stream
		if at >= 0 {
			nal = stream[:at]
		}
		if nal = trimZeros(nal); len(nal) > 0 {
			dst = append(dst, nal)
		}
	}
	return dst
}

// trimZeros cuts trailing zero bytes. A NAL unit never ends with one (ITU-T
// H.264 section 7.4.1).
func trimZeros(nal []byte) []byte {
	for len(nal) > 0 && nal[len(nal)-1] == 0 {
		nal = nal[:len(nal)-1]
	}
	return nal[:len(nal):len(nal)]
}

// AppendAnnexB appends the NAL units to dst as a byte stream with four-byte
// start codes.
func AppendAnnexB(dst []byte, nals [][]byte) []byte {
	for _, n := range nals {
		dst = append(append(dst, startCode...), n...)
	}
	return dst
}
