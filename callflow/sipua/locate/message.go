package locate

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// largestAnswer is what we take over UDP, below the smallest MTU on the way.
const largestAnswer = 1232

// typeNAPTR is the type of naming authority pointers (RFC 3403 section 4.1).
const typeNAPTR dnsmessage.Type = 35

var (
	errForeign  = errors.New("answers another question")
	errBadNAPTR = errors.New("a NAPTR record is malformed")
)

// newQuestion asks for the records of one type that a name has.
func newQuestion(name string, kind dnsmessage.Type) (dnsmessage.Question, error) {
	absolute, err := dnsmessage.NewName(strings.TrimSuffix(name, ".") + ".")
	return dnsmessage.Question{Name: absolute, Type: kind, Class: dnsmessage.ClassINET}, err
}

// packQuery writes a query with one question and, by EDNS (RFC 6891), the size
// of the answer that we take.
func packQuery(id uint16, asked dnsmessage.Question) ([]byte, error) {
	var room dnsmessage.ResourceHeader
	if err := room.SetEDNS0(largestAnswer, dnsmessage.RCodeSuccess, false); err != nil {
		return nil, err
	}
	query := dnsmessage.Message{
		Header:      dnsmessage.Header{ID: id, RecursionDesired: true},
		Questions:   []dnsmessage.Question{asked},
		Additionals: []dnsmessage.Resource{{Header: room, Body: &dnsmessage.OPTResource{}}},
	}
	return query.Pack()
}

// A reply is what a name server says to a question; a name that nobody has gives
// an empty one.
type reply struct {
	truncated bool // more than a datagram holds: the rest is missing
	addrs     []netip.Addr
	srv       []SRV
	naptr     []NAPTR
	ttl       time.Duration // the shortest of all records: an alias on the way may be the first to change
}

// parseReply reads the reply to a question. errForeign says that the message is
// none; another error, that the server fails.
func parseReply(raw []byte, id uint16, asked dnsmessage.Question) (reply, error) {
	r := reply{ttl: longestTTL}
	var p dnsmessage.Parser
	h, err := p.Start(raw)
	if err != nil || h.ID != id || !h.Response {
		return r, errForeign
	}
	questions, err := p.AllQuestions()
	fails := h.RCode != dnsmessage.RCodeSuccess && h.RCode != dnsmessage.RCodeNameError
	switch {
	case err != nil, len(questions) > 1, len(questions) == 1 && !same(questions[0], asked):
		return r, errForeign
	case fails:
		return r, fmt.Errorf("answers %s", codeName(h.RCode))
	case len(questions) == 0: // only a server that did not understand may leave it out
		return r, errForeign
	}
	if h.Truncated {
		r.truncated = true
		return r, nil
	}
	return r, r.read(&p, asked.Type)
}

// same reports whether two questions are one; names know no case.
func same(a, b dnsmessage.Question) bool {
	return a.Type == b.Type && a.Class == b.Class && strings.EqualFold(a.Name.String(), b.Name.String())
}

// codeName is a response code as people know it (RFC 1035 section 4.1.1).
func codeName(code dnsmessage.RCode) string {
	switch code {
	case dnsmessage.RCodeFormatError:
		return "FORMERR"
	case dnsmessage.RCodeServerFailure:
		return "SERVFAIL"
	case dnsmessage.RCodeNotImplemented:
		return "NOTIMP"
	case dnsmessage.RCodeRefused:
		return "REFUSED"
	}
	return fmt.Sprintf("code %d", code)
}

// read takes the records of one type from the answer section.
func (r *reply) read(p *dnsmessage.Parser, kind dnsmessage.Type) error {
	for {
		h, err := p.AnswerHeader()
		if errors.Is(err, dnsmessage.ErrSectionDone) {
			return nil
		}
		if err != nil {
			return err
		}
		r.ttl = min(r.ttl, time.Duration(h.TTL)*time.Second)
		if h.Type != kind || h.Class != dnsmessage.ClassINET {
			err = p.SkipAnswer()
		} else {
			err = r.take(p, kind)
		}
		if err != nil {
			return err
		}
	}
}

// take takes the record that the parser stands at.
func (r *reply) take(p *dnsmessage.Parser, kind dnsmessage.Type) error {
	switch kind {
	case dnsmessage.TypeA:
		a, err := p.AResource()
		r.addrs = append(r.addrs, netip.AddrFrom4(a.A))
		return err
	case dnsmessage.TypeAAAA:
		a, err := p.AAAAResource()
		r.addrs = append(r.addrs, netip.AddrFrom16(a.AAAA).Unmap())
		return err
	case dnsmessage.TypeSRV:
		s, err := p.SRVResource()
		r.srv = append(r.srv, SRV{Priority: s.Priority, Weight: s.Weight, Port: s.Port, Target: s.Target.String()})
		return err
	case typeNAPTR:
		raw, err := p.UnknownResource()
		if err != nil {
			return err
		}
		pointer, err := parseNAPTR(raw.Data)
		r.naptr = append(r.naptr, pointer)
		return err
	}
	return p.SkipAnswer()
}

// parseNAPTR reads the data of a record (RFC 3403 section 4.1). Its regular
// expression is passed over: SIP has no use for it (RFC 3263 section 4.1).
func parseNAPTR(data []byte) (NAPTR, error) {
	if len(data) < 4 {
		return NAPTR{}, errBadNAPTR
	}
	n := NAPTR{Order: binary.BigEndian.Uint16(data), Preference: binary.BigEndian.Uint16(data[2:])}
	data = data[4:]
	var expression string
	for _, field := range []*string{&n.Flags, &n.Service, &expression} {
		word, rest, ok := cutString(data)
		if !ok {
			return NAPTR{}, errBadNAPTR
		}
		*field, data = word, rest
	}
	var labels []string
	for {
		label, rest, ok := cutString(data)
		switch {
		case !ok, len(label) > maxLabel, strings.Contains(label, "."):
			return NAPTR{}, errBadNAPTR
		case label == "" && len(rest) > 0:
			return NAPTR{}, errBadNAPTR
		case label == "":
			n.Replacement = strings.Join(labels, ".")
			return n, nil
		}
		labels, data = append(labels, label), rest
	}
}

// maxLabel is the longest label of a name, in bytes. What seems to be a longer
// one is a pointer to another name, which a NAPTR record must not have.
const maxLabel = 63

// cutString takes a string with its length before it off data.
func cutString(data []byte) (word string, rest []byte, ok bool) {
	if len(data) == 0 || len(data) < 1+int(data[0]) {
		return "", nil, false
	}
	end := 1 + int(data[0])
	return string(data[1:end]), data[end:], true
}
