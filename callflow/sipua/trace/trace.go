// Package trace remembers the SIP messages that went over the wire lately,
// without their secrets, draws them as a ladder, and writes them for Wireshark.
package trace

import (
	"bytes"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A Message is one SIP message as it was on the wire, its secrets made
// unreadable. Its length is what it was.
type Message struct {
	At      time.Time      `json:"at"`
	Out     bool           `json:"out"`     // sent by the panel
	Network string         `json:"network"` // "udp", "tcp" or "tls"
	Panel   netip.AddrPort `json:"panel"`
	Peer    netip.AddrPort `json:"peer"`
	Text    []byte         `json:"text"`
}

// Budget of a Ring: what a busy minute needs, and a small board can spare.
const (
	maxMessages = 512
	maxBytes    = 256 << 10
)

// A Ring holds the latest messages within a fixed budget of memory. The zero
// value is ready. Its methods may be called from any goroutine.
type Ring struct {
	mu    sync.Mutex
	held  []Message // the oldest first
	bytes int
}

// Add remembers a copy of m without its secrets.
func (r *Ring) Add(m Message) {
	if len(m.Text) > maxBytes {
		return
	}
	m.Text = Mask(m.Text)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = append(r.held, m)
	r.bytes += len(m.Text)
	drop := 0
	for ; len(r.held)-drop > maxMessages || r.bytes > maxBytes; drop++ {
		r.bytes -= len(r.held[drop].Text)
	}
	if drop > 0 {
		n := copy(r.held, r.held[drop:])
		clear(r.held[n:])
		r.held = r.held[:n]
	}
}

// Messages gives what is remembered, the oldest first.
func (r *Ring) Messages() []Message {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Message(nil), r.held...)
}

// Calls gives, of all messages, those of the calls whose first INVITE went over
// the wire between two times.
func Calls(all []Message, from, to time.Time) []Message {
	begun, seen := map[string]bool{}, map[string]bool{}
	var found []Message
	for _, m := range all {
		id := m.Field("Call-ID")
		if !seen[id] {
			seen[id] = true
			begun[id] = strings.HasPrefix(m.Title(), "INVITE ") && !m.At.Before(from) && !m.At.After(to)
		}
		if begun[id] {
			found = append(found, m)
		}
	}
	return found
}

// Title is the first line without the version: "INVITE sip:flat@example.com",
// "180 Ringing".
func (m Message) Title() string {
	line, _, _ := bytes.Cut(m.Text, []byte("\r\n"))
	title := strings.TrimPrefix(string(line), "SIP/2.0 ")
	return strings.TrimSuffix(title, " SIP/2.0")
}

// shortNames are the compact forms of the fields that are asked for.
var shortNames = map[string]string{"call-id": "i", "content-type": "c"}

// Field gives the first value of a header field, "" if there is none.
func (m Message) Field(name string) string {
	head, _, _ := bytes.Cut(m.Text, []byte("\r\n\r\n"))
	for line := range bytes.SplitSeq(head, []byte("\r\n")) {
		field, value, found := bytes.Cut(line, []byte(":"))
		field = bytes.TrimSpace(field)
		if found && (strings.EqualFold(string(field), name) || strings.EqualFold(string(field), shortNames[strings.ToLower(name)])) {
			return strings.TrimSpace(string(value))
		}
	}
	return ""
}
