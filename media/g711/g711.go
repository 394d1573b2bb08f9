// Package g711 codes speech by ITU-T G.711, mu-law (PCMU) and A-law (PCMA):
// one byte a sample, 8000 samples a second. The tables are zaf/g711's; this
// package works on the caller's slices and allocates nothing.
package g711

import "github.com/zaf/g711"

// Coded silence, to fill what is missing.
const (
	ULawSilence = 0xFF // mu-law of the sample 0
	ALawSilence = 0xD5 // A-law of the sample 0
)

// EncodeULaw codes pcm (signed 16 bit) as mu-law into dst, and returns the
// number of samples coded: the length of the shorter slice.
func EncodeULaw(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, s := range pcm[:n] {
		dst[i] = g711.EncodeUlawFrame(s)
	}
	return n
}

// DecodeULaw decodes mu-law into dst (signed 16 bit), and returns the number
// of samples decoded: the length of the shorter slice.
func DecodeULaw(dst []int16, coded []byte) int {
	n := min(len(dst), len(coded))
	for i, b := range coded[:n] {
		dst[i] = g711.DecodeUlawFrame(b)
	}
	return n
}

// EncodeALaw codes pcm (signed 16 bit) as A-law into dst, and returns the
// number of samples coded: the length of the shorter slice.
func EncodeALaw(dst []byte, pcm []int16) int {
	n := min(len(dst), len(pcm))
	for i, s := range pcm[:n] {
		dst[i] = g711.EncodeAlawFrame(s)
	}
	return n
}

// DecodeALaw decodes A-law into dst (signed 16 bit), and returns the number of
// samples decoded: the length of the shorter slice.
func DecodeALaw(dst []int16, coded []byte) int {
	n := min(len(dst), len(coded))
	for i, b := range coded[:n] {
		dst[i] = g711.DecodeAlawFrame(b)
	}
	return n
}
