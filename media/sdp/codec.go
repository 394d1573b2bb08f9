package sdp

import (
	"slices"
	"strconv"
	"strings"
)

// Payload types of our offers.
const (
	OfferedEventType = 101 // telephone-event
	offeredMode1     = 97  // H.264, packetization-mode 1
	offeredMode0     = 98  // H.264, packetization-mode 0
)

// String returns the codec's name in a=rtpmap.
func (c Codec) String() string {
	switch c {
	case PCMU:
		return "PCMU/8000"
	case PCMA:
		return "PCMA/8000"
	}
	return "codec " + strconv.Itoa(int(c))
}

// customary is what a payload type means where a=rtpmap is missing: the static
// types of RFC 3551 section 6, and those of our own offers.
var customary = map[string]string{
	"0":                            "PCMU/8000",
	"8":                            "PCMA/8000",
	strconv.Itoa(OfferedEventType): "telephone-event/8000",
	strconv.Itoa(offeredMode1):     "H264/90000",
	strconv.Itoa(offeredMode0):     "H264/90000",
}

// encoding returns what a format of the m-line stands for, in lower case and
// without a channel count of 1: "pcmu/8000". It is "" if nobody knows.
func (m *media) encoding(format string) string {
	name, ok := m.rtpmap[format]
	if !ok {
		name = customary[format]
	}
	name = strings.ToLower(strings.ReplaceAll(name, " ", ""))
	if strings.Count(name, "/") == 2 {
		name = strings.TrimSuffix(name, "/1")
	}
	return name
}

// payloadType reads a format as an RTP payload type.
func payloadType(format string) (uint8, bool) {
	n, err := strconv.ParseUint(format, 10, 7)
	return uint8(n), err == nil
}

// audioCodec finds the first format of the m-line that is one of ours.
func (m *media) audioCodec(ours []Codec) (c Codec, pt uint8, ok bool) {
	for _, f := range m.formats {
		pt, isType := payloadType(f)
		if !isType {
			continue
		}
		name := m.encoding(f)
		i := slices.IndexFunc(ours, func(c Codec) bool { return strings.ToLower(c.String()) == name })
		if i >= 0 {
			return ours[i], pt, true
		}
	}
	return 0, 0, false
}

// eventType finds the payload type of telephone-event at 8000 Hz (RFC 4733
// section 2.1: the rate is that of the audio), 0 if there is none.
func (m *media) eventType() uint8 {
	for _, f := range m.formats {
		if m.encoding(f) != "telephone-event/8000" {
			continue
		}
		if pt, ok := payloadType(f); ok {
			return pt
		}
	}
	return 0
}

// h264 is one H.264 format of an m-line.
type h264 struct {
	payloadType    uint8
	mode           int
	profileLevelID string // "" if not given
}

// baselineIDC begins the profile-level-id of the baseline profiles.
const baselineIDC = "42"

// rank orders formats by how well they suit a Constrained Baseline encoder that
// can fragment; higher is better.
func (h h264) rank() int {
	n := h.mode
	if h.profileLevelID == "" || strings.HasPrefix(strings.ToLower(h.profileLevelID), baselineIDC) {
		n += 2
	}
	return n
}

// picture finds the best H.264 format of the m-line; of equals, the first.
func (m *media) picture() (best h264, ok bool) {
	for _, f := range m.formats {
		pt, isType := payloadType(f)
		if !isType || m.encoding(f) != "h264/90000" {
			continue
		}
		h := h264{payloadType: pt, profileLevelID: m.parameter(f, "profile-level-id")}
		switch m.parameter(f, "packetization-mode") {
		case "", "0": // RFC 6184 section 8.1: 0 is the default
		case "1":
			h.mode = 1
		default: // interleaved
			continue
		}
		if !ok || h.rank() > best.rank() {
			best, ok = h, true
		}
	}
	return best, ok
}

// parameter returns one parameter of a format's a=fmtp line, "" if it is absent.
func (m *media) parameter(format, name string) string {
	for p := range strings.SplitSeq(m.fmtp[format], ";") {
		k, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.TrimSpace(v)
		}
	}
	return ""
}

// names lists what the m-line's formats stand for, for a person.
func (m *media) names() []string {
	out := make([]string, 0, len(m.formats))
	for _, f := range m.formats {
		switch name, known := m.rtpmap[f]; {
		case known:
			out = append(out, name)
		case customary[f] != "":
			out = append(out, customary[f])
		default:
			out = append(out, "payload type "+f)
		}
	}
	return out
}
