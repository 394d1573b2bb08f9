package trace

import (
	"bytes"
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"
)

var (
	panel = netip.MustParseAddrPort("192.0.2.1:5060")
	proxy = netip.MustParseAddrPort("192.0.2.2:5060")
	phone = netip.MustParseAddrPort("192.0.2.10:5062")
	began = time.Date(2026, 11, 22, 18, 0, 0, 0, time.Local)
)

func message(after time.Duration, out bool, peer netip.AddrPort, id string, lines ...string) Message {
	return Message{At: began.Add(after), Out: out, Network: "udp", Panel: panel, Peer: peer,
		Text: []byte(strings.Join(append(lines, "Call-ID: "+id, "", ""), "\r\n"))}
}

func TestSecretsAreMasked(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"digest": {
			"REGISTER sip:h SIP/2.0\r\nAuthorization: Digest username=\"panel\", realm=\"h,1\", nonce=\"n\", uri=\"sip:h\", response=\"0123abcd\", cnonce=\"c\", nc=00000001\r\n\r\n",
			"REGISTER sip:h SIP/2.0\r\nAuthorization: Digest username=\"panel\", realm=\"h,1\", nonce=\"n\", uri=\"sip:h\", response=\"xxxxxxxx\", cnonce=\"c\", nc=00000001\r\n\r\n",
		},
		"digest, the response first, folded, without quotes": {
			"X sip:h SIP/2.0\r\nproxy-authorization :Digest\r\n response=01ab,\r\n  realm=\"h\"\r\nTo: y\r\n\r\n",
			"X sip:h SIP/2.0\r\nproxy-authorization :Digest\r\n response=xxxx,\r\n  realm=\"h\"\r\nTo: y\r\n\r\n",
		},
		"Basic":                {"X sip:h SIP/2.0\r\nAuthorization: Basic cGFuZWw6c2VjcmV0\r\n\r\n", "X sip:h SIP/2.0\r\nAuthorization: Basic xxxxxxxxxxxxxxxx\r\n\r\n"},
		"Basic with padding":   {"X sip:h SIP/2.0\r\nAuthorization: Basic cGFuZWw6c2VjcmV=\r\n\r\n", "X sip:h SIP/2.0\r\nAuthorization: Basic xxxxxxxxxxxxxxxx\r\n\r\n"},
		"what a server proves": {"SIP/2.0 200 OK\r\nAuthentication-Info: qop=auth, rspauth=\"77aa\"\r\n\r\n", "SIP/2.0 200 OK\r\nAuthentication-Info: qop=auth, rspauth=\"xxxx\"\r\n\r\n"},
		"keys of SRTP and ICE": {
			"INVITE sip:h SIP/2.0\r\nc: application/sdp\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:AbC/+=|2^20\r\na=ice-pwd:pw\r\nk=base64:aa\r\na=rtpmap:0 x\r\n",
			"INVITE sip:h SIP/2.0\r\nc: application/sdp\r\n\r\nv=0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:xxxxxxxxxxx\r\na=ice-pwd:xx\r\nk=xxxxxxxxx\r\na=rtpmap:0 x\r\n",
		},
		"a digit with its name": {
			"INFO sip:h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=5\r\nDuration=160\r\n",
			"INFO sip:h SIP/2.0\r\nContent-Type: application/dtmf-relay\r\n\r\nSignal=x\r\nDuration=160\r\n",
		},
		"a bare digit": {"INFO sip:h SIP/2.0\r\nc:application/DTMF\r\n\r\n5", "INFO sip:h SIP/2.0\r\nc:application/DTMF\r\n\r\nx"},
		"nothing":      {"OPTIONS sip:h SIP/2.0\r\nTo: <sip:5@h>\r\n\r\nSignal=5", "OPTIONS sip:h SIP/2.0\r\nTo: <sip:5@h>\r\n\r\nSignal=5"},
	} {
		text := []byte(c.text)
		if got := string(Mask(text)); got != c.want {
			t.Errorf("%s:\n%q, want\n%q", name, got, c.want)
		}
		if string(text) != c.text {
			t.Errorf("%s: the message itself was changed", name)
		}
	}
}

func FuzzMask(f *testing.F) {
	f.Add([]byte("Authorization: Digest response=\"a\r\n b\", x\r\n\r\na=crypto:1 x inline:y\r\n"))
	f.Add([]byte("c: dtmf\r\n\r\n=\r\n"))
	f.Add([]byte("x\r\n\r\na=crypto:\xff\xffinline:y"))
	f.Fuzz(func(t *testing.T, text []byte) {
		if got := Mask(text); len(got) != len(text) || bytes.Count(got, []byte("\n")) != bytes.Count(text, []byte("\n")) {
			t.Errorf("%q became %q", text, got)
		}
	})
}

func TestRingKeepsItsBudget(t *testing.T) {
	var r Ring
	for i := range 2000 {
		m := message(0, true, proxy, fmt.Sprint(i), "OPTIONS sip:h SIP/2.0")
		if i%100 == 0 {
			m.Text = append(m.Text, make([]byte, 60<<10)...)
		}
		r.Add(m)
	}
	r.Add(Message{Text: make([]byte, maxBytes+1)})
	all, sum := r.Messages(), 0
	for _, m := range all {
		sum += len(m.Text)
	}
	if len(all) > maxMessages || sum > maxBytes || sum != r.bytes || all[len(all)-1].Field("Call-ID") != "1999" {
		t.Errorf("%d messages, %d bytes, counted %d", len(all), sum, r.bytes)
	}
}

func story() []Message {
	return []Message{
		message(0, true, proxy, "reg", "REGISTER sip:h SIP/2.0"),
		message(time.Second, true, proxy, "one", "INVITE sip:flat-of-the-family-berger@house.example SIP/2.0", "Content-Type: application/sdp"),
		message(time.Second+time.Millisecond, true, phone, "two", "INVITE sip:phone@192.0.2.10 SIP/2.0"),
		message(time.Second+2*time.Millisecond, false, proxy, "one", "SIP/2.0 180 Ringing"),
		message(2*time.Second, false, proxy, "late", "BYE sip:panel@192.0.2.1 SIP/2.0"),
		message(3*time.Second, false, phone, "two", "SIP/2.0 200 OK", "c: application/sdp"),
		message(9*time.Second, true, proxy, "next", "INVITE sip:other@h SIP/2.0"),
	}
}

func TestCallsAndLadder(t *testing.T) {
	var b strings.Builder
	if err := Ladder(&b, Calls(story(), began.Add(time.Second), began.Add(5*time.Second))); err != nil {
		t.Fatal(err)
	}
	want := `              panel               192.0.2.2:5060                   192.0.2.10:5062
18:00:01.000  |- INVITE sip:flat-of-the-fam… ->|
18:00:01.001  |- INVITE sip:phone@192.0.2.10 ----------------------------------->|
18:00:01.002  |<- 180 Ringing -----------------|
18:00:03.000  |<- 200 OK (SDP) --------------------------------------------------|
`
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}
