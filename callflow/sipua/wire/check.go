package wire

import (
	"strconv"
	"strings"
)

// maxCSeq is the largest sequence number (RFC 3261 section 8.1.1.5).
const maxCSeq = 1<<31 - 1

// Parse reads one message of a datagram, or one that a Framer cut. What follows
// the length that the message names is dropped (RFC 3261 section 18.3). The
// error is a *Fault.
func Parse(b []byte) (*Message, error) {
	line, m, fault := split(b)
	if f := m.start(line); f != nil {
		return nil, f.of(m)
	}
	if fault != nil {
		return nil, fault.of(m)
	}
	for _, check := range []func() string{m.checkCounts, m.checkVia, m.checkAddresses, m.checkIdentity, m.checkLength} {
		if why := check(); why != "" {
			f := &Fault{Status: 400, Reason: why}
			return nil, f.of(m)
		}
	}
	return m, nil
}

// of ties a fault to its message. Responses and ACKs are never answered.
func (f *Fault) of(m *Message) *Fault {
	f.Message = m
	if !m.IsRequest() || m.Method == "ACK" {
		f.Status = 0
	}
	return f
}

// once are the fields that have one value and no more.
var once = []string{"From", "To", "Call-ID", "CSeq", "Max-Forwards", "Content-Length", "Content-Type"}

// checkCounts wants what every message has (RFC 3261 section 8.1.1), and once.
// Max-Forwards may be missing: what is older than RFC 3261 has none.
func (m *Message) checkCounts() string {
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		if len(m.Values(name)) == 0 {
			return "Missing " + name
		}
	}
	for _, name := range once {
		if len(m.Values(name)) > 1 {
			return "Repeated " + name
		}
	}
	return ""
}

func (m *Message) checkVia() string {
	return m.rewrite("Via", plainVias)
}

func (m *Message) checkAddresses() string {
	for _, name := range []string{"From", "To"} {
		if why := m.rewrite(name, plainAddress); why != "" {
			return why + " in " + name
		}
	}
	for _, name := range []string{"Contact", "Route", "Record-Route"} {
		if why := m.rewrite(name, plainAddresses); why != "" {
			return why + " in " + name
		}
	}
	return ""
}

func (m *Message) rewrite(name string, plain func(string) (string, string)) string {
	for i, v := range m.Values(name) {
		p, why := plain(v)
		if why != "" {
			return why
		}
		m.set(name, i, p)
	}
	return ""
}

// checkIdentity reads Call-ID, CSeq and Max-Forwards.
func (m *Message) checkIdentity() string {
	if id := m.Value("Call-ID"); id == "" || strings.ContainsAny(id, " \t") {
		return "Malformed Call-ID"
	}
	words := strings.Fields(m.Value("CSeq"))
	if len(words) != 2 {
		return "Malformed CSeq"
	}
	n, ok := number(words[0], maxCSeq)
	switch {
	case !ok || !IsToken(words[1]):
		return "Malformed CSeq"
	case m.IsRequest() && words[1] != m.Method:
		return "CSeq Method Mismatch"
	}
	m.set("CSeq", 0, strconv.FormatUint(n, 10)+" "+words[1])
	if all := m.Values("Max-Forwards"); len(all) > 0 {
		n, ok := number(all[0], 255)
		if !ok {
			return "Malformed Max-Forwards"
		}
		m.set("Max-Forwards", 0, strconv.FormatUint(n, 10))
	}
	return ""
}

// checkLength cuts the body to its Content-Length. Without one the body ends
// with the datagram.
func (m *Message) checkLength() string {
	all := m.Values("Content-Length")
	if len(all) == 0 {
		return ""
	}
	n, ok := number(all[0], MaxBody)
	if !ok || n > uint64(len(m.Body)) {
		return "Bad Content-Length"
	}
	m.Body = m.Body[:n]
	return ""
}
