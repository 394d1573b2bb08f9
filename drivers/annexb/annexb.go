// Package annexb takes apart what encoders and cameras give: H.264 as a byte
// stream (ITU-T H.264 annex B).
package annexb

import "bytes"

var startCode = []byte{0, 0, 1}

// Split appends the NAL units of a byte stream to dst, without start codes and
// without the zeros behind them. They are parts of stream.
func Split(dst [][]byte, stream []byte) [][]byte {
	at := bytes.Index(stream, startCode)
	for at >= 0 {
		stream = stream[at+len(startCode):]
		nal := stream
		if at = bytes.Index(stream, startCode); at >= 0 {
			nal = stream[:at]
		}
		if nal = bytes.TrimRight(nal, "\x00"); len(nal) > 0 {
			dst = append(dst, nal)
		}
	}
	return dst
}
