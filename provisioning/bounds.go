package provisioning

import (
	"fmt"
	"strconv"
	"time"
)

// weekdays, codecs and the word lists are all that a document may name.
var (
	weekdays      = []string{"mon", "tue", "wed", "thu", "fri", "sat", "sun"}
	codecs        = []string{"pcmu", "pcma"}
	transports    = []string{"udp", "tcp", "tls"}
	lineWays      = append([]string{"auto"}, transports...)
	digests       = []string{"md5", "sha-256", "sha-512-256"}
	secondPresses = []string{"cancel", "keep"}
	refusals      = []string{"next", "stop"}
	rights        = []string{"talk", "listen", "see"}
	endKeys       = []string{"", "#", "*"}
	cameraPowers  = []string{"always", "call"}
)

const (
	longestCode    = 16 // digits
	shortestSecret = 8  // characters of the web password
	fewestPorts    = 4  // RTP and RTCP of one phone with picture
)

// usualEntries is how long a list may be that is not in longLists.
const usualEntries = 64

// longLists are the lists that may be longer or shorter than others, by path
// without indices. With them, checking every entry against every other stays quick.
var longLists = map[string]int{"flats": 1000, "doors": 16, "doors.codes": 1000, "time.servers": 8, "account.servers": 8, "standby.servers": 8, "flats.direct": 8}

// mostEntries is how long the list at path may be.
func mostEntries(path string) int {
	if most, ok := longLists[plain(path)]; ok {
		return most
	}
	return usualEntries
}

// A span is what a number may be, both ends included.
type span struct {
	Min, Max int
	Unit     string // with its leading space, or empty
}

func (s span) has(v int) bool { return s.Min <= v && v <= s.Max }

func (s span) String() string { return fmt.Sprintf("must be %d to %d%s", s.Min, s.Max, s.Unit) }

// spans are the limits of the whole numbers, by path without indices.
var spans = map[string]span{
	"network.sip_port":      {0, 65535, ""},
	"network.rtp_min":       {1024, 65534, ""},
	"network.rtp_max":       {1024, 65535, ""},
	"keypad.tries_per_call": {1, 20, " tries"},
	"keypad.tries_per_hour": {1, 1000, " tries"},
	"video.width":           {160, 1920, " pixels"},
	"video.height":          {120, 1088, " pixels"},
	"video.fps":             {1, 30, " frames a second"},
	"video.kbps":            {32, 8000, " kbit/s"},
}

// A stretch is what a duration may be, both ends included.
type stretch struct {
	Min, Max time.Duration
	OrZero   bool // 0 means never
}

func (s stretch) has(d Duration) bool {
	v := time.Duration(d)
	return s.Min <= v && v <= s.Max || s.OrZero && v == 0
}

func (s stretch) String() string {
	text := "must be " + Duration(s.Min).String() + " to " + Duration(s.Max).String()
	if s.OrZero {
		text += ", or 0 for never"
	}
	return text
}

// stretches are the limits of the durations, by path without indices.
var stretches = map[string]stretch{
	"account.expires":            {Min: time.Minute, Max: 24 * time.Hour},
	"account.keepalive":          {Min: time.Second, Max: 10 * time.Minute, OrZero: true},
	"account.spread":             {Max: 5 * time.Minute},
	"standby.expires":            {Min: time.Minute, Max: 24 * time.Hour},
	"standby.keepalive":          {Min: time.Second, Max: 10 * time.Minute, OrZero: true},
	"standby.spread":             {Max: 5 * time.Minute},
	"flats.stages.for":           {Min: time.Second, Max: 10 * time.Minute},
	"flats.stages.targets.after": {Max: 5 * time.Minute},
	"doors.pulse":                {Min: 50 * time.Millisecond, Max: time.Minute},
	"doors.held_after":           {Min: 5 * time.Second, Max: 24 * time.Hour, OrZero: true},
	"keypad.gap":                 {Min: 500 * time.Millisecond, Max: 30 * time.Second},
	"call.ring_for":              {Min: time.Second, Max: 10 * time.Minute},
	"call.talk_for":              {Min: time.Second, Max: time.Hour},
	"call.warn_before":           {Min: time.Second, Max: time.Minute, OrZero: true},
	"call.hang_up_after_open":    {Min: time.Second, Max: time.Minute, OrZero: true},
	"call.session_expires":       {Min: 90 * time.Second, Max: 24 * time.Hour},
	"call.probe":                 {Min: time.Minute, Max: 24 * time.Hour, OrZero: true},
	"call.no_media_for":          {Min: time.Second, Max: 10 * time.Minute, OrZero: true},
	"stun.keepalive":             {Min: time.Second, Max: 10 * time.Minute},
}

// number checks the whole number at path; the span's key is path without indices.
func (v *validator) number(path string, n int) {
	if s := spans[plain(path)]; !s.has(n) {
		v.add(path, strconv.Itoa(n), s.String())
	}
}

// lasting checks the duration at path.
func (v *validator) lasting(path string, d Duration) {
	if s := stretches[plain(path)]; !s.has(d) {
		v.add(path, d.String(), s.String())
	}
}

// plain drops the indices of a path: "doors[0].pulse" becomes "doors.pulse".
func plain(path string) string {
	out := make([]byte, 0, len(path))
	inside := false
	for _, c := range []byte(path) {
		switch {
		case c == '[':
			inside = true
		case c == ']':
			inside = false
		case !inside:
			out = append(out, c)
		}
	}
	return string(out)
}
