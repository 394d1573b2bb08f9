// Package wire reads SIP messages off the wire: it cuts streams into messages,
// unfolds and checks what RFC 3261 section 25 says about the fields that every
// element has to understand, and writes the message again in one plain form.
// What passes is grammatical; whether it makes sense is decided elsewhere.
//
// It is pure: bytes in, messages and faults out.
package wire

import (
	"bytes"
	"strconv"
	"strings"
)

// A Field is one header field line, unfolded. The name of a known compact form
// is written out (RFC 3261 section 7.3.3).
type Field struct{ Name, Value string }

// A Message is one SIP message. A request has a Method and a URI, a response a
// Status of 100 to 699.
type Message struct {
	Method, URI string
	Status      int
	Reason      string
	Fields      []Field // in the order of the wire
	Body        []byte  // a part of what was read, not a copy
}

// IsRequest reports whether m is a request.
func (m *Message) IsRequest() bool { return m.Method != "" }

// Values gives the lines of a field, by its long name in any case.
func (m *Message) Values(name string) []string {
	var all []string
	for _, f := range m.Fields {
		if strings.EqualFold(f.Name, name) {
			all = append(all, f.Value)
		}
	}
	return all
}

// Value gives the first line of a field, "" if there is none.
func (m *Message) Value(name string) string {
	if all := m.Values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

// set replaces the value of the nth line of a field.
func (m *Message) set(name string, nth int, value string) {
	for i, f := range m.Fields {
		if !strings.EqualFold(f.Name, name) {
			continue
		}
		if nth == 0 {
			m.Fields[i].Value = value
			return
		}
		nth--
	}
}

// Bytes writes the message in its plain form: one line a field, single spaces,
// and a Content-Length that is right.
func (m *Message) Bytes() []byte {
	var b bytes.Buffer
	if m.IsRequest() {
		b.WriteString(m.Method + " " + m.URI + " SIP/2.0\r\n")
	} else {
		b.WriteString("SIP/2.0 " + strconv.Itoa(m.Status) + " " + m.Reason + "\r\n")
	}
	for _, f := range m.Fields {
		if !strings.EqualFold(f.Name, "Content-Length") {
			b.WriteString(f.Name + ": " + f.Value + "\r\n")
		}
	}
	b.WriteString("Content-Length: " + strconv.Itoa(len(m.Body)) + "\r\n\r\n")
	b.Write(m.Body)
	return b.Bytes()
}

// A Fault is why a message is not taken. Status is what a request is to be
// answered with; 0 asks for silence, as for every response and every ACK.
type Fault struct {
	Status  int
	Reason  string
	Message *Message // as much of it as was understood; nil without a start line
}

func (f *Fault) Error() string { return "sip message not taken: " + f.Reason }

// Answer writes the response to a request that was not taken: the fields that
// RFC 3261 section 8.2.6.2 wants, as they came, and nothing about us. Nil where
// no answer is due. received and rport go into the top Via (RFC 3581 section 4).
func (f *Fault) Answer(tag, received string, rport uint16) []byte {
	m := f.Message
	if f.Status == 0 || m == nil || len(m.Values("Via")) == 0 {
		return nil
	}
	var b bytes.Buffer
	b.WriteString("SIP/2.0 " + strconv.Itoa(f.Status) + " " + f.Reason + "\r\n")
	for i, via := range m.Values("Via") {
		if i == 0 {
			via = answeredVia(via, received, rport)
		}
		b.WriteString("Via: " + via + "\r\n")
	}
	for _, name := range []string{"From", "To", "Call-ID", "CSeq"} {
		for _, v := range m.Values(name) {
			if name == "To" && !hasParam(v, "tag") {
				v += ";tag=" + tag
			}
			b.WriteString(name + ": " + v + "\r\n")
		}
	}
	b.WriteString("Content-Length: 0\r\n\r\n")
	return b.Bytes()
}

// Port is where the answer goes over UDP (RFC 3261 section 18.2.2, RFC 3581
// section 4): the port the request came from if its Via asks for that or cannot
// be read, else the one that Via names.
func (f *Fault) Port(from uint16) uint16 {
	first, _, _ := cutTop(f.Message.Value("Via"), ',')
	if _, why := plainVia(first); why != "" || hasParam(first, "rport") {
		return from
	}
	_, by, _ := strings.Cut(trim(uptoAny(first, ";")), " ")
	if i := strings.LastIndexByte(by, ':'); i > strings.LastIndexByte(by, ']') {
		if n, ok := number(trim(by[i+1:]), 65535); ok {
			return uint16(n)
		}
	}
	return defaultPort
}

// defaultPort of SIP over UDP and TCP (RFC 3261 section 19.1.2).
const defaultPort = 5060

// answeredVia marks the first value of a Via line with where it came from.
func answeredVia(line, received string, rport uint16) string {
	first, rest, more := cutTop(line, ',')
	if hasParam(first, "rport") {
		first = strings.TrimRight(dropParam(first, "rport"), " \t") + ";rport=" + strconv.Itoa(int(rport))
	}
	first = strings.TrimRight(first, " \t") + ";received=" + received
	if more {
		return first + "," + rest
	}
	return first
}
