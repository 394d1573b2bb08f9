package sipua

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
)

// A torture is a message of an RFC and the answer that it asks of a user agent.
type torture struct {
	name   string
	answer int    // 0: silence
	field  string // what has to be in the answer, if anything
	why    string
}

// rfc4475 are all messages of RFC 4475. Callers of INVITEs are allowed ones, so
// that what is well-formed rings.
var rfc4475 = []torture{
	// 3.1.1 valid
	{"wsinv", 481, "", "well-formed, and of a dialog that is not ours"},
	{"intmeth", 501, "Allow: INVITE", "a method of unusual characters"},
	{"esc01", 180, "", "escaped characters do not change what the URI is"},
	{"escnull", 405, "Allow: INVITE", "escaped NULs are no end of a string; we are no registrar"},
	{"esc02", 501, "Allow: INVITE", "no escaping in methods: RE%47IST%45R is not REGISTER"},
	{"lwsdisp", 200, "", "no white space between name and address"},
	{"longreq", 180, "", "long fields, many Via fields"},
	{"dblreq", 405, "", "what follows the first message's end is dropped"},
	{"semiuri", 200, "", "a semicolon in the user part is no parameter"},
	{"transports", 200, "", "unknown transports in Via"},
	{"mpart01", 405, "", "a multipart body with NULs; no messages are taken"},
	{"unreason", 0, "", "a reason phrase of all characters, to no request of ours"},
	{"noreason", 0, "", "an empty reason phrase, to no request of ours"},
	// 3.1.2 invalid
	{"badinv01", 400, "", "extra separators"},
	{"clerr", 400, "", "Content-Length beyond the datagram"},
	{"ncl", 400, "", "negative Content-Length"},
	{"scalar02", 400, "", "numbers beyond their range"},
	{"scalarlg", 0, "", "a response with numbers beyond their range"},
	{"quotbal", 400, "", "a quote that never ends"},
	{"ltgtruri", 400, "", "angle brackets around the Request-URI"},
	{"lwsruri", 400, "", "white space in the Request-URI"},
	{"lwsstart", 400, "", "double spaces in the start line"},
	{"trws", 400, "", "spaces at the start line's end"},
	{"escruri", 400, "", "header fields in the Request-URI"},
	{"baddate", 180, "", "a Date of another zone: we use no Date, and may take it"},
	{"regbadct", 400, "", "a Contact that needs angle brackets"},
	{"badaspec", 400, "", "spaces within an address"},
	{"baddn", 400, "", "a display name that needs quotes"},
	{"badvers", 505, "", "SIP/7.0"},
	{"mismatch01", 400, "", "CSeq of another method"},
	{"mismatch02", 400, "", "an unknown method, CSeq of another"},
	{"bigcode", 0, "", "a status beyond all range"},
	// 3.2 transaction
	{"badbranch", 400, "", "a branch of nothing but the cookie"},
	// 3.3 application
	{"insuf", 400, "", "From, To and Call-ID are missing"},
	{"unkscm", 416, "", "a Request-URI of an unknown scheme"},
	{"novelsc", 416, "", "a Request-URI of a known scheme that is not SIP's"},
	{"unksm2", 405, "", "unknown schemes elsewhere are fine; we are no registrar"},
	{"bext01", 420, "Unsupported: nothingSupportsThis, nothingSupportsThisEither", "demands that nobody supports"},
	{"invut", 415, "Accept: application/sdp", "an unknown type of body"},
	{"regaut01", 405, "", "an unknown scheme of credentials; we are no registrar"},
	{"multi01", 400, "", "many values of fields that have one"},
	{"mcl01", 400, "", "two Content-Lengths"},
	{"bcast", 0, "", "a response with a broadcast address, to no request of ours"},
	{"zeromf", 200, "", "Max-Forwards 0 reaches an end point"},
	{"cparam01", 405, "", "an unknown Contact parameter; we are no registrar"},
	{"cparam02", 405, "", "an unknown URI parameter; we are no registrar"},
	{"regescrt", 405, "", "a header field in a Contact; we are no registrar"},
	{"sdp01", 406, "", "no description would be accepted in our answer"},
	// 3.4 compatibility
	{"inv2543", 180, "", "no tag, no branch, no Contact, no length: RFC 2543"},
}

func TestRFC4475(t *testing.T) {
	tortureAll(t, "rfc4475", rfc4475, []string{
		"sip:I%20have%20spaces@example.net", "sip:caller@example.net", "sip:+13035551111@ift.client.example.net",
		"sip:" + strings.Repeat("amazinglylongcallername", 5) + "@example.net",
	})
}

// tortureAll sends each message from the registrar, sees its answer, and that
// the panel still answers and rings.
func tortureAll(t *testing.T, folder string, table []torture, callers []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.dat"))
	if err != nil || len(files) != len(table) {
		t.Fatalf("%d messages, %d in the table: %v", len(files), len(table), err)
	}
	for _, c := range table {
		t.Run(c.name, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", folder, c.name+".dat"))
			if err != nil {
				t.Fatal(err)
			}
			inWorld(t, Config{Account: registered, Allow: callers, DNS: noDNS}, func(w *world) {
				proxy := w.registeredAt(proxyAddr)
				for _, port := range []uint16{5050, 6050, 19823} { // as Via has them
					w.nodes[netip.AddrPortFrom(netip.MustParseAddrPort(proxyAddr).Addr(), port)] = proxy.node
				}
				proxy.send(string(text))
				proxy.answers(c)
				proxy.stillServed()
			})
		})
	}
}

var registered = Account{User: "panel", Domain: "house.example", Registrar: "192.0.2.2"}

// registeredAt is the registrar once it has granted the registration.
func (w *world) registeredAt(addr string) *peer {
	p := w.peer(addr)
	p.grant(p.request("REGISTER"), 600)
	synctest.Wait()
	w.mu.Lock()
	w.events = nil
	w.mu.Unlock()
	return p
}

// answers sees the answer, and that no other came.
func (p *peer) answers(c torture) {
	p.w.t.Helper()
	if c.answer == 0 {
		p.quiet()
		return
	}
	var res string
	synctest.Wait()
	select {
	case d := <-p.in:
		res = string(d.b)
	default:
		p.w.t.Fatalf("no answer; want %d: %s", c.answer, c.why)
	}
	if !strings.HasPrefix(res, fmt.Sprintf("SIP/2.0 %d ", c.answer)) || !strings.Contains(res, c.field) {
		p.w.t.Errorf("want %d %s (%s), the panel sent\n%s", c.answer, c.field, c.why, res)
	}
	p.quiet()
}

// stillServed sees an OPTIONS answered after whatever came before.
func (p *peer) stillServed() {
	p.w.t.Helper()
	p.send("OPTIONS sip:panel@" + panelAddr + " SIP/2.0\r\nVia: SIP/2.0/UDP " + proxyAddr + ";branch=z9hG4bKafter;rport\r\n" +
		"From: <sip:proxy@house.example>;tag=after\r\nTo: <sip:panel@house.example>\r\nCall-ID: after\r\nCSeq: 1 OPTIONS\r\n" +
		"Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n")
	p.response(200)
}
