package session

import (
	"net/netip"

	"doorstation/media/sdp"
)

// A peer is the far end of one stream as described. It never changes: another
// description makes another peer.
type peer struct {
	rtp, rtcp netip.AddrPort // where to send; zero on hold by 0.0.0.0
	direction sdp.Direction
	pt        uint8 // of the codec, as the far end numbers it

	codec sdp.Codec // audio
	event uint8     // audio: payload type of telephone-event; 0: none agreed
	mode  int       // video: packetization-mode
}

func audioPeer(r *sdp.RemoteAudio) *peer {
	if r == nil {
		return nil
	}
	return &peer{rtp: r.RTP, rtcp: r.RTCP, direction: r.Direction, pt: r.PayloadType, codec: r.Codec, event: r.EventType}
}

func videoPeer(r *sdp.RemoteVideo) *peer {
	if r == nil {
		return nil
	}
	return &peer{rtp: r.RTP, rtcp: r.RTCP, direction: r.Direction, pt: r.PayloadType, mode: r.Mode}
}

// same reports whether two descriptions say the same.
func (p *peer) same(q *peer) bool {
	if p == nil || q == nil {
		return p == q
	}
	return *p == *q
}

// moved reports whether media goes to or comes from another place.
func (p *peer) moved(q *peer) bool {
	return p == nil || q == nil || p.rtp != q.rtp || p.rtcp != q.rtcp
}

// sends and receives tell the direction from here; a nil peer has none.
func (p *peer) sends() bool    { return p != nil && p.direction.Sends() && p.rtp.IsValid() }
func (p *peer) receives() bool { return p != nil && p.direction.Receives() }

// muxed reports RTP and RTCP on one port (RFC 5761).
func (p *peer) muxed() bool { return p.rtp == p.rtcp }
