package sdp

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// Bounds of what is read, far above what any phone sends.
const (
	maxBody    = 16 << 10 // bytes
	maxMedia   = 16       // m-lines
	maxFormats = 64       // in one m-line
)

// description is a session description as the other side wrote it, cut down to
// what matters here.
type description struct {
	address   string // of the session's c= line
	direction string // of the session's direction attribute, "" if none
	dtls      bool   // a fingerprint for the whole session
	media     []media
}

// media is one m-line and the lines below it.
type media struct {
	kind      string // "audio", "video" and others
	port      int
	proto     string // such as "RTP/AVP"
	formats   []string
	address   string            // of its own or the session's c= line
	direction string            // of its own or the session's attribute, "" if none
	rtpmap    map[string]string // by payload type: "PCMU/8000"
	fmtp      map[string]string // by payload type
	rtcp      string            // value of a=rtcp
	mux       bool              // a=rtcp-mux
	dtls      bool              // a=fingerprint or a=setup, of its own or the session's
	pli, fir  bool              // a=rtcp-fb
}

// parse reads a body. It is strict about the lines it uses, and passes over all
// others, known or not.
func parse(body []byte) (*description, error) {
	if len(body) > maxBody {
		return nil, &SyntaxError{Reason: fmt.Sprintf("body of %d bytes, at most %d are read", len(body), maxBody)}
	}
	d := &description{}
	number, first := 0, true
	for line := range bytes.Lines(body) {
		number++
		text := strings.TrimRight(string(line), " \t\r\n")
		if text == "" {
			continue
		}
		if first && text != "v=0" {
			return nil, &SyntaxError{number, fmt.Sprintf("begins with %.20q instead of \"v=0\"", text)}
		}
		first = false
		if err := d.line(text); err != nil {
			return nil, &SyntaxError{number, err.Error()}
		}
	}
	if first {
		return nil, &SyntaxError{Reason: "empty body"}
	}
	d.inherit()
	return d, nil
}

// line takes one line.
func (d *description) line(text string) error {
	if len(text) < 2 || text[1] != '=' {
		return nil
	}
	value := strings.TrimLeft(text[2:], " ")
	switch text[0] {
	case 'm':
		return d.addMedia(value)
	case 'c':
		return d.connection(value)
	case 'a':
		name, rest, _ := strings.Cut(value, ":")
		d.attribute(strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(rest))
	}
	return nil
}

// addMedia reads an m-line (RFC 8866 section 5.14).
func (d *description) addMedia(value string) error {
	fields := strings.Fields(value)
	if len(fields) < 4 {
		return fmt.Errorf("m-line %.60q has %d fields, at least 4 are needed", value, len(fields))
	}
	if len(d.media) == maxMedia {
		return fmt.Errorf("more than %d m-lines", maxMedia)
	}
	if len(fields)-3 > maxFormats {
		return fmt.Errorf("%d formats in one m-line, at most %d are read", len(fields)-3, maxFormats)
	}
	digits, _, _ := strings.Cut(fields[1], "/") // a number of ports may follow
	port, err := strconv.ParseUint(digits, 10, 16)
	if err != nil {
		return fmt.Errorf("port %.20q is not a number from 0 to 65535", digits)
	}
	for _, f := range fields {
		if !isToken(f) {
			return fmt.Errorf("m-line with %.60q, only visible ASCII is allowed", f)
		}
	}
	d.media = append(d.media, media{
		kind: strings.ToLower(fields[0]), port: int(port), proto: fields[2], formats: fields[3:],
		rtpmap: map[string]string{}, fmtp: map[string]string{},
	})
	return nil
}

// isToken reports whether s can stand in a line of ours.
func isToken(s string) bool {
	for i := range len(s) {
		if s[i] <= ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// connection reads a c= line (RFC 8866 section 5.7).
func (d *description) connection(value string) error {
	fields := strings.Fields(value)
	if len(fields) != 3 || fields[0] != "IN" || fields[1] != "IP4" && fields[1] != "IP6" {
		return fmt.Errorf("c-line %.60q is not \"IN IP4\" or \"IN IP6\" with an address", value)
	}
	if n := len(d.media); n == 0 {
		d.address = fields[2]
	} else if m := &d.media[n-1]; m.address == "" {
		m.address = fields[2]
	}
	return nil
}

// attribute takes an a= line of the session, or of the last m-line.
func (d *description) attribute(name, value string) {
	var m *media
	if n := len(d.media); n > 0 {
		m = &d.media[n-1]
	}
	switch name {
	case "sendrecv", "sendonly", "recvonly", "inactive":
		if m == nil {
			d.direction = name
		} else {
			m.direction = name
		}
	case "fingerprint":
		if m == nil {
			d.dtls = true
		} else {
			m.dtls = true
		}
	default:
		if m != nil {
			m.attribute(name, value)
		}
	}
}

// attribute takes an a= line that only an m-line can have.
func (m *media) attribute(name, value string) {
	format, rest, _ := strings.Cut(value, " ")
	rest = strings.TrimSpace(rest)
	switch name {
	case "rtpmap":
		m.rtpmap[format] = rest
	case "fmtp":
		m.fmtp[format] = rest
	case "rtcp":
		m.rtcp = value
	case "rtcp-mux":
		m.mux = true
	case "rtcp-fb":
		m.pli = m.pli || rest == "nack pli"
		m.fir = m.fir || strings.HasPrefix(rest, "ccm fir")
	}
}

// inherit gives each m-line what the session says for all of them.
func (d *description) inherit() {
	for i := range d.media {
		m := &d.media[i]
		if m.address == "" {
			m.address = d.address
		}
		if m.direction == "" {
			m.direction = d.direction
		}
		m.dtls = m.dtls || d.dtls
	}
}
