package sdp

import (
	"fmt"
	"net/netip"
)

// Offer writes an offer (RFC 3264 section 5) of some 600 bytes: the audio
// stream with telephone-event, and the picture, if there is one, in both
// packetization modes.
//
// A stream whose RTCP address equals its RTP address offers rtcp-mux (RFC 5761).
func Offer(l Local) []byte {
	w := begin(l)
	w.audio("RTP/AVP", l.Audio, offeredCodecs(l.Audio.Codecs), OfferedEventType,
		l.Audio.RTCP == l.Audio.RTP, l.Audio.Direction)
	if v := l.Video; v != nil {
		w.video("RTP/AVP", v, []h264{
			{offeredMode1, 1, v.ProfileLevelID},
			{offeredMode0, 0, v.ProfileLevelID},
		}, feedback{pli: true, fir: true}, v.RTCP == v.RTP, v.direction())
	}
	return w.buf
}

// numbered is a codec under a payload type.
type numbered struct {
	Codec
	payloadType uint8
}

func offeredCodecs(codecs []Codec) []numbered {
	out := make([]numbered, 0, len(codecs))
	for _, c := range codecs {
		out = append(out, numbered{c, uint8(c)})
	}
	return out
}

// feedback is what RTCP may ask of the picture's sender.
type feedback struct{ pli, fir bool }

// writer writes a description line by line.
type writer struct {
	buf     []byte
	session netip.Addr // of the session's c= line
}

// begin writes the session's lines.
func begin(l Local) *writer {
	w := &writer{session: l.Audio.RTP.Addr().Unmap().WithZone("")}
	w.line("v=0")
	w.line("o=- %d %d %s", l.ID, l.Version, network(w.session))
	w.line("s=-")
	w.line("c=%s", network(w.session))
	w.line("t=0 0")
	return w
}

func (w *writer) line(format string, args ...any) {
	w.buf = append(fmt.Appendf(w.buf, format, args...), "\r\n"...)
}

// network writes an address as o= and c= want it.
func network(a netip.Addr) string {
	if a.Is4() {
		return "IN IP4 " + a.String()
	}
	return "IN IP6 " + a.String()
}

// audio writes an audio stream. events is the payload type of telephone-event,
// 0 for none.
func (w *writer) audio(proto string, l LocalAudio, codecs []numbered, events uint8, mux bool, d Direction) {
	m := fmt.Appendf(nil, "m=audio %d %s", l.RTP.Port(), proto)
	for _, c := range codecs {
		m = fmt.Appendf(m, " %d", c.payloadType)
	}
	if events != 0 {
		m = fmt.Appendf(m, " %d", events)
	}
	w.line("%s", m)
	w.connection(l.RTP)
	for _, c := range codecs {
		w.line("a=rtpmap:%d %s", c.payloadType, c.Codec)
	}
	if events != 0 {
		w.line("a=rtpmap:%d telephone-event/8000", events)
		w.line("a=fmtp:%d 0-16", events)
	}
	w.line("a=ptime:20")
	w.end(l.RTP, l.RTCP, mux, d)
}

// video writes the picture.
func (w *writer) video(proto string, l *LocalVideo, formats []h264, fb feedback, mux bool, d Direction) {
	m := fmt.Appendf(nil, "m=video %d %s", l.RTP.Port(), proto)
	for _, f := range formats {
		m = fmt.Appendf(m, " %d", f.payloadType)
	}
	w.line("%s", m)
	w.connection(l.RTP)
	if l.Kbps > 0 {
		w.line("b=AS:%d", l.Kbps)
	}
	for _, f := range formats {
		w.line("a=rtpmap:%d H264/90000", f.payloadType)
		w.line("a=fmtp:%d profile-level-id=%s;packetization-mode=%d;level-asymmetry-allowed=1",
			f.payloadType, f.profileLevelID, f.mode)
	}
	if fb.pli {
		w.line("a=rtcp-fb:* nack pli")
	}
	if fb.fir {
		w.line("a=rtcp-fb:* ccm fir")
	}
	w.end(l.RTP, l.RTCP, mux, d)
}

// connection writes the stream's own c= line if the session's is not its.
func (w *writer) connection(rtp netip.AddrPort) {
	if a := rtp.Addr().Unmap().WithZone(""); a != w.session {
		w.line("c=%s", network(a))
	}
}

// end writes what every stream ends with.
func (w *writer) end(rtp, rtcp netip.AddrPort, mux bool, d Direction) {
	if mux {
		w.line("a=rtcp-mux")
	}
	switch {
	case !rtcp.IsValid():
	case rtcp.Addr() != rtp.Addr():
		w.line("a=rtcp:%d %s", rtcp.Port(), network(rtcp.Addr().Unmap().WithZone("")))
	case int(rtcp.Port()) != int(rtp.Port())+1:
		w.line("a=rtcp:%d", rtcp.Port())
	}
	w.line("a=%s", d)
}

// refused writes an m-line that is not used (RFC 3264 section 6).
func (w *writer) refused(m *media) {
	w.line("m=%s 0 %s %s", m.kind, m.proto, m.formats[0])
}
