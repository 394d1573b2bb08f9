package phone

import (
	"net/netip"
	"strings"
	"testing"
)

func TestAgree(t *testing.T) {
	const head = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
	for name, tc := range map[string]struct {
		sdp   string
		check func(agreement) bool
	}{
		"first codec of the offer": {head + "m=audio 4000 RTP/AVP 8 0 96\r\na=rtpmap:96 telephone-event/8000\r\n",
			func(a agreement) bool { return a.audio.alaw && a.audio.payload == 8 && a.audio.events == 96 }},
		"no telephone-event": {head + "m=audio 4000 RTP/AVP 0\r\n",
			func(a agreement) bool { return !a.audio.alaw && a.audio.events == 0 }},
		"no codec of ours": {head + "m=audio 4000 RTP/AVP 9\r\n",
			func(a agreement) bool { return a.audio == nil }},
		"refused sound": {head + "m=audio 0 RTP/AVP 0\r\n",
			func(a agreement) bool { return a.audio == nil }},
		"encrypted sound": {head + "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\n",
			func(a agreement) bool { return a.audio == nil }},
		"packetization mode 1 before 0": {head + "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 96 97\r\na=rtpmap:96 H264/90000\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n",
			func(a agreement) bool { return a.video.payload == 97 }},
		"only mode 0": {head + "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n",
			func(a agreement) bool { return a.video.payload == 96 && a.video.params == "" }},
		"another picture codec": {head + "m=audio 4000 RTP/AVP 0\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n",
			func(a agreement) bool { return a.video == nil }},
		"rtcp on the next port": {head + "m=audio 4000 RTP/AVP 0\r\n",
			func(a agreement) bool { return a.audio.rtcp == netip.MustParseAddrPort("192.0.2.1:4001") }},
		"rtcp named": {head + "m=audio 4000 RTP/AVP 0\r\na=rtcp:5000 IN IP4 192.0.2.9\r\n",
			func(a agreement) bool { return a.audio.rtcp == netip.MustParseAddrPort("192.0.2.9:5000") }},
		"rtcp on the same port": {head + "m=audio 4000 RTP/AVP 0\r\na=rtcp-mux\r\n",
			func(a agreement) bool { return a.audio.mux && a.audio.rtcp == a.audio.rtp }},
		"address of the medium": {head + "m=audio 4000 RTP/AVP 0\r\nc=IN IP4 192.0.2.7\r\n",
			func(a agreement) bool { return a.audio.rtp == netip.MustParseAddrPort("192.0.2.7:4000") }},
		"direction of the session": {head + "a=recvonly\r\nm=audio 4000 RTP/AVP 0\r\n",
			func(a agreement) bool { return !a.audio.sends && a.audio.receives }},
		"line feeds alone": {strings.ReplaceAll(head, "\r\n", "\n") + "m=audio 4000 RTP/AVP 0\n",
			func(a agreement) bool { return a.audio != nil }},
	} {
		t.Run(name, func(t *testing.T) {
			d, err := parseSDP([]byte(tc.sdp))
			if err != nil {
				t.Fatal(err)
			}
			if a := agree(d); !tc.check(a) {
				t.Errorf("agreed to audio %+v, video %+v", a.audio, a.video)
			}
		})
	}
}

// What is not agreed keeps its place with port 0 (RFC 3264 section 6).
func TestDescribeKeepsPlaces(t *testing.T) {
	d, err := parseSDP([]byte("c=IN IP4 192.0.2.1\nm=video 4002 RTP/AVP 96\na=rtpmap:96 VP8/90000\nm=audio 4000 RTP/AVP 0\nm=application 9 DTLS/SCTP 5000\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := string(describe(d, agree(d), local{id: 1, version: 1, audio: netip.MustParseAddrPort("127.0.0.1:7000")}, true))
	for _, want := range []string{"m=video 0 RTP/AVP 96\r\nm=audio 7000 RTP/AVP 0\r\n", "m=application 0 DTLS/SCTP 5000\r\n", "a=sendrecv"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func FuzzSDP(f *testing.F) {
	for _, seed := range []string{
		"v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\nm=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=1\r\na=rtcp-fb:* nack pli\r\na=sendonly\r\n",
		"m=audio 65535 RTP/AVP 0", "m=audio 1 RTP/AVP x", "c=IN IP6 ::1\nm=video 2 RTP/AVPF 96\na=rtcp:99999", "a=rtpmap:0 PCMU/8000", "m=", "\n=\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := parseSDP(b)
		if err != nil {
			return
		}
		at := netip.MustParseAddrPort("127.0.0.1:7000")
		ours := describe(d, agree(d), local{id: 1, version: 1, audio: at, video: at}, true)
		back, err := parseSDP(ours)
		if err == nil && len(back.media) != len(d.media) {
			t.Errorf("an answer with %d media to an offer with %d:\n%s", len(back.media), len(d.media), ours)
		}
	})
}
