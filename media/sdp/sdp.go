// Package sdp builds the panel's offers and answers and reads those of the
// other side (RFC 8866, RFC 3264), one description per stream. It is pure:
// bytes in, values out.
package sdp

import "net/netip"

// A Codec is one audio encoding of RFC 3551.
type Codec uint8

// The codecs, with their static payload types as values.
const (
	PCMU Codec = 0
	PCMA Codec = 8
)

// A Direction says who sends, from the panel's point of view.
type Direction uint8

// The directions (RFC 8866 section 6.7).
const (
	Inactive Direction = 0
	SendOnly Direction = 1
	RecvOnly Direction = 2
	SendRecv Direction = SendOnly | RecvOnly
)

// Sends reports whether the panel may send.
func (d Direction) Sends() bool { return d&SendOnly != 0 }

// Receives reports whether the panel may receive.
func (d Direction) Receives() bool { return d&RecvOnly != 0 }

// Local is what the panel has to offer on one leg.
type Local struct {
	ID      uint64 // session id of the o= line, the same for the life of a leg
	Version uint64 // of the o= line; one more for every changed description
	Audio   LocalAudio
	Video   *LocalVideo // nil: no picture is offered
}

// LocalAudio is the panel's audio stream.
type LocalAudio struct {
	RTP, RTCP netip.AddrPort
	Codecs    []Codec // in order of preference
	Direction Direction
}

// LocalVideo is the panel's picture; it is only ever sent.
type LocalVideo struct {
	RTP, RTCP      netip.AddrPort
	ProfileLevelID string // as the encoder really sends, such as "42c016"
	Kbps           int    // b=AS; 0 leaves it out

	// Receive turns the stream round, for a phone's role in tests and in the
	// simulator: the picture is received and never sent. The panel leaves it
	// false.
	Receive bool
}

// direction is what the stream can do at most.
func (v *LocalVideo) direction() Direction {
	if v.Receive {
		return RecvOnly
	}
	return SendOnly
}

// Remote is what was agreed with the other side. A nil stream was refused.
type Remote struct {
	Audio *RemoteAudio
	Video *RemoteVideo

	// NoVideo says why Video is nil although the other side named a port for
	// it: a *TransportError, *AddressError or *NoCodecError. The call goes on
	// without a picture.
	NoVideo error
}

// RemoteAudio is the agreed audio stream.
//
// The addresses are zero when the other side is on hold by 0.0.0.0 (RFC 3264
// section 8.4); Direction does not send then.
type RemoteAudio struct {
	RTP, RTCP   netip.AddrPort // where to send; RTCP equals RTP with rtcp-mux
	Codec       Codec          // what we send
	PayloadType uint8          // of Codec, as the other side numbers it
	Direction   Direction

	// EventType is the payload type of telephone-event, as the other side
	// numbers it; 0: none agreed. After an offer of ours some phones send with
	// this number and some, rightly, with the OfferedEventType: take both.
	EventType uint8
}

// RemoteVideo is the agreed picture. The addresses are zero on hold by 0.0.0.0.
type RemoteVideo struct {
	RTP, RTCP   netip.AddrPort
	PayloadType uint8
	Mode        int       // packetization-mode 0 or 1 (RFC 6184 section 6.2)
	Direction   Direction // SendOnly or Inactive; RecvOnly only if LocalVideo.Receive
}
