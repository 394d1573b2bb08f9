package phone

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// errSDP is wrapped by everything that parseSDP refuses.
var errSDP = errors.New("session description")

// A description is what the phone understands of a session description
// (RFC 8866): its media sections, with the session's values filled in.
type description struct {
	media []section
}

// A section is one m= line with its attributes.
type section struct {
	kind     string // audio, video
	proto    string // RTP/AVP ...
	address  netip.AddrPort
	rtcp     netip.AddrPort
	mux      bool              // a=rtcp-mux
	formats  []string          // payload types in order of preference
	encoding map[string]string // rtpmap value by payload type, upper case
	params   map[string]string // fmtp value by payload type
	pli      bool              // a=rtcp-fb with nack pli
	sends    bool
	receives bool
}

// limit of lines read from one description; ours have about twenty.
const maxLines = 200

// parseSDP reads a description.
func parseSDP(body []byte) (description, error) {
	var d description
	session := section{sends: true, receives: true}
	at := &session
	lines := strings.Split(strings.ReplaceAll(string(body), "\r\n", "\n"), "\n")
	if len(lines) > maxLines {
		return d, fmt.Errorf("%w: %d lines, at most %d are read", errSDP, len(lines), maxLines)
	}
	for i, line := range lines {
		kind, value, found := strings.Cut(line, "=")
		if !found {
			continue
		}
		var err error
		switch kind {
		case "m":
			d.media, err = begin(d.media, session, value)
			if err == nil {
				at = &d.media[len(d.media)-1]
			}
		case "c":
			err = at.connection(value)
		case "a":
			err = at.attribute(value)
		}
		if err != nil {
			return d, fmt.Errorf("%w: line %d %q: %w", errSDP, i+1, line, err)
		}
	}
	for i := range d.media {
		d.media[i].finish()
	}
	return d, nil
}

// begin opens a section: "audio 40000 RTP/AVP 0 8 101".
func begin(media []section, session section, value string) ([]section, error) {
	fields := strings.Fields(value)
	if len(fields) < 4 {
		return media, errors.New("too short for a medium")
	}
	port, err := strconv.ParseUint(fields[1], 10, 16)
	if err != nil {
		return media, err
	}
	s := session
	s.kind, s.proto, s.formats = fields[0], fields[2], fields[3:]
	s.address = netip.AddrPortFrom(session.address.Addr(), uint16(port))
	s.encoding = make(map[string]string)
	s.params = make(map[string]string)
	return append(media, s), nil
}

// connection takes a c= line: "IN IP4 192.0.2.1".
func (s *section) connection(value string) error {
	fields := strings.Fields(value)
	if len(fields) != 3 {
		return errors.New("not a connection address")
	}
	ip, err := netip.ParseAddr(fields[2])
	if err != nil {
		return err
	}
	s.address = netip.AddrPortFrom(ip, s.address.Port())
	return nil
}

// attribute takes an a= line; those that mean nothing to a phone are passed over.
func (s *section) attribute(value string) error {
	name, rest, _ := strings.Cut(value, ":")
	switch name {
	case "sendrecv":
		s.sends, s.receives = true, true
	case "sendonly":
		s.sends, s.receives = true, false
	case "recvonly":
		s.sends, s.receives = false, true
	case "inactive":
		s.sends, s.receives = false, false
	case "rtcp-mux":
		s.mux = true
	case "rtcp":
		return s.rtcpPort(rest)
	case "rtpmap":
		if pt, enc, ok := strings.Cut(rest, " "); ok && s.encoding != nil {
			s.encoding[pt] = strings.ToUpper(strings.TrimSpace(enc))
		}
	case "fmtp":
		if pt, params, ok := strings.Cut(rest, " "); ok && s.params != nil {
			s.params[pt] = params
		}
	case "rtcp-fb":
		if strings.HasSuffix(rest, " nack pli") {
			s.pli = true
		}
	}
	return nil
}

// rtcpPort takes a=rtcp (RFC 3605); an address behind the port is read too.
func (s *section) rtcpPort(value string) error {
	port, rest, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return err
	}
	ip := netip.Addr{}
	if fields := strings.Fields(rest); len(fields) == 3 {
		if ip, err = netip.ParseAddr(fields[2]); err != nil {
			return err
		}
	}
	s.rtcp = netip.AddrPortFrom(ip, uint16(n))
	return nil
}

// finish works out where RTCP goes (RFC 3550 section 11, RFC 5761).
func (s *section) finish() {
	switch {
	case s.mux:
		s.rtcp = s.address
	case s.rtcp.Port() == 0:
		s.rtcp = netip.AddrPortFrom(s.address.Addr(), s.address.Port()+1)
	case !s.rtcp.Addr().IsValid():
		s.rtcp = netip.AddrPortFrom(s.address.Addr(), s.rtcp.Port())
	}
}

// find returns the payload types of an encoding in order of preference.
func (s *section) find(encoding string) []string {
	var found []string
	for _, pt := range s.formats {
		if s.encoding[pt] == encoding || staticEncodings[pt] == encoding && s.encoding[pt] == "" {
			found = append(found, pt)
		}
	}
	return found
}

// staticEncodings are the payload types that need no rtpmap (RFC 3551 section 6).
var staticEncodings = map[string]string{"0": "PCMU/8000", "8": "PCMA/8000"}
