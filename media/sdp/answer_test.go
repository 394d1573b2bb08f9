package sdp

import (
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// RFC 3264 section 6: as many m-lines in the same order, the offer's payload
// types, port 0 for what is not used.
func TestAnswerToMonitor(t *testing.T) {
	answer, r, err := Answer(panel(), []byte(monitorOffer))
	if err != nil {
		t.Fatal(err)
	}
	want := crlf(`
v=0
o=- 77 3 IN IP4 10.9.0.1
s=-
c=IN IP4 10.9.0.1
t=0 0
m=text 0 RTP/AVP 98
m=audio 5004 RTP/AVP 118 126
a=rtpmap:118 PCMA/8000
a=rtpmap:126 telephone-event/8000
a=fmtp:126 0-16
a=ptime:20
a=sendrecv
m=video 5006 RTP/AVP 104
b=AS:512
a=rtpmap:104 H264/90000
a=fmtp:104 profile-level-id=42c016;packetization-mode=0;level-asymmetry-allowed=1
a=rtcp-fb:* nack pli
a=sendonly
m=application 0 UDP/BFCP *
`)
	if string(answer) != want {
		t.Errorf("answer:\n%s\nwant:\n%s", answer, want)
	}
	wantRemote := Remote{
		Audio: &RemoteAudio{addr("10.9.0.5:40002"), addr("10.9.0.5:40003"), PCMA, 118, SendRecv, 126},
		Video: &RemoteVideo{addr("10.9.0.5:40004"), addr("10.9.0.5:40005"), 104, 0, SendOnly},
	}
	if !reflect.DeepEqual(r, wantRemote) {
		t.Errorf("audio %+v, video %+v", r.Audio, r.Video)
	}
}

// summary is what a test looks at in an answer: its m-lines and directions.
func summary(answer []byte) string {
	var out []string
	for line := range strings.Lines(string(answer)) {
		line = strings.TrimSpace(line)
		word := strings.TrimPrefix(line, "a=")
		if _, ok := directionWords[word]; ok || strings.HasPrefix(line, "m=") {
			out = append(out, word)
		}
	}
	return strings.Join(out, "; ")
}

func TestAnswerDirections(t *testing.T) {
	const video = "m=video 6000 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n"
	for _, c := range []struct {
		name, lines, want string
		audio, video      Direction
	}{
		{"talk", plainAudio + video, "m=audio 5004 RTP/AVP 0 101; sendrecv; m=video 5006 RTP/AVP 97; sendonly", SendRecv, SendOnly},
		{"hold", plainAudio + "a=sendonly\r\n" + video + "a=sendonly\r\n", "m=audio 5004 RTP/AVP 0 101; recvonly; m=video 5006 RTP/AVP 97; inactive", RecvOnly, Inactive},
		{"they only listen and look", plainAudio + "a=recvonly\r\n" + video + "a=recvonly\r\n", "m=audio 5004 RTP/AVP 0 101; sendonly; m=video 5006 RTP/AVP 97; sendonly", SendOnly, SendOnly},
		{"all inactive", "a=inactive\r\n" + plainAudio + video, "m=audio 5004 RTP/AVP 0 101; inactive; m=video 5006 RTP/AVP 97; inactive", Inactive, Inactive},
		{"hold by address", plainAudio + "c=IN IP4 0.0.0.0\r\n" + video, "m=audio 5004 RTP/AVP 0 101; recvonly; m=video 5006 RTP/AVP 97; sendonly", RecvOnly, SendOnly},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, r, err := Answer(panel(), []byte(head+c.lines))
			if err != nil {
				t.Fatal(err)
			}
			if got := summary(answer); got != c.want {
				t.Errorf("answer %q, want %q", got, c.want)
			}
			if r.Audio.Direction != c.audio || r.Video.Direction != c.video {
				t.Errorf("directions %v and %v, want %v and %v", r.Audio.Direction, r.Video.Direction, c.audio, c.video)
			}
		})
	}
}

func TestAnswerStreams(t *testing.T) {
	for _, c := range []struct {
		name, lines, want string
	}{
		{"encrypted and plain side by side: the plain one", "m=audio 4000 RTP/SAVP 0\r\n" + plainAudio, "m=audio 0 RTP/SAVP 0; m=audio 5004 RTP/AVP 0 101; sendrecv"},
		{"two plain ones: the first", plainAudio + plainAudio, "m=audio 5004 RTP/AVP 0 101; sendrecv; m=audio 0 RTP/AVP 0"},
		{"the profile is kept", "m=audio 4000 RTP/AVPF 8\r\n", "m=audio 5004 RTP/AVPF 8; sendrecv"},
		{"a picture of another codec", plainAudio + "m=video 6000 RTP/AVP 100\r\na=rtpmap:100 VP8/90000\r\n", "m=audio 5004 RTP/AVP 0 101; sendrecv; m=video 0 RTP/AVP 100"},
		{"a picture already switched off", plainAudio + "m=video 0 RTP/AVP 97\r\n", "m=audio 5004 RTP/AVP 0 101; sendrecv; m=video 0 RTP/AVP 97"},
		{"sound switched off, picture on", "m=audio 0 RTP/AVP 0\r\nm=video 6000 RTP/AVP 97\r\n", "m=audio 0 RTP/AVP 0; m=video 5006 RTP/AVP 97; sendonly"},
		{"the order of kinds is theirs", "m=video 6000 RTP/AVP 97\r\n" + plainAudio, "m=video 5006 RTP/AVP 97; sendonly; m=audio 5004 RTP/AVP 0 101; sendrecv"},
	} {
		t.Run(c.name, func(t *testing.T) {
			answer, _, err := Answer(panel(), []byte(head+c.lines))
			if got := summary(answer); err != nil || got != c.want {
				t.Errorf("answer %q, %v; want %q", got, err, c.want)
			}
		})
	}
}

func TestAnswerErrors(t *testing.T) {
	for _, c := range []struct {
		name, offer string
		want        any
	}{
		{"no common codec: 488", head + "m=audio 4000 RTP/AVP 9 18\r\n", new(*NoCodecError)},
		{"the picture alone does not save a call without sound", head + "m=audio 4000 RTP/AVP 9\r\nm=video 6000 RTP/AVP 97\r\n", new(*NoCodecError)},
		{"encrypted only: 488", head + "m=audio 4000 RTP/SAVP 0\r\n", new(*TransportError)},
		{"a name as address: 488", "v=0\r\nc=IN IP4 phone.example\r\n" + plainAudio, new(*AddressError)},
		{"no SDP: 400", "hello", new(*SyntaxError)},
	} {
		answer, _, err := Answer(panel(), []byte(c.offer))
		if !errors.As(err, c.want) || answer != nil {
			t.Errorf("%s: got %v and %q", c.name, err, answer)
		}
	}
	if _, _, err := Answer(panel(), []byte(head)); !errors.Is(err, ErrRefused) {
		t.Errorf("no streams: got %v", err)
	}
}

// RFC 5761 section 5.1.1: mux is answered only where it was offered, and here
// only if the stream has one port for both.
func TestAnswerMux(t *testing.T) {
	onePort := panel()
	onePort.Audio.RTCP = onePort.Audio.RTP
	for _, c := range []struct {
		name  string
		local Local
		lines string
		mux   bool
		rtcp  string
	}{
		{"offered, one port", onePort, plainAudio + "a=rtcp-mux\r\n", true, "10.9.0.2:4000"},
		{"offered, two ports", panel(), plainAudio + "a=rtcp-mux\r\n", false, "10.9.0.2:4001"},
		{"not offered, one port", onePort, plainAudio, false, "10.9.0.2:4001"},
	} {
		answer, r, err := Answer(c.local, []byte(head+c.lines))
		if err != nil || strings.Contains(string(answer), "a=rtcp-mux") != c.mux || r.Audio.RTCP != addr(c.rtcp) {
			t.Errorf("%s: RTCP to %v, %v, answer:\n%s", c.name, r.Audio.RTCP, err, answer)
		}
	}
}

// RFC 6184 section 8.2.2: the profile is the offer's, the level our own.
func TestAnsweredProfile(t *testing.T) {
	for _, c := range []struct{ offered, want string }{
		{"42e01f", "42c016"}, {"640028", "640016"}, {"", "42c016"}, {"42", "42c016"}, {"6;x=01", "42c016"},
	} {
		if got := answeredProfile(c.offered, "42c016"); got != c.want {
			t.Errorf("offered %q: answered %q, want %q", c.offered, got, c.want)
		}
	}
}

// The two roles understand each other, whoever offers.
func TestPanelAndPhone(t *testing.T) {
	phone := panel()
	phone.Audio.RTP, phone.Audio.RTCP = addr("10.9.0.9:7000"), addr("10.9.0.9:7001")
	phone.Audio.Codecs = []Codec{PCMA}
	phone.Video = &LocalVideo{RTP: addr("10.9.0.9:7002"), RTCP: addr("10.9.0.9:7009"), ProfileLevelID: "42c01f", Receive: true}

	check := func(name string, p, f Remote) {
		t.Helper()
		if p.Audio.Codec != PCMA || f.Audio.Codec != PCMA || p.Audio.EventType != f.Audio.EventType {
			t.Errorf("%s: audio %+v and %+v", name, p.Audio, f.Audio)
		}
		if p.Video.Direction != SendOnly || f.Video.Direction != RecvOnly || p.Video.Mode != 1 || f.Video.Mode != 1 ||
			p.Video.PayloadType != f.Video.PayloadType {
			t.Errorf("%s: video %+v and %+v", name, p.Video, f.Video)
		}
		if p.Video.RTCP != phone.Video.RTCP || f.Audio.RTP != panel().Audio.RTP {
			t.Errorf("%s: the panel sends RTCP to %v, the phone RTP to %v", name, p.Video.RTCP, f.Audio.RTP)
		}
	}
	answer, atPhone, err := Answer(phone, Offer(panel()))
	if err != nil {
		t.Fatal(err)
	}
	atPanel, err := ReadAnswer(panel(), answer)
	if err != nil {
		t.Fatal(err)
	}
	check("panel offers", atPanel, atPhone)

	answer, atPanel, err = Answer(panel(), Offer(phone))
	if err != nil {
		t.Fatal(err)
	}
	if atPhone, err = ReadAnswer(phone, answer); err != nil {
		t.Fatal(err)
	}
	check("phone offers", atPanel, atPhone)
}

func seeds() []string {
	return []string{
		baresipAnswer, earlyVideoAnswer, linphoneAnswer, pjsuaAnswer, asteriskAnswer, sippAnswer,
		monitorOffer, string(Offer(panel())), head + plainAudio + "c=IN IP4 0.0.0.0\r\n",
		head + "m=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=fingerprint:sha-256 AA\r\n",
	}
}

func FuzzReadAnswer(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := ReadAnswer(panel(), body)
		if (err == nil) != (r.Audio != nil || r.Video != nil) {
			t.Fatalf("audio %v, video %v, error %v", r.Audio, r.Video, err)
		}
		checkRemote(t, r)
	})
}

func FuzzAnswer(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		answer, r, err := Answer(panel(), body)
		if err != nil {
			return
		}
		checkRemote(t, r)
		offered, err := parse(body)
		if err != nil {
			t.Fatal(err)
		}
		answered, err := parse(answer)
		if err != nil {
			t.Fatalf("%v in the answer\n%s", err, answer)
		}
		same := slices.EqualFunc(offered.media, answered.media, func(a, b media) bool {
			return a.kind == b.kind && a.proto == b.proto && (a.port != 0 || b.port == 0)
		})
		if !same {
			t.Fatalf("the streams of\n%s\nwere answered with\n%s", body, answer)
		}
	})
}

// checkRemote checks what callers rely on.
func checkRemote(t *testing.T, r Remote) {
	if a := r.Audio; a != nil {
		if a.Direction.Sends() && (!a.RTP.IsValid() || a.RTP.Port() == 0 || a.RTP.Addr().IsUnspecified() || a.RTP.Addr().IsMulticast()) {
			t.Fatalf("audio to %v", a.RTP)
		}
		if a.PayloadType > 127 || a.EventType > 127 {
			t.Fatalf("payload types %d, %d", a.PayloadType, a.EventType)
		}
	}
	if v := r.Video; v != nil {
		if v.Direction.Receives() || v.Mode < 0 || v.Mode > 1 || v.PayloadType > 127 {
			t.Fatalf("video %+v", v)
		}
		if v.Direction.Sends() && !v.RTP.IsValid() {
			t.Fatalf("video to %v", v.RTP)
		}
	}
}
