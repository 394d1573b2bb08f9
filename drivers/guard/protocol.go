package guard

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// version is the first word of every message. It changes when a message
// changes its meaning.
const version = "2"

// Limits of the protocol.
const (
	maxMessage  = 192 // bytes, of any message
	maxName     = 24  // bytes, of the name of a relay or an input
	maxReason   = 96  // bytes, of a reason or cause
	maxDuration = time.Hour
	maxBlock    = 24 * time.Hour
)

// kind is the second word of a message.
type kind string

// The first three are the client's words, the others the guard's.
const (
	kindBeat    kind = "beat"    // the client lives; followed by text: it is sick, and with what
	kindBye     kind = "bye"     // the client ends, and means to
	kindPulse   kind = "pulse"   // seq relay ms ns reason: asked at ns
	kindWelcome kind = "welcome" // seq count: the last one that was used; resets in a row
	kindBusy    kind = "busy"    // reason: another client is served
	kindDenied  kind = "denied"  // reason: this user may not
	kindAccept  kind = "accept"  // seq
	kindRefuse  kind = "refuse"  // seq reason
	kindEdge    kind = "edge"    // seq relay on|off ns cause
	kindInput   kind = "input"   // input on|off ns ms: for how long pulses are blocked
)

// message is one message of either direction. Which fields count depends on
// its kind.
type message struct {
	kind   kind
	seq    uint32
	name   string        // of a relay or an input
	d      time.Duration // pulse, input: whole milliseconds
	active bool          // edge, input
	at     time.Duration // pulse, edge, input: CLOCK_MONOTONIC
	count  uint32        // welcome
	text   string        // reason or cause, to the end of the message; may be empty in a beat only
}

var errMessage = errors.New("malformed message")

// append writes m in the only form that parse accepts.
func (m message) append(b []byte) []byte {
	b = append(b, version+" "+string(m.kind)...)
	switch m.kind {
	case kindBeat:
		if m.text != "" {
			b = append(append(b, ' '), m.text...)
		}
	case kindPulse:
		b = appendWords(b, uint64(m.seq), m.name)
		b = append(b, ' ')
		b = strconv.AppendInt(b, m.d.Milliseconds(), 10)
		b = append(b, ' ')
		b = strconv.AppendInt(b, int64(m.at), 10)
		b = append(b, ' ')
		b = append(b, m.text...)
	case kindWelcome:
		b = append(b, ' ')
		b = strconv.AppendUint(b, uint64(m.seq), 10)
		b = append(b, ' ')
		b = strconv.AppendUint(b, uint64(m.count), 10)
	case kindAccept:
		b = append(b, ' ')
		b = strconv.AppendUint(b, uint64(m.seq), 10)
	case kindBusy, kindDenied:
		b = append(b, ' ')
		b = append(b, m.text...)
	case kindRefuse:
		b = appendWords(b, uint64(m.seq), m.text)
	case kindEdge:
		b = appendWords(b, uint64(m.seq), m.name)
		b = m.appendEdge(b)
		b = append(b, m.text...)
	case kindInput:
		b = append(b, ' ')
		b = append(b, m.name...)
		b = m.appendEdge(b)
		b = strconv.AppendInt(b, m.d.Milliseconds(), 10)
	}
	return b
}

// appendEdge writes " on NS " or " off NS ".
func (m message) appendEdge(b []byte) []byte {
	b = append(b, ' ')
	b = append(b, onOff(m.active)...)
	b = append(b, ' ')
	b = strconv.AppendInt(b, int64(m.at), 10)
	return append(b, ' ')
}

func appendWords(b []byte, n uint64, s string) []byte {
	b = append(b, ' ')
	b = strconv.AppendUint(b, n, 10)
	b = append(b, ' ')
	return append(b, s...)
}

func onOff(on bool) string {
	if on {
		return "on"
	}
	return "off"
}

// parse takes exactly what append writes, and nothing else.
func parse(raw []byte) (message, error) {
	if len(raw) > maxMessage {
		return message{}, fmt.Errorf("%w: %d bytes, limit %d", errMessage, len(raw), maxMessage)
	}
	w := words{rest: string(raw), ok: true}
	if v := w.next(); v != version {
		return message{}, fmt.Errorf("%w: version %q, want %q", errMessage, v, version)
	}
	m := message{kind: kind(w.next())}
	switch m.kind {
	case kindBye:
	case kindBeat:
		if w.rest != "" {
			m.text = w.text()
		}
	case kindPulse:
		m.seq, m.name = w.number(), w.name()
		m.d, m.at = w.milliseconds(maxDuration), w.nanoseconds()
		m.text = w.text()
	case kindWelcome:
		m.seq, m.count = w.number(), w.number()
	case kindAccept:
		m.seq = w.number()
	case kindBusy, kindDenied:
		m.text = w.text()
	case kindRefuse:
		m.seq, m.text = w.number(), w.text()
	case kindEdge:
		m.seq, m.name, m.active = w.number(), w.name(), w.onOff()
		m.at = w.nanoseconds()
		m.text = w.text()
	case kindInput:
		m.name, m.active = w.name(), w.onOff()
		m.at = w.nanoseconds()
		m.d = w.milliseconds(maxBlock)
	default:
		w.ok = false
	}
	if !w.ok || w.rest != "" || w.open {
		return message{}, fmt.Errorf("%w: %.40q", errMessage, raw)
	}
	return m, nil
}

// words takes a message apart at its single spaces. After the first thing that
// is not as it should be, ok stays false.
type words struct {
	rest string
	open bool // a space has been taken, so that something must follow
	ok   bool
}

func (w *words) next() string {
	word, rest, more := strings.Cut(w.rest, " ")
	w.rest, w.open = rest, more && rest == ""
	if word == "" {
		w.ok = false
	}
	return word
}

func (w *words) number() uint32 {
	return uint32(w.integer(1<<32 - 1))
}

func (w *words) milliseconds(limit time.Duration) time.Duration {
	return time.Duration(w.integer(limit.Milliseconds())) * time.Millisecond
}

func (w *words) nanoseconds() time.Duration { return time.Duration(w.integer(1<<63 - 1)) }

// integer takes a decimal number without sign or leading zero.
func (w *words) integer(limit int64) int64 {
	word := w.next()
	n, err := strconv.ParseInt(word, 10, 64)
	if err != nil || n < 0 || n > limit || strconv.FormatInt(n, 10) != word {
		w.ok = false
		return 0
	}
	return n
}

func (w *words) name() string {
	word := w.next()
	if !validName(word) {
		w.ok = false
	}
	return word
}

func (w *words) onOff() bool {
	switch w.next() {
	case "on":
		return true
	case "off":
	default:
		w.ok = false
	}
	return false
}

// text takes all that is left.
func (w *words) text() string {
	s := w.rest
	w.rest, w.open = "", false
	if !validText(s) {
		w.ok = false
	}
	return s
}

// validName says whether s can name a relay or an input: 1 to 24 of a-z, 0-9, '-' and '_'.
func validName(s string) bool {
	if s == "" || len(s) > maxName {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return true
}

// validText says whether s is 1 to 96 bytes of printable ASCII.
func validText(s string) bool {
	if s == "" || len(s) > maxReason {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

// printable makes a valid reason of any text: foreign bytes become '?', and
// what is too long is cut.
func printable(s string) string {
	b := []byte(s)
	b = b[:min(len(b), maxReason)]
	for i, c := range b {
		if c < ' ' || c > '~' {
			b[i] = '?'
		}
	}
	if len(b) == 0 {
		return "-"
	}
	return string(b)
}
