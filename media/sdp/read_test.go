package sdp

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func TestReadAnswerOfPhones(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		want         Remote
	}{
		{"baresip", baresipAnswer, Remote{
			Audio: &RemoteAudio{addr("10.9.0.2:21650"), addr("10.9.0.2:21651"), PCMA, 8, SendRecv, 101},
			Video: &RemoteVideo{addr("10.9.0.2:30512"), addr("10.9.0.2:30513"), 97, 1, SendOnly},
		}},
		{"baresip, early video", earlyVideoAnswer, Remote{
			Audio: &RemoteAudio{addr("10.9.0.2:21650"), addr("10.9.0.2:21651"), PCMU, 0, Inactive, 101},
			Video: &RemoteVideo{addr("10.9.0.2:30512"), addr("10.9.0.2:30513"), 98, 0, SendOnly},
		}},
		{"Linphone", linphoneAnswer, Remote{
			Audio: &RemoteAudio{addr("203.0.113.9:7078"), addr("203.0.113.9:7079"), PCMA, 8, SendRecv, 120},
			Video: &RemoteVideo{addr("203.0.113.9:9078"), addr("203.0.113.9:9079"), 97, 1, SendOnly},
		}},
		{"pjsua", pjsuaAnswer, Remote{
			Audio: &RemoteAudio{addr("10.9.0.3:4002"), addr("10.9.0.33:4013"), PCMU, 0, SendRecv, 101},
		}},
		{"Asterisk", asteriskAnswer, Remote{
			Audio: &RemoteAudio{addr("10.9.0.4:17820"), addr("10.9.0.4:17821"), PCMU, 0, SendRecv, 101},
		}},
		{"SIPp", sippAnswer, Remote{
			Audio: &RemoteAudio{addr("127.0.0.1:6000"), addr("127.0.0.1:6001"), PCMU, 0, SendRecv, 0},
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadAnswer(panel(), []byte(c.answer))
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("audio %+v\nvideo %+v\nno video %v, error %v", got.Audio, got.Video, got.NoVideo, err)
			}
		})
	}
}

const head = "v=0\r\no=- 1 1 IN IP4 10.9.0.2\r\ns=-\r\nc=IN IP4 10.9.0.2\r\nt=0 0\r\n"

const plainAudio = "m=audio 4000 RTP/AVP 0 101\r\n"

func TestReadAnswerAudio(t *testing.T) {
	base := RemoteAudio{addr("10.9.0.2:4000"), addr("10.9.0.2:4001"), PCMU, 0, SendRecv, 101}
	with := func(change func(*RemoteAudio)) RemoteAudio {
		r := base
		change(&r)
		return r
	}
	for _, c := range []struct {
		name, lines string
		want        RemoteAudio
	}{
		{"no attributes at all", plainAudio, base},
		{"telephone-event as 96", "m=audio 4000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n", with(func(r *RemoteAudio) { r.EventType = 96 })},
		{"PCMU under a number of its own", "m=audio 4000 RTP/AVP 110 101\r\na=rtpmap:110 pcmu/8000/1\r\n", with(func(r *RemoteAudio) { r.PayloadType = 110 })},
		{"a number of ours for something else", "m=audio 4000 RTP/AVP 0 101\r\na=rtpmap:101 opus/48000/2\r\n", with(func(r *RemoteAudio) { r.EventType = 0 })},
		{"codecs we do not have in front", "m=audio 4000 RTP/AVP 9 18 8 0\r\n", with(func(r *RemoteAudio) { r.Codec, r.PayloadType, r.EventType = PCMA, 8, 0 })},
		{"spaces and capitals", "m=audio 4000 rtp/avp 0 97 \r\na=RTPMAP:97  Telephone-Event/8000 \r\na=SENDRECV \r\n", with(func(r *RemoteAudio) { r.EventType = 97 })},
		{"a number of ports", "m=audio 4000/1 RTP/AVP 0 101\r\n", base},
		{"hold: they only send", plainAudio + "a=sendonly\r\n", with(func(r *RemoteAudio) { r.Direction = RecvOnly })},
		{"they only listen", plainAudio + "a=recvonly\r\n", with(func(r *RemoteAudio) { r.Direction = SendOnly })},
		{"hold: inactive", plainAudio + "a=inactive\r\n", with(func(r *RemoteAudio) { r.Direction = Inactive })},
		{"RFC 3264 8.4: hold by address", plainAudio + "c=IN IP4 0.0.0.0\r\n", RemoteAudio{Codec: PCMU, Direction: RecvOnly, EventType: 101}},
		{"direction of the session", "a=inactive\r\n" + plainAudio, with(func(r *RemoteAudio) { r.Direction = Inactive })},
		{"the stream's own direction wins", "a=inactive\r\n" + plainAudio + "a=sendrecv\r\n", base},
		{"the stream's own address wins", plainAudio + "c=IN IP4 10.9.0.7\r\n", with(func(r *RemoteAudio) { r.RTP, r.RTCP = addr("10.9.0.7:4000"), addr("10.9.0.7:4001") })},
		{"RFC 5761: rtcp-mux", plainAudio + "a=rtcp-mux\r\na=rtcp:4000\r\n", with(func(r *RemoteAudio) { r.RTCP = r.RTP })},
		{"RFC 3605: rtcp", plainAudio + "a=rtcp:5555\r\n", with(func(r *RemoteAudio) { r.RTCP = addr("10.9.0.2:5555") })},
		{"rtcp that makes no sense", plainAudio + "a=rtcp:none IN IP4 what\r\n", base},
		{"no room for RTCP", "m=audio 65535 RTP/AVP 0 101\r\n", with(func(r *RemoteAudio) { r.RTP, r.RTCP = addr("10.9.0.2:65535"), addr("") })},
		{"lines nobody knows", plainAudio + "k=clear:1\r\nnonsense\r\na=\r\na=:\r\n=\r\ni=\r\n", base},
		{"the picture's line first", "m=video 0 RTP/AVP 97\r\n" + plainAudio, base},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadAnswer(panel(), []byte(head+c.lines))
			if err != nil || got.Audio == nil || *got.Audio != c.want || got.Video != nil {
				t.Errorf("audio %+v, video %+v, error %v; want %+v", got.Audio, got.Video, err, c.want)
			}
		})
	}
}

func TestReadAnswerVideo(t *testing.T) {
	base := RemoteVideo{addr("10.9.0.2:6000"), addr("10.9.0.2:6001"), 97, 1, SendOnly}
	with := func(change func(*RemoteVideo)) RemoteVideo {
		r := base
		change(&r)
		return r
	}
	const mode1 = "a=rtpmap:97 H264/90000\r\na=fmtp:97 packetization-mode=1\r\n"
	for _, c := range []struct {
		name, lines string
		want        RemoteVideo
	}{
		{"mode 1", "m=video 6000 RTP/AVP 97\r\n" + mode1, base},
		{"RFC 6184 8.1: mode 0 where none is named", "m=video 6000 RTP/AVP 97\r\n", with(func(r *RemoteVideo) { r.Mode = 0 })},
		{"interleaved mode is passed over", "m=video 6000 RTP/AVP 96 98\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=2\r\n", with(func(r *RemoteVideo) { r.PayloadType, r.Mode = 98, 0 })},
		{"a baseline format before a high one", "m=video 6000 RTP/AVP 99 97\r\na=rtpmap:99 H264/90000\r\na=fmtp:99 profile-level-id=640028;packetization-mode=1\r\n" + mode1, base},
		{"they send and receive", "m=video 6000 RTP/AVP 97\r\na=sendrecv\r\n" + mode1, base},
		{"they only send: no picture for them", "m=video 6000 RTP/AVP 97\r\na=sendonly\r\n" + mode1, with(func(r *RemoteVideo) { r.Direction = Inactive })},
		{"inactive", "m=video 6000 RTP/AVP 97\r\na=inactive\r\n" + mode1, with(func(r *RemoteVideo) { r.Direction = Inactive })},
		{"hold by address", "m=video 6000 RTP/AVP 97\r\nc=IN IP4 0.0.0.0\r\n" + mode1, RemoteVideo{PayloadType: 97, Mode: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ReadAnswer(panel(), []byte(head+plainAudio+c.lines))
			if err != nil || got.Video == nil || *got.Video != c.want {
				t.Errorf("video %+v (%v), error %v; want %+v", got.Video, got.NoVideo, err, c.want)
			}
		})
	}
}

// Some monitors open a preview: a picture without sound.
func TestReadAnswerOfPreview(t *testing.T) {
	got, err := ReadAnswer(panel(), []byte(head+"m=audio 0 RTP/AVP 0\r\nm=video 6000 RTP/AVP 98\r\na=recvonly\r\n"))
	if err != nil || got.Audio != nil || got.Video == nil || got.Video.Direction != SendOnly {
		t.Errorf("audio %+v, video %+v, error %v", got.Audio, got.Video, err)
	}
}

func TestReadAnswerIPv6(t *testing.T) {
	l := panel()
	l.Audio.RTP = addr("[fe80::1%eth0]:5004")
	got, err := ReadAnswer(l, []byte("v=0\nc=IN IP6 fe80::2\n"+plainAudio))
	if err != nil || got.Audio.RTP != addr("[fe80::2%eth0]:4000") {
		t.Errorf("audio %+v, error %v", got.Audio, err)
	}
}

func TestReadAnswerErrors(t *testing.T) {
	for _, c := range []struct {
		name, answer string
		want         any // pointer to the error type wanted
		says         string
	}{
		{"SRTP", head + "m=audio 4000 RTP/SAVP 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:secretkeymaterial\r\n", new(*TransportError), "RTP/SAVP"},
		{"DTLS-SRTP", head + "a=fingerprint:sha-256 AA:BB\r\nm=audio 4000 UDP/TLS/RTP/SAVPF 0\r\na=setup:active\r\n", new(*TransportError), "keys by DTLS"},
		{"SAVP with a fingerprint", head + "m=audio 4000 RTP/SAVPF 0\r\na=fingerprint:sha-256 AA:BB\r\n", new(*TransportError), "keys by DTLS"},
		{"SAVP with a fingerprint for the whole session", head + "a=fingerprint:sha-256 AA:BB\r\nm=audio 4000 RTP/SAVP 0\r\n", new(*TransportError), "keys by DTLS"},
		{"DTLS by the profile alone", head + "m=audio 4000 UDP/TLS/RTP/SAVP 0\r\n", new(*TransportError), "keys by DTLS"},
		{"a name as address", strings.Replace(head, "c=IN IP4 10.9.0.2", "c=IN IP4 phone.example.com", 1) + plainAudio, new(*AddressError), "phone.example.com"},
		{"multicast", head + plainAudio + "c=IN IP4 239.1.2.3/127\r\n", new(*AddressError), "multicast"},
		{"multicast without a time to live", head + plainAudio + "c=IN IP4 239.1.2.3\r\n", new(*AddressError), "one device"},
		{"broadcast", head + plainAudio + "c=IN IP4 255.255.255.255\r\n", new(*AddressError), "one device"},
		{"the other IP version", head + plainAudio + "c=IN IP6 2001:db8::2\r\n", new(*AddressError), "another IP version"},
		{"no address", "v=0\r\n" + plainAudio, new(*AddressError), "no c= line"},
		{"no codec of ours", head + "m=audio 4000 RTP/AVP 9 111 33\r\na=rtpmap:111 opus/48000/2\r\n", new(*NoCodecError), "payload type 9, opus/48000/2, payload type 33"},
		{"port that is none", head + "m=audio 70000 RTP/AVP 0\r\n", new(*SyntaxError), "line 6: port \"70000\""},
		{"m-line cut short", head + "m=audio 4000 RTP/AVP\r\n", new(*SyntaxError), "3 fields"},
		{"c-line cut short", "v=0\r\nc=IN IP4\r\n" + plainAudio, new(*SyntaxError), "line 2"},
		{"not SDP", "<html></html>", new(*SyntaxError), "line 1"},
		{"empty", "", new(*SyntaxError), "empty"},
		{"far too long", head + strings.Repeat("a=x\r\n", 5000), new(*SyntaxError), "at most"},
		{"too many streams", head + strings.Repeat(plainAudio, 17), new(*SyntaxError), "m-lines"},
		{"control characters", head + "m=audio 4000 RTP/AVP 0\x00\r\n", new(*SyntaxError), "visible ASCII"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r, err := ReadAnswer(panel(), []byte(c.answer))
			if err == nil || !errors.As(err, c.want) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %T that says %q", err, c.want, c.says)
			}
			if r.Audio != nil || r.Video != nil {
				t.Errorf("something was agreed: %+v", r)
			}
			if strings.Contains(err.Error(), "secretkey") {
				t.Error("the error tells a key")
			}
		})
	}
}

func TestReadAnswerRefused(t *testing.T) {
	for _, lines := range []string{"", "m=audio 0 RTP/AVP 0\r\n", "m=audio 0 RTP/AVP 0\r\nm=video 0 RTP/AVP 97\r\n"} {
		if _, err := ReadAnswer(panel(), []byte(head+lines)); !errors.Is(err, ErrRefused) {
			t.Errorf("%q: got %v", lines, err)
		}
	}
}

// A picture that cannot be used leaves the call alone, and says why.
func TestReadAnswerWithoutUsablePicture(t *testing.T) {
	for _, c := range []struct {
		lines string
		want  any
	}{
		{"m=video 6000 RTP/AVP 102\r\na=rtpmap:102 H265/90000\r\n", new(*NoCodecError)},
		{"m=video 6000 RTP/SAVP 97\r\n", new(*TransportError)},
		{"m=video 6000 RTP/AVP 97\r\nc=IN IP4 somewhere\r\n", new(*AddressError)},
	} {
		got, err := ReadAnswer(panel(), []byte(head+plainAudio+c.lines))
		if err != nil || got.Audio == nil || got.Video != nil || !errors.As(got.NoVideo, c.want) {
			t.Errorf("%q: audio %v, no video %v, error %v", c.lines, got.Audio, got.NoVideo, err)
		}
	}
}

func TestReadAnswerWhenNoPictureWasOffered(t *testing.T) {
	l := panel()
	l.Video = nil
	got, err := ReadAnswer(l, []byte(baresipAnswer))
	if err != nil || got.Video != nil || got.NoVideo != nil {
		t.Errorf("video %+v (%v), error %v", got.Video, got.NoVideo, err)
	}
}
