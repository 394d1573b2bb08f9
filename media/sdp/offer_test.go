package sdp

import "testing"

func TestOffer(t *testing.T) {
	want := crlf(`
v=0
o=- 77 3 IN IP4 10.9.0.1
s=-
c=IN IP4 10.9.0.1
t=0 0
m=audio 5004 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=sendrecv
m=video 5006 RTP/AVP 97 98
b=AS:512
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42c016;packetization-mode=1;level-asymmetry-allowed=1
a=rtpmap:98 H264/90000
a=fmtp:98 profile-level-id=42c016;packetization-mode=0;level-asymmetry-allowed=1
a=rtcp-fb:* nack pli
a=rtcp-fb:* ccm fir
a=sendonly
`)
	if got := string(Offer(panel())); got != want {
		t.Errorf("offer:\n%s\nwant:\n%s", got, want)
	}
}

func TestOfferVariants(t *testing.T) {
	for _, c := range []struct {
		name   string
		change func(*Local)
		want   string
	}{
		{"no picture; audio one way; the other codec", func(l *Local) {
			l.Video, l.Audio.Direction, l.Audio.Codecs = nil, RecvOnly, []Codec{PCMA}
		}, `
v=0
o=- 77 3 IN IP4 10.9.0.1
s=-
c=IN IP4 10.9.0.1
t=0 0
m=audio 5004 RTP/AVP 8 101
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=recvonly
`},
		{"RTCP elsewhere, as a STUN server saw it (RFC 3605)", func(l *Local) {
			l.Video = nil
			l.Audio.RTP, l.Audio.RTCP = addr("203.0.113.1:61000"), addr("203.0.113.2:59000")
		}, `
v=0
o=- 77 3 IN IP4 203.0.113.1
s=-
c=IN IP4 203.0.113.1
t=0 0
m=audio 61000 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=rtcp:59000 IN IP4 203.0.113.2
a=sendrecv
`},
		{"IPv6, the picture at another address, a port that is not the next one", func(l *Local) {
			l.Audio.RTP, l.Audio.RTCP = addr("[2001:db8::1]:5004"), addr("[2001:db8::1]:6001")
			l.Video.RTP, l.Video.RTCP, l.Video.Kbps = addr("[2001:db8::2]:5006"), addr("[2001:db8::2]:5007"), 0
			l.Video.Receive = true
		}, `
v=0
o=- 77 3 IN IP6 2001:db8::1
s=-
c=IN IP6 2001:db8::1
t=0 0
m=audio 5004 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=rtcp:6001
a=sendrecv
m=video 5006 RTP/AVP 97 98
c=IN IP6 2001:db8::2
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42c016;packetization-mode=1;level-asymmetry-allowed=1
a=rtpmap:98 H264/90000
a=fmtp:98 profile-level-id=42c016;packetization-mode=0;level-asymmetry-allowed=1
a=rtcp-fb:* nack pli
a=rtcp-fb:* ccm fir
a=recvonly
`},
		{"one port for RTP and RTCP (RFC 5761)", func(l *Local) {
			l.Video = nil
			l.Audio.RTCP = l.Audio.RTP
		}, `
v=0
o=- 77 3 IN IP4 10.9.0.1
s=-
c=IN IP4 10.9.0.1
t=0 0
m=audio 5004 RTP/AVP 0 8 101
a=rtpmap:0 PCMU/8000
a=rtpmap:8 PCMA/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=rtcp-mux
a=rtcp:5004
a=sendrecv
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := panel()
			c.change(&l)
			if got, want := string(Offer(l)), crlf(c.want); got != want {
				t.Errorf("offer:\n%s\nwant:\n%s", got, want)
			}
		})
	}
}

// An INVITE with the offer has to stay below 1300 bytes (RFC 3261 section
// 18.1.1), and its headers take some 600 of them.
func TestOfferIsShort(t *testing.T) {
	l := panel()
	l.ID, l.Version = 1<<63, 1<<31
	l.Audio.RTP, l.Audio.RTCP = addr("203.0.113.100:61000"), addr("203.0.113.101:59000")
	l.Video.RTP, l.Video.RTCP = addr("203.0.113.100:61002"), addr("203.0.113.101:59002")
	if n := len(Offer(l)); n > 700 {
		t.Errorf("offer of %d bytes", n)
	}
}
