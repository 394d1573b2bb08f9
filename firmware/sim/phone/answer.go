package phone

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// An agreement is what the phone takes from a description of the panel: where
// to send, and how the payload types are numbered.
type agreement struct {
	audio *audioTerms
	video *videoTerms
}

// audioTerms are the terms of the sound.
type audioTerms struct {
	rtp, rtcp netip.AddrPort
	alaw      bool // PCMA, else PCMU
	payload   uint8
	events    uint8 // payload type of telephone-event; 0: none
	sends     bool  // the panel sends
	receives  bool  // the panel receives
	mux       bool
}

// videoTerms are the terms of the picture.
type videoTerms struct {
	rtp, rtcp netip.AddrPort
	payload   uint8
	params    string // fmtp of the chosen payload type
	sends     bool
	mux, pli  bool
}

// agree chooses from a description what the phone can do. A stream that it
// cannot take stays nil.
func agree(d description) agreement {
	var a agreement
	for i := range d.media {
		s := &d.media[i]
		switch {
		case s.address.Port() == 0 || !strings.HasPrefix(s.proto, "RTP/AVP"):
		case s.kind == "audio" && a.audio == nil:
			a.audio = agreeAudio(s)
		case s.kind == "video" && a.video == nil:
			a.video = agreeVideo(s)
		}
	}
	return a
}

// agreeAudio takes the first of PCMU and PCMA, in the offer's order.
func agreeAudio(s *section) *audioTerms {
	t := &audioTerms{rtp: s.address, rtcp: s.rtcp, mux: s.mux, sends: s.sends, receives: s.receives}
	chosen := ""
	for _, pt := range s.formats {
		switch enc := s.encoding[pt]; {
		case chosen != "":
		case enc == "PCMU/8000" || pt == "0" && enc == "":
			chosen = pt
		case enc == "PCMA/8000" || pt == "8" && enc == "":
			chosen, t.alaw = pt, true
		}
	}
	if chosen == "" {
		return nil
	}
	t.payload = payloadType(chosen)
	if events := s.find("TELEPHONE-EVENT/8000"); len(events) > 0 {
		t.events = payloadType(events[0])
	}
	return t
}

// agreeVideo takes H.264, rather with packetization-mode 1 (RFC 6184 section 6.3).
func agreeVideo(s *section) *videoTerms {
	found := s.find("H264/90000")
	if len(found) == 0 {
		return nil
	}
	chosen := found[0]
	for _, pt := range found {
		if strings.Contains(s.params[pt], "packetization-mode=1") {
			chosen = pt
			break
		}
	}
	return &videoTerms{
		rtp: s.address, rtcp: s.rtcp, mux: s.mux, pli: s.pli, sends: s.sends,
		payload: payloadType(chosen), params: s.params[chosen],
	}
}

// payloadType reads a number of 0 to 127; anything else gives a number that no
// packet has.
func payloadType(s string) uint8 {
	n, err := strconv.ParseUint(s, 10, 7)
	if err != nil {
		return 255
	}
	return uint8(n)
}

// A local is where the phone receives, and its session.
type local struct {
	id           uint64 // of the o= line
	version      uint64
	audio, video netip.AddrPort
}

// describe writes a description of ours that fits the sections of d, as an
// answer to it or as a later offer in the same session (RFC 3264 sections 6
// and 8). Streams that were not agreed get port 0. The sound flows both ways
// when talk is set, else not at all.
func describe(d description, a agreement, l local, talk bool) []byte {
	var b strings.Builder
	ip := l.audio.Addr()
	fmt.Fprintf(&b, "v=0\r\no=- %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n", l.id, l.version, family(ip), ip, family(ip), ip)
	usedAudio, usedVideo := false, false
	for i := range d.media {
		s := &d.media[i]
		switch {
		case s.kind == "audio" && a.audio != nil && !usedAudio:
			usedAudio = true
			describeAudio(&b, a.audio, l.audio, s.proto, talk)
		case s.kind == "video" && a.video != nil && !usedVideo:
			usedVideo = true
			describeVideo(&b, a.video, l.video, s.proto)
		default:
			fmt.Fprintf(&b, "m=%s 0 %s %s\r\n", s.kind, s.proto, strings.Join(s.formats, " "))
		}
	}
	return []byte(b.String())
}

func describeAudio(b *strings.Builder, t *audioTerms, at netip.AddrPort, proto string, talk bool) {
	name, direction := "PCMU", "inactive"
	if t.alaw {
		name = "PCMA"
	}
	if talk {
		direction = "sendrecv"
	}
	fmt.Fprintf(b, "m=audio %d %s %d", at.Port(), proto, t.payload)
	if t.events != 0 {
		fmt.Fprintf(b, " %d", t.events)
	}
	fmt.Fprintf(b, "\r\na=rtpmap:%d %s/8000\r\n", t.payload, name)
	if t.events != 0 {
		fmt.Fprintf(b, "a=rtpmap:%d telephone-event/8000\r\na=fmtp:%d 0-15\r\n", t.events, t.events)
	}
	fmt.Fprintf(b, "a=ptime:20\r\n%sa=%s\r\n", muxLine(t.mux), direction)
}

func describeVideo(b *strings.Builder, t *videoTerms, at netip.AddrPort, proto string) {
	fmt.Fprintf(b, "m=video %d %s %d\r\na=rtpmap:%d H264/90000\r\n", at.Port(), proto, t.payload, t.payload)
	if t.params != "" {
		fmt.Fprintf(b, "a=fmtp:%d %s\r\n", t.payload, t.params)
	}
	if t.pli {
		fmt.Fprintf(b, "a=rtcp-fb:%d nack pli\r\n", t.payload)
	}
	fmt.Fprintf(b, "%sa=recvonly\r\n", muxLine(t.mux))
}

func muxLine(mux bool) string {
	if mux {
		return "a=rtcp-mux\r\n"
	}
	return ""
}

func family(ip netip.Addr) string {
	if ip.Is4() {
		return "IP4"
	}
	return "IP6"
}
