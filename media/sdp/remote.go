package sdp

import (
	"net/netip"
	"strconv"
	"strings"
)

// The words of the direction attributes (RFC 8866 section 6.7).
var directionWords = map[string]Direction{
	"":         SendRecv, // the default
	"sendrecv": SendRecv,
	"sendonly": SendOnly,
	"recvonly": RecvOnly,
	"inactive": Inactive,
}

// String returns the direction's attribute.
func (d Direction) String() string {
	switch d {
	case SendRecv:
		return "sendrecv"
	case SendOnly:
		return "sendonly"
	case RecvOnly:
		return "recvonly"
	}
	return "inactive"
}

// reversed is the direction seen from the other side.
func (d Direction) reversed() Direction {
	return d>>1&SendOnly | d<<1&RecvOnly
}

// agreed is the direction of a stream, seen from here: what both sides can do.
func (m *media) agreed(ours Direction) Direction {
	return directionWords[m.direction].reversed() & ours
}

// plain checks that the m-line is RTP without encryption: RTP/AVP, or RTP/AVPF
// (RFC 4585), which differs in when RTCP may be sent.
func (m *media) plain() error {
	switch strings.ToUpper(m.proto) {
	case "RTP/AVP", "RTP/AVPF":
		return nil
	}
	return &TransportError{m.kind, m.proto, m.dtls || strings.Contains(strings.ToUpper(m.proto), "TLS")}
}

// place reads where the other side wants RTP and RTCP. Both are zero on hold by
// an unspecified address. local is our own address of the stream.
func (m *media) place(local netip.Addr) (rtp, rtcp netip.AddrPort, err error) {
	addr, err := m.addr(m.address, local)
	if err != nil || addr.IsUnspecified() {
		return rtp, rtcp, err
	}
	rtp = netip.AddrPortFrom(addr, uint16(m.port))
	switch {
	case m.mux:
		rtcp = rtp
	case m.port < 65535:
		rtcp = netip.AddrPortFrom(addr, uint16(m.port)+1)
	}
	if !m.mux {
		rtcp = m.rtcpPlace(rtcp, addr, local)
	}
	return rtp, rtcp, nil
}

// addr reads an address of the m-line.
func (m *media) addr(text string, local netip.Addr) (netip.Addr, error) {
	fail := func(reason string) (netip.Addr, error) {
		return netip.Addr{}, &AddressError{m.kind, text, reason}
	}
	if text == "" {
		return fail("there is no c= line")
	}
	addr, err := netip.ParseAddr(text)
	addr = addr.Unmap()
	switch {
	case err != nil && strings.Contains(text, "/"):
		return fail("multicast is not used")
	case err != nil:
		return fail("it is not an IP address; names are not looked up in media descriptions")
	case addr.IsUnspecified():
		return addr, nil
	case addr.IsMulticast() || addr == netip.AddrFrom4([4]byte{255, 255, 255, 255}):
		return fail("it is not the address of one device")
	case local.IsValid() && addr.Is4() != local.Unmap().Is4():
		return fail("it is of another IP version than the panel's " + local.String())
	}
	return addr.WithZone(local.Zone()), nil
}

// rtcpPlace reads a=rtcp (RFC 3605), "port" or "port IN IP4 address". What
// cannot be used leaves the customary place.
func (m *media) rtcpPlace(customary netip.AddrPort, addr, local netip.Addr) netip.AddrPort {
	fields := strings.Fields(m.rtcp)
	if len(fields) == 0 {
		return customary
	}
	port, err := strconv.ParseUint(fields[0], 10, 16)
	if err != nil || port == 0 {
		return customary
	}
	if len(fields) == 4 {
		if own, err := m.addr(fields[3], local); err == nil && !own.IsUnspecified() {
			addr = own
		}
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// audio reads the m-line as our audio stream.
func (m *media) audio(l LocalAudio) (*RemoteAudio, error) {
	if err := m.plain(); err != nil {
		return nil, err
	}
	codec, pt, ok := m.audioCodec(l.Codecs)
	if !ok {
		return nil, &NoCodecError{m.kind, m.names(), codecNames(l.Codecs)}
	}
	rtp, rtcp, err := m.place(l.RTP.Addr())
	if err != nil {
		return nil, err
	}
	return &RemoteAudio{
		RTP: rtp, RTCP: rtcp, Codec: codec, PayloadType: pt, EventType: m.eventType(),
		Direction: held(m.agreed(l.Direction), rtp),
	}, nil
}

// video reads the m-line as our picture.
func (m *media) video(l *LocalVideo) (*RemoteVideo, h264, error) {
	if err := m.plain(); err != nil {
		return nil, h264{}, err
	}
	format, ok := m.picture()
	if !ok {
		return nil, h264{}, &NoCodecError{m.kind, m.names(), []string{"H264/90000"}}
	}
	rtp, rtcp, err := m.place(l.RTP.Addr())
	if err != nil {
		return nil, h264{}, err
	}
	return &RemoteVideo{
		RTP: rtp, RTCP: rtcp, PayloadType: format.payloadType, Mode: format.mode,
		Direction: held(m.agreed(l.direction()), rtp),
	}, format, nil
}

// held takes sending away where there is nowhere to send.
func held(d Direction, rtp netip.AddrPort) Direction {
	if !rtp.IsValid() {
		return d &^ SendOnly
	}
	return d
}

func codecNames(codecs []Codec) []string {
	out := make([]string, 0, len(codecs))
	for _, c := range codecs {
		out = append(out, c.String())
	}
	return out
}
