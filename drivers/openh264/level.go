//go:build cgo

package openh264

import (
	"fmt"

	"doorstation/drivers"
)

// A level bounds what a decoder must cope with (ITU-T H.264 table A-1), and the
// encoder names the lowest one that its stream keeps to.
type level struct {
	rate uint64 // macroblocks a second
	size uint64 // macroblocks in a picture
	kbps uint64 // of the bit rate, in units of 1200 bit/s (cpbBrNalFactor)
	id   string // profile_idc, constraint flags and level_idc, in hexadecimal
}

// levels that the encoder knows in Constrained Baseline, the lowest first. The
// second is level 1b, which constraint_set3_flag tells from 1.1.
var levels = [...]level{
	{1485, 99, 64, "42c00a"},
	{1485, 99, 128, "42d00b"},
	{3000, 396, 192, "42c00b"},
	{6000, 396, 384, "42c00c"},
	{11880, 396, 768, "42c00d"},
	{11880, 396, 2000, "42c014"},
	{19800, 792, 4000, "42c015"},
	{20250, 1620, 4000, "42c016"},
	{40500, 1620, 10000, "42c01e"},
	{108000, 3600, 14000, "42c01f"},
	{216000, 5120, 20000, "42c020"},
	{245760, 8192, 20000, "42c028"},
	{245760, 8192, 50000, "42c029"},
	{522240, 8704, 50000, "42c02a"},
}

// ProfileLevelID returns what the encoder will send for a format, as SDP writes
// it (RFC 6184 section 8.1), such as "42c016". It starts no encoder, whose code
// and work space a panel that only waits for a visitor would keep in memory.
func ProfileLevelID(f drivers.VideoFormat) (string, error) {
	if err := codable(f.Width, f.Height); err != nil {
		return "", err
	}
	for _, l := range levels {
		if l.holds(f) {
			return l.id, nil
		}
	}
	return "", fmt.Errorf("openh264: %dx%d pixels, %d frames and %d bits a second are above level 4.2",
		f.Width, f.Height, f.FPS, f.Bitrate)
}

// holds reports whether a stream of the format keeps to the level.
func (l level) holds(f drivers.VideoFormat) bool {
	const macroblock = 16
	w, h := uint64(f.Width+macroblock-1)/macroblock, uint64(f.Height+macroblock-1)/macroblock
	return w*h <= l.size && w*w <= 8*l.size && h*h <= 8*l.size &&
		w*h*uint64(f.FPS) <= l.rate && uint64(f.Bitrate) <= 1200*l.kbps
}
