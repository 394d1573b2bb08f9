package sipua

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
	"doorstation/callflow/sipua/wire"
)

// A sink is a socket that swallows.
type sink struct{ net.PacketConn }

func (sink) WriteTo(b []byte, _ net.Addr) (int, error) { return len(b), nil }
func (sink) LocalAddr() net.Addr                       { return &net.UDPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 5060} }
func (sink) Close() error                              { return nil }

// FuzzIntake gives messages to a panel with a ringing call, an answered one, and
// an allowed caller. The words in capitals stand for what only a peer knows.
func FuzzIntake(f *testing.F) {
	const head = "Via: SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKx;rport\r\n"
	const inside = "From: <sip:phone@192.0.2.10>;tag=a\r\nTo: <sip:doorstation@192.0.2.1>;tag=TAG\r\nCall-ID: IDENT\r\n"
	const back = "Via: SIP/2.0/UDP 192.0.2.1:5060;branch=BRANCH\r\nFrom: <sip:doorstation@192.0.2.1>;tag=TAG\r\nCall-ID: IDENT\r\nCSeq: 1 INVITE\r\n"
	for _, s := range []string{
		"INVITE sip:p@x SIP/2.0\r\n" + head + "From: <sip:guard@192.0.2.10>;tag=t\r\nTo: <sip:p@x>\r\nCall-ID: n\r\nCSeq: 1 INVITE\r\nContact: <sip:g@192.0.2.10>\r\n\r\n",
		"CANCEL sip:p@x SIP/2.0\r\n" + head + "From: <sip:guard@192.0.2.10>;tag=t\r\nTo: <sip:p@x>\r\nCall-ID: n\r\nCSeq: 1 CANCEL\r\n\r\n",
		"BYE sip:p@x SIP/2.0\r\n" + head + inside + "CSeq: 2 BYE\r\n\r\n",
		"ACK sip:p@x SIP/2.0\r\n" + head + inside + "CSeq: 2 ACK\r\n\r\n",
		"INFO sip:p@x SIP/2.0\r\n" + head + inside + "CSeq: 3 INFO\r\nContent-Type: application/dtmf-relay\r\nContent-Length: 8\r\n\r\nSignal=5",
		"UPDATE sip:p@x SIP/2.0\r\n" + head + inside + "CSeq: 3 UPDATE\r\nContact: *\r\n\r\n",
		"INVITE sip:p@x SIP/2.0\r\n" + head + inside + "CSeq: 3 INVITE\r\nContact: <tel:1>\r\nContent-Type: application/sdp\r\nContent-Length: 1\r\n\r\nv",
		"SIP/2.0 183 x\r\n" + back + "To: <sip:p@x>;tag=b\r\nRequire: 100rel\r\nRSeq: 1\r\nContact: <sip:a@192.0.2.10>\r\n\r\n",
		"SIP/2.0 200 x\r\n" + back + "To: <sip:p@x>;tag=b\r\nRecord-Route: <sip:[::1>, <sip:a;lr>\r\n\r\n",
		"SIP/2.0 401 x\r\n" + back + "To: <sip:p@x>;tag=b\r\nWWW-Authenticate: Digest realm=\"x\", nonce=\"\r\n\r\n",
		"SIP/2.0 486 x\r\n" + back + "To: <sip:p@x>;tag=b\r\n\r\n",
		"OPTIONS tel:1 SIP/2.0\r\n" + head + "From: <sip:x@y>;tag=t\r\nTo: <sip:p@x>\r\nCall-ID: n\r\nCSeq: 1 OPTIONS\r\n\r\n",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		u, ringing, talking := fuzzedPanel(t)
		for _, c := range []*call{ringing, talking} {
			branch, _ := c.out.tx.req.Via().Params.Get("branch")
			filled := strings.NewReplacer("IDENT", c.key.id, "TAG", c.key.tag, "BRANCH", branch).Replace(text)
			m, err := wire.Parse([]byte(filled))
			u.deliver(m, err, "UDP", netip.MustParseAddrPort(phoneAddr), func(b []byte, _ uint16) error {
				if !bytes.HasSuffix(b, []byte("\r\n\r\n")) {
					t.Errorf("the answer has no end: %q", b)
				}
				return nil
			})
			for _, f := range u.box.take() {
				f()
			}
		}
		if err := u.close(); err != nil {
			t.Error(err)
		}
	})
}

func fuzzedPanel(t *testing.T) (u *UA, ringing, talking *call) {
	t.Helper()
	u, err := New(Config{Local: netip.MustParseAddrPort(panelAddr), Conn: sink{}, Allow: []string{guard},
		NewLeg: func() callflow.LegID { return 77 }}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	u.tpl.Pool("udp").Add(u.local.String(), &sip.UDPConnection{PacketConn: u.gate, PacketAddr: u.local.String(), Listener: true})
	u.admitAllowed()
	u.invite(1, Invitation{Target: phoneTarget, Offers: [][]byte{[]byte(testOffer)}})
	u.invite(2, Invitation{Target: phoneTarget, Offers: [][]byte{[]byte(testOffer)}})
	ringing, talking = u.legs[1], u.legs[2]
	m, err := sip.NewParser().ParseSIP([]byte(replyText(talking.out.tx.req, 200, "a", phoneContact(), "sdp:x")))
	if err != nil {
		t.Fatal(err)
	}
	m.SetTransport("UDP")
	m.SetSource(phoneAddr)
	u.receive(m, time.Now())
	if talking.won == nil {
		t.Fatal("the call is not answered")
	}
	return u, ringing, talking
}

// headersRead are the fields whose values we look into.
var headersRead = []string{
	"Via", "From", "To", "Contact", "Route", "Record-Route", "Require", "Supported", "RSeq", "RAck", "Session-Expires", "Min-SE",
	"Retry-After", "Expires", "Min-Expires", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info", "Accept", "Allow",
	"Content-Type", "Call-Info", "Alert-Info", "Answer-Mode", "Refer-To", "Referred-By", "Replaces", "Event", "Date", "Warning",
	"Reason", "Service-Route", "Path", "Authorization", "Max-Forwards", "CSeq", "Call-ID",
}

// FuzzHeaders puts a value into each field that we read, in requests and in
// responses, outside of dialogs and inside.
func FuzzHeaders(f *testing.F) {
	for _, value := range []string{
		"", "0", "4294967296", "1800;refresher=uas", "<sip:a@b>", "<sip:[::1>", "\"", "Digest realm=\"x\", nonce=", "100rel, timer, \x00",
		"sip:a@b;answer-after=0", "<urn:alert:x>;info=alert-autoanswer;delay=0", "a;from-tag=;to-tag", "SIP/2.0/UDP [::1]:x;rport=y", ";;,,=", "*",
	} {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		u, ringing, talking := fuzzedPanel(t)
		branch, _ := ringing.out.tx.req.Via().Params.Get("branch")
		for i, name := range headersRead {
			id, field := fmt.Sprint("n", i), name+": "+value+"\r\n"
			for _, text := range []string{
				fmt.Sprintf("INVITE sip:p@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bK%s\r\nFrom: <%s>;tag=t\r\nTo: <sip:p@x>\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n%s\r\n", id, guard, id, field),
				fmt.Sprintf("UPDATE sip:p@x SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKu%s\r\nFrom: <sip:phone@192.0.2.10>;tag=a\r\nTo: <sip:d@x>;tag=%s\r\nCall-ID: %s\r\nCSeq: %d UPDATE\r\n%s\r\n", id, talking.key.tag, talking.key.id, i+10, field),
				fmt.Sprintf("SIP/2.0 183 x\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=%s\r\nFrom: <sip:d@x>;tag=%s\r\nTo: <sip:p@x>;tag=f%d\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\n%s\r\n", branch, ringing.key.tag, i%4, ringing.key.id, field),
			} {
				m, err := wire.Parse([]byte(text))
				u.deliver(m, err, "UDP", netip.MustParseAddrPort(phoneAddr), func([]byte, uint16) error { return nil })
			}
		}
		for _, f := range u.box.take() {
			f()
		}
		if err := u.close(); err != nil {
			t.Error(err)
		}
	})
}
