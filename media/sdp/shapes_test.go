package sdp

import (
	"net/netip"
	"strings"
)

// Descriptions as phones write them, made up for these tests after their style.

func crlf(s string) string { return strings.ReplaceAll(strings.TrimPrefix(s, "\n"), "\n", "\r\n") }

// baresip in the role of the apartment: session id and tool, labels, both H.264
// modes in an order of its own, H.265 between them.
var baresipAnswer = crlf(`
v=0
o=- 3862461210 1126190302 IN IP4 10.9.0.2
s=-
c=IN IP4 10.9.0.2
t=0 0
a=tool:baresip 1.0.0
m=audio 21650 RTP/AVP 8 0 101
b=AS:125
a=rtpmap:8 PCMA/8000
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-15
a=rtcp:21651
a=sendrecv
a=label:1
a=rtcp-rsize
a=ssrc:1844312331 cname:sip:flat@10.9.0.2
a=minptime:20
a=ptime:20
m=video 30512 RTP/AVP 98 102 97
b=AS:512
a=rtpmap:98 H264/90000
a=fmtp:98 packetization-mode=0;profile-level-id=42e01f
a=rtpmap:102 H265/90000
a=rtpmap:97 H264/90000
a=fmtp:97 packetization-mode=1;profile-level-id=42e01f
a=rtcp:30513
a=sendrecv
a=rtcp-fb:* nack pli
a=framerate:30.00
`)

// baresip with answermode=early-video, in a 183.
var earlyVideoAnswer = crlf(`
v=0
o=- 1 1 IN IP4 10.9.0.2
s=-
c=IN IP4 10.9.0.2
t=0 0
m=audio 21650 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=inactive
m=video 30512 RTP/AVP 98
a=rtpmap:98 H264/90000
a=fmtp:98 packetization-mode=0;profile-level-id=42e01f
a=recvonly
`)

// Linphone: two rates of telephone-event under numbers of its own, AVPF
// attributes, a public address in a c= line of the stream.
var linphoneAnswer = crlf(`
v=0
o=flat 2871 3319 IN IP4 192.168.1.17
s=Talk
t=0 0
a=rtcp-xr:rcvr-rtt=all:10000 stat-summary=loss,dup,jitt,TTL voip-metrics
m=audio 7078 RTP/AVPF 8 96 120
c=IN IP4 203.0.113.9
a=rtpmap:96 telephone-event/48000
a=rtpmap:120 telephone-event/8000
a=rtcp-fb:* trr-int 1000
m=video 9078 RTP/AVPF 97
c=IN IP4 203.0.113.9
a=rtpmap:97 H264/90000
a=fmtp:97 profile-level-id=42801F; packetization-mode=1
a=recvonly
a=rtcp-fb:97 nack pli
a=rtcp-fb:97 ccm fir
`)

// pjsua: everything on the stream, TIAS, RTCP on a port of its own.
var pjsuaAnswer = crlf(`
v=0
o=- 3986743210 3986743211 IN IP4 10.9.0.3
s=pjmedia
b=AS:84
t=0 0
a=X-nat:0
m=audio 4002 RTP/AVP 0 101
c=IN IP4 10.9.0.3
b=TIAS:64000
a=rtcp:4013 IN IP4 10.9.0.33
a=sendrecv
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
m=video 0 RTP/AVP 97
`)

// Asterisk: session lines with spaces, maxptime, no picture line.
var asteriskAnswer = crlf(`
v=0
o=- 7 9 IN IP4 10.9.0.4
s=Asterisk
c=IN IP4 10.9.0.4
t=0 0
m=audio 17820 RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20
a=maxptime:140
a=sendrecv
`)

// SIPp: as short as it gets, lines ended by LF only.
var sippAnswer = strings.ReplaceAll(crlf(`
v=0
o=user1 53655765 2353687637 IN IP4 127.0.0.1
s=-
c=IN IP4 127.0.0.1
t=0 0
m=audio 6000 RTP/AVP 0
`), "\r\n", "\n")

// An indoor monitor's re-INVITE: data and text streams around what matters, a
// picture of its own in both directions, mux and feedback.
var monitorOffer = crlf(`
v=0
o=monitor 1 4 IN IP4 10.9.0.5
s=call
c=IN IP4 10.9.0.5
t=0 0
a=group:BUNDLE 0 1
m=text 40000 RTP/AVP 98 99
a=rtpmap:98 t140/1000
m=audio 40002 RTP/AVP 111 9 118 18 126
a=rtpmap:111 opus/48000/2
a=rtpmap:118 PCMA/8000/1
a=rtpmap:126 telephone-event/8000
a=rtcp-mux
m=video 40004 RTP/AVP 100 102 104
a=rtpmap:100 VP8/90000
a=rtpmap:102 H264/90000
a=fmtp:102 profile-level-id=640028;packetization-mode=1
a=rtpmap:104 H264/90000
a=fmtp:104 profile-level-id=42e01f;packetization-mode=0
a=rtcp-fb:* nack pli
a=sendrecv
m=application 40006 UDP/BFCP *
`)

// panel is our side of every test.
func panel() Local {
	return Local{
		ID: 77, Version: 3,
		Audio: LocalAudio{
			RTP: addr("10.9.0.1:5004"), RTCP: addr("10.9.0.1:5005"),
			Codecs: []Codec{PCMU, PCMA}, Direction: SendRecv,
		},
		Video: &LocalVideo{
			RTP: addr("10.9.0.1:5006"), RTCP: addr("10.9.0.1:5007"),
			ProfileLevelID: "42c016", Kbps: 512,
		},
	}
}

func addr(s string) netip.AddrPort {
	if s == "" {
		return netip.AddrPort{}
	}
	return netip.MustParseAddrPort(s)
}
