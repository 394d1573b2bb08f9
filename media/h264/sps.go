package h264

import (
	"errors"
	"fmt"
)

// An SPS is what the panel needs of a sequence parameter set (ITU-T H.264
// section 7.3.2.1.1).
type SPS struct {
	Profile     uint8 // profile_idc
	Constraints uint8 // the constraint_set flags, as they stand in the byte
	Level       uint8 // level_idc, ten times the level
	Width       int   // pixels, after cropping
	Height      int
}

// ProfileLevelID returns the value for SDP (RFC 6184 section 8.1), such as
// "42c016".
func (s SPS) ProfileLevelID() string {
	return fmt.Sprintf("%02x%02x%02x", s.Profile, s.Constraints, s.Level)
}

// maxDimension bounds what ParseSPS believes, in pixels: level 6.2's widest.
const maxDimension = 16880

var errShortSPS = errors.New("h264: sequence parameter set cut short")

// ParseSPS reads a sequence parameter set NAL unit, header included. It knows
// the 4:2:0 and monochrome profiles that carry no scaling matrices.
func ParseSPS(nal []byte) (SPS, error) {
	if Type(nal) != TypeSPS {
		return SPS{}, fmt.Errorf("h264: NAL unit of type %d is no sequence parameter set", Type(nal))
	}
	if len(nal) < 5 {
		return SPS{}, errShortSPS
	}
	s := SPS{Profile: nal[1], Constraints: nal[2], Level: nal[3]}
	b := &bits{data: unescape(nal[4:])}
	b.ue() // seq_parameter_set_id
	mono, err := chroma(b, s.Profile)
	if err != nil {
		return SPS{}, err
	}
	skipOrder(b)
	s.Width, s.Height = size(b, mono)
	if b.short {
		return SPS{}, errShortSPS
	}
	if s.Width <= 0 || s.Height <= 0 || s.Width > maxDimension || s.Height > maxDimension {
		return SPS{}, fmt.Errorf("h264: sequence parameter set names %dx%d pixels, at most %d each way are possible", s.Width, s.Height, maxDimension)
	}
	return s, nil
}

// chroma reads what only the high profiles have, and reports monochrome.
func chroma(b *bits, profile uint8) (mono bool, err error) {
	switch profile {
	case 100, 110, 122, 244, 44, 83, 86, 118, 128:
	default:
		return false, nil
	}
	format := b.ue()
	if format > 1 {
		return false, fmt.Errorf("h264: chroma format %d; only 4:2:0 and monochrome are known", format)
	}
	b.ue() // bit_depth_luma_minus8
	b.ue() // bit_depth_chroma_minus8
	b.u(1) // qpprime_y_zero_transform_bypass_flag
	if b.u(1) == 1 {
		return false, errors.New("h264: sequence parameter set with scaling matrices")
	}
	return format == 0, nil
}

// skipOrder reads past frame numbers, picture order and reference frames.
func skipOrder(b *bits) {
	b.ue() // log2_max_frame_num_minus4
	switch b.ue() {
	case 0:
		b.ue() // log2_max_pic_order_cnt_lsb_minus4
	case 1:
		b.u(1) // delta_pic_order_always_zero_flag
		b.ue() // offset_for_non_ref_pic
		b.ue() // offset_for_top_to_bottom_field
		for n := min(b.ue(), 255); n > 0; n-- {
			b.ue() // offset_for_ref_frame
		}
	}
	b.ue() // max_num_ref_frames
	b.u(1) // gaps_in_frame_num_value_allowed_flag
}

// size reads the picture's size in macroblocks and what is cropped away, in
// units of two pixels (ITU-T H.264 equations 7-19 to 7-22).
func size(b *bits, mono bool) (width, height int) {
	width = 16 * (b.small() + 1)
	mapUnits := b.small() + 1
	frameOnly := int(b.u(1))
	height = 16 * mapUnits * (2 - frameOnly)
	if frameOnly == 0 {
		b.u(1) // mb_adaptive_frame_field_flag
	}
	b.u(1) // direct_8x8_inference_flag
	if b.u(1) == 1 {
		unit := 2
		if mono {
			unit = 1
		}
		width -= unit * (b.small() + b.small())
		height -= unit * (2 - frameOnly) * (b.small() + b.small())
	}
	return width, height
}

// unescape removes the emulation prevention bytes (ITU-T H.264 section 7.4.1).
func unescape(nal []byte) []byte {
	out := make([]byte, 0, len(nal))
	zeros := 0
	for _, c := range nal {
		if zeros >= 2 && c == 3 {
			zeros = 0
			continue
		}
		zeros++
		if c != 0 {
			zeros = 0
		}
		out = append(out, c)
	}
	return out
}

// bits reads a bit string; short is set once it was read past its end.
type bits struct {
	data  []byte
	pos   int
	short bool
}

// u reads n bits, most significant first; n is at most 32.
func (b *bits) u(n int) uint32 {
	var v uint32
	for range n {
		if b.pos >= 8*len(b.data) {
			b.short = true
			return 0
		}
		v = v<<1 | uint32(b.data[b.pos/8]>>(7-b.pos%8)&1)
		b.pos++
	}
	return v
}

// ue reads an Exp-Golomb number (ITU-T H.264 section 9.1).
func (b *bits) ue() uint32 {
	zeros := 0
	for b.u(1) == 0 && !b.short {
		zeros++
	}
	if zeros > 31 {
		b.short = true
		return 0
	}
	return 1<<zeros - 1 + b.u(zeros)
}

// small reads an Exp-Golomb number that belongs to a picture's size, and stops
// at maxDimension, which makes the size impossible.
func (b *bits) small() int {
	return int(min(b.ue(), maxDimension))
}
