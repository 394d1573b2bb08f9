package sdp

import "encoding/hex"

// ReadAnswer reads the answer to Offer(l).
//
// It takes what phones do: payload types in another order or under other
// numbers, a=rtpmap lines left out, m-lines left out at the end, hold by
// direction or by 0.0.0.0. Directions come back as seen from here. A stream
// answered with port 0 is nil, and so is a picture that cannot be used, with the
// reason in Remote.NoVideo.
//
// The error is a *SyntaxError, a *TransportError, *AddressError or
// *NoCodecError about the audio stream, or ErrRefused.
func ReadAnswer(l Local, answer []byte) (Remote, error) {
	d, err := parse(answer)
	if err != nil {
		return Remote{}, err
	}
	var r Remote
	if m := d.stream(0, "audio"); m != nil {
		if r.Audio, err = m.audio(l.Audio); err != nil {
			return Remote{}, err
		}
	}
	if m := d.stream(1, "video"); m != nil && l.Video != nil {
		r.Video, _, r.NoVideo = m.video(l.Video)
	}
	return r, r.check()
}

// check reports ErrRefused if nothing was agreed.
func (r *Remote) check() error {
	if r.Audio != nil || r.Video != nil {
		return nil
	}
	if r.NoVideo != nil {
		return r.NoVideo
	}
	return ErrRefused
}

// stream finds the m-line that answers ours at index: the one at the same place
// (RFC 3264 section 6), or else the first of its kind, for phones that lose the
// order. It is nil if it was refused or left out.
func (d *description) stream(index int, kind string) *media {
	if index >= len(d.media) || d.media[index].kind != kind {
		index = -1
		for i := range d.media {
			if d.media[i].kind == kind {
				index = i
				break
			}
		}
	}
	if index < 0 || d.media[index].port == 0 {
		return nil
	}
	return &d.media[index]
}

// Answer reads an offer of the other side, in an incoming INVITE or a
// re-INVITE, and writes the answer (RFC 3264 section 6): as many m-lines in the
// same order, with the offer's payload types, and port 0 for every stream that
// is not used. Of several audio or video streams the first usable one is taken.
//
// The error is a *SyntaxError (answer the request with 400), or, with 488, what
// stands in the way of the first audio stream: a *TransportError, *AddressError
// or *NoCodecError; or ErrRefused.
func Answer(l Local, offer []byte) (answer []byte, r Remote, err error) {
	d, err := parse(offer)
	if err != nil {
		return nil, Remote{}, err
	}
	a := answerer{local: l, writer: begin(l)}
	for i := range d.media {
		a.stream(&d.media[i])
	}
	if a.remote.Audio == nil && a.noAudio != nil {
		return nil, Remote{}, a.noAudio
	}
	if err := a.remote.check(); err != nil {
		return nil, Remote{}, err
	}
	return a.writer.buf, a.remote, nil
}

// answerer answers an offer stream by stream.
type answerer struct {
	local   Local
	writer  *writer
	remote  Remote
	noAudio error // why the first audio stream was not used
}

// stream answers one m-line.
func (a *answerer) stream(m *media) {
	used := false
	switch {
	case m.port == 0:
	case m.kind == "audio" && a.remote.Audio == nil:
		used = a.audio(m)
	case m.kind == "video" && a.remote.Video == nil && a.local.Video != nil:
		used = a.video(m)
	}
	if !used {
		a.writer.refused(m)
	}
}

// audio answers an audio stream, if it can be used.
func (a *answerer) audio(m *media) bool {
	l := a.local.Audio
	m.mux = m.mux && l.RTCP == l.RTP
	r, err := m.audio(l)
	if err != nil {
		if a.noAudio == nil {
			a.noAudio = err
		}
		return false
	}
	a.remote.Audio = r
	a.writer.audio(m.proto, l, []numbered{{r.Codec, r.PayloadType}}, r.EventType, m.mux, r.Direction)
	return true
}

// video answers a picture, if it can be used.
func (a *answerer) video(m *media) bool {
	l := a.local.Video
	m.mux = m.mux && l.RTCP == l.RTP
	r, format, err := m.video(l)
	if err != nil {
		if a.remote.NoVideo == nil {
			a.remote.NoVideo = err
		}
		return false
	}
	a.remote.Video, a.remote.NoVideo = r, nil
	format.profileLevelID = answeredProfile(format.profileLevelID, l.ProfileLevelID)
	a.writer.video(m.proto, l, []h264{format}, feedback{m.pli, m.fir}, m.mux, r.Direction)
	return true
}

// answeredProfile is the profile-level-id of an answer: the offer's profile,
// which an answer may not change (RFC 6184 section 8.2.2), with our level.
func answeredProfile(offered, ours string) string {
	const profile = 4 // hex digits of profile_idc and the constraint flags
	_, err := hex.DecodeString(offered)
	if err != nil || len(offered) != 6 || len(ours) != 6 || offered[:2] == ours[:2] {
		return ours
	}
	return offered[:profile] + ours[profile:]
}
