package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// Bounds of one message. A door station needs less; a phone with much to say
// about itself stays within them too.
const (
	MaxHead   = 16 << 10
	MaxBody   = 48 << 10
	maxFields = 200
)

// compact are the short names (RFC 3261 section 7.3.3 and later extensions).
var compact = map[string]string{
	"a": "Accept-Contact", "b": "Referred-By", "c": "Content-Type", "d": "Request-Disposition",
	"e": "Content-Encoding", "f": "From", "i": "Call-ID", "j": "Reject-Contact", "k": "Supported",
	"l": "Content-Length", "m": "Contact", "o": "Event", "r": "Refer-To", "s": "Subject", "t": "To",
	"u": "Allow-Events", "v": "Via", "x": "Session-Expires", "y": "Identity",
}

// split cuts a message into start line, fields and what follows the empty line.
func split(b []byte) (start string, m *Message, fault *Fault) {
	m = &Message{}
	head, body, complete := bytes.Cut(b, []byte("\r\n\r\n"))
	m.Body = body
	if len(head) > MaxHead || len(body) > MaxBody {
		return "", m, &Fault{Reason: "Message Too Large"}
	}
	lines := strings.Split(strings.TrimSuffix(string(head), "\r\n"), "\r\n")
	if len(lines) > maxFields {
		return "", m, &Fault{Reason: "Too Many Header Fields"}
	}
	for _, line := range lines[1:] {
		if why := m.add(line); why != "" && fault == nil {
			fault = &Fault{Status: 400, Reason: why}
		}
	}
	if !complete && fault == nil {
		fault = &Fault{Status: 400, Reason: "Incomplete Header Section"}
	}
	return lines[0], m, fault
}

// add takes one line: a new field, or the rest of the one before (RFC 3261
// section 7.3.1). It says what is wrong with it.
func (m *Message) add(line string) (why string) {
	if strings.ContainsAny(line, "\r\n") {
		return "Bare Line End"
	}
	if line != "" && (line[0] == ' ' || line[0] == '\t') {
		if len(m.Fields) == 0 {
			return "Folded Start Line"
		}
		last := &m.Fields[len(m.Fields)-1]
		last.Value = strings.TrimSpace(last.Value + " " + trim(line))
		return ""
	}
	name, value, found := strings.Cut(line, ":")
	name = strings.TrimRight(name, " \t")
	if !found || !IsToken(name) {
		return "Malformed Header Field"
	}
	if long, ok := compact[strings.ToLower(name)]; ok {
		name = long
	}
	m.Fields = append(m.Fields, Field{name, trim(value)})
	return ""
}

// start reads the first line (RFC 3261 sections 7.1, 7.2).
func (m *Message) start(line string) *Fault {
	if isVersion(line[:min(len(line), len("SIP/2.0"))]) && strings.HasPrefix(line[len("SIP/2.0"):], " ") {
		return m.statusLine(line[len("SIP/2.0 "):])
	}
	method, rest, _ := strings.Cut(line, " ")
	uri, version, found := strings.Cut(rest, " ")
	if !IsToken(method) || !found {
		return &Fault{Reason: "Malformed Start Line"}
	}
	m.Method, m.URI = method, uri
	switch {
	case isVersion(version):
	case otherVersion(version):
		return &Fault{Status: 505, Reason: "Version Not Supported"}
	default:
		return &Fault{Status: 400, Reason: "Malformed Request-Line"}
	}
	if why := checkURI(uri); why != "" {
		return &Fault{Status: 400, Reason: why}
	}
	if hostPort, ok := sipHost(uri); ok && strings.Contains(hostPort, "?") {
		return &Fault{Status: 400, Reason: "Header Fields in Request-URI"} // RFC 3261 section 19.1.1
	}
	return nil
}

func (m *Message) statusLine(rest string) *Fault {
	code, reason, _ := strings.Cut(rest, " ")
	n, err := strconv.Atoi(code)
	if err != nil || len(code) != 3 || n < 100 || n > 699 {
		return &Fault{Reason: "Malformed Status-Line"}
	}
	m.Status, m.Reason = n, reason
	return nil
}

func isVersion(s string) bool { return strings.EqualFold(s, "SIP/2.0") }

// otherVersion reports whether s is the version of another SIP.
func otherVersion(s string) bool {
	major, minor, found := strings.Cut(strings.TrimPrefix(strings.ToUpper(s), "SIP/"), ".")
	return len(s) > len("SIP/") && strings.EqualFold(s[:len("SIP/")], "SIP/") && found && isDigits(major) && isDigits(minor)
}

func trim(s string) string { return strings.Trim(s, " \t") }
