package locate

import (
	"errors"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"golang.org/x/net/dns/dnsmessage"
)

const testID = 0x1234

func testQuestion(t testing.TB, name string, kind dnsmessage.Type) dnsmessage.Question {
	t.Helper()
	q, err := newQuestion(name, kind)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// packed is a reply to a question, written by another implementation.
func packed(t testing.TB, q dnsmessage.Question, change func(m *dns.Msg), records ...string) []byte {
	t.Helper()
	m := new(dns.Msg)
	m.SetQuestion(q.Name.String(), uint16(q.Type))
	m.Id, m.Response, m.Compress = testID, true, true
	for _, text := range records {
		rr, err := dns.NewRR(text)
		if err != nil {
			t.Fatal(err)
		}
		m.Answer = append(m.Answer, rr)
	}
	if change != nil {
		change(m)
	}
	raw, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestParseReply(t *testing.T) {
	for name, c := range map[string]struct {
		kind    dnsmessage.Type
		records []string
		change  func(m *dns.Msg)
		want    reply
		fails   string
	}{
		"addresses behind an alias": {
			kind: dnsmessage.TypeA, records: []string{"house.example. 7 IN CNAME h.example.", "h.example. 60 IN A 192.0.2.1", "h.example. 60 IN A 192.0.2.2"},
			want: reply{addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")}, ttl: 7 * time.Second},
		},
		"IPv6": {
			kind: dnsmessage.TypeAAAA, records: []string{"house.example. 60 IN AAAA 2001:db8::1"},
			want: reply{addrs: []netip.Addr{netip.MustParseAddr("2001:db8::1")}, ttl: time.Minute},
		},
		"services, one that is none": {
			kind: dnsmessage.TypeSRV, records: []string{"house.example. 60 IN SRV 1 2 5070 sbc.house.example.", "house.example. 60 IN SRV 9 8 0 ."},
			want: reply{srv: []SRV{{1, 2, 5070, "sbc.house.example."}, {9, 8, 0, "."}}, ttl: time.Minute},
		},
		"pointers": {
			kind: typeNAPTR, records: []string{`house.example. 60 IN NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.house.example.`, `house.example. 60 IN NAPTR 20 1 "u" "E2U+sip" "!^.*$!sip:a@b!" .`},
			want: reply{naptr: []NAPTR{{10, 1, "s", "SIP+D2T", "_sip._tcp.house.example"}, {20, 1, "u", "E2U+sip", ""}}, ttl: time.Minute},
		},
		"other records beside them": {
			kind: dnsmessage.TypeA, records: []string{`house.example. 60 IN TXT "a"`, "house.example. 60 CH A 192.0.2.1"},
			want: reply{ttl: time.Minute},
		},
		"a name that nobody has": {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Rcode = dns.RcodeNameError }, want: reply{ttl: longestTTL}},
		"the name in capitals":   {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Question[0].Name = "HOUSE.example." }, want: reply{ttl: longestTTL}},
		"cut short":              {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Truncated = true }, want: reply{truncated: true, ttl: longestTTL}},
		"refused":                {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Rcode = dns.RcodeRefused }, fails: "answers REFUSED"},
		"not understood": {
			kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Rcode, m.Question = dns.RcodeFormatError, nil }, fails: "answers FORMERR",
		},
		"no question":      {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Question = nil }, fails: errForeign.Error()},
		"another question": {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Question[0].Name = "horse.example." }, fails: errForeign.Error()},
		"another type":     {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Question[0].Qtype = dns.TypeAAAA }, fails: errForeign.Error()},
		"another number":   {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Id++ }, fails: errForeign.Error()},
		"a question":       {kind: dnsmessage.TypeA, change: func(m *dns.Msg) { m.Response = false }, fails: errForeign.Error()},
	} {
		t.Run(name, func(t *testing.T) {
			q := testQuestion(t, "house.example", c.kind)
			got, err := parseReply(packed(t, q, c.change, c.records...), testID, q)
			if c.fails != "" {
				if err == nil || err.Error() != c.fails {
					t.Errorf("got %+v, %v; want %q", got, err, c.fails)
				}
				return
			}
			if err != nil || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got  %+v, %v\nwant %+v", got, err, c.want)
			}
		})
	}
}

func TestParseNAPTRRefuses(t *testing.T) {
	const head = "\x00\x01\x00\x02\x01s\x07SIP+D2U\x00"
	for name, data := range map[string]string{
		"nothing": "", "no strings": "\x00\x01\x00\x02", "a string cut short": "\x00\x01\x00\x02\x05s",
		"no name": head, "a name without an end": head + "\x01a", "a pointer": head + "\x01a\xc0\x0c",
		"a dot in a label": head + "\x03a.b\x00", "more after it": head + "\x01a\x00\x00",
	} {
		if n, err := parseNAPTR([]byte(data)); !errors.Is(err, errBadNAPTR) {
			t.Errorf("%s: %+v, %v", name, n, err)
		}
	}
}

// The query is what another implementation understands.
func TestPackQuery(t *testing.T) {
	raw, err := packQuery(testID, testQuestion(t, "_sip._udp.house.example", dnsmessage.TypeSRV))
	if err != nil {
		t.Fatal(err)
	}
	var m dns.Msg
	if err := m.Unpack(raw); err != nil {
		t.Fatal(err)
	}
	if m.Id != testID || m.Response || !m.RecursionDesired || len(m.Question) != 1 ||
		m.Question[0] != (dns.Question{Name: "_sip._udp.house.example.", Qtype: dns.TypeSRV, Qclass: dns.ClassINET}) {
		t.Errorf("asked %v", &m)
	}
	if room := m.IsEdns0(); room == nil || room.UDPSize() != largestAnswer || room.Version() != 0 {
		t.Errorf("takes %v", room)
	}
	if _, err := newQuestion(strings.Repeat("long.", 60), dnsmessage.TypeA); err == nil {
		t.Error("a name of 300 bytes can be asked for")
	}
}

// Datagrams that are no reply to the question are passed over.
func TestForgedDatagrams(t *testing.T) {
	pc, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer pc.Close()
	go func() {
		buf := make([]byte, largestAnswer)
		n, from, err := pc.ReadFrom(buf)
		if err != nil {
			return
		}
		for _, name := range []string{"another number", "another name", "noise", "the reply"} {
			m := new(dns.Msg)
			if m.Unpack(buf[:n]) != nil {
				return
			}
			m.Response, m.Extra = true, nil
			rr, _ := dns.NewRR(m.Question[0].Name + " 60 IN A 192.0.2.66")
			switch name {
			case "another number":
				m.Id++
			case "another name":
				m.Question[0].Name = "horse.example."
			case "the reply":
				rr.(*dns.A).A = net.IPv4(192, 0, 2, 1)
			}
			m.Answer = []dns.RR{rr}
			raw, _ := m.Pack()
			if name == "noise" {
				raw = raw[:7]
			}
			_, _ = pc.WriteTo(raw, from)
		}
	}()
	r, err := ask(t.Context(), pc.LocalAddr().String(), testQuestion(t, "house.example", dnsmessage.TypeA))
	if err != nil || len(r.addrs) != 1 || r.addrs[0] != netip.MustParseAddr("192.0.2.1") {
		t.Errorf("believed %+v, %v", r, err)
	}
}

func TestNameServers(t *testing.T) {
	for text, want := range map[string]string{
		"# nameserver 192.0.2.9\nsearch example\nnameserver 192.0.2.1\n\nnameserver\t2001:db8::1 # second\nnameserver fe80::1%eth0\nnameserver ns.example\noptions rotate": "192.0.2.1 2001:db8::1 fe80::1%eth0",
		"nameserver\n": "", "": "",
	} {
		path := filepath.Join(t.TempDir(), "resolv.conf")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := nameServers(path)
		if strings.Join(got, " ") != want || (err == nil) != (want != "") {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzParseReply(f *testing.F) {
	kinds := []dnsmessage.Type{dnsmessage.TypeA, dnsmessage.TypeAAAA, dnsmessage.TypeSRV, typeNAPTR}
	for i, record := range []string{
		"house.example. 60 IN A 192.0.2.1", "house.example. 60 IN AAAA 2001:db8::1", "house.example. 60 IN SRV 1 2 5070 sbc.house.example.",
		`house.example. 60 IN NAPTR 10 1 "s" "SIP+D2T" "" _sip._tcp.house.example.`,
	} {
		f.Add(packed(f, testQuestion(f, "house.example", kinds[i]), nil, record), uint8(i))
	}
	f.Fuzz(func(t *testing.T, raw []byte, kind uint8) {
		q := testQuestion(t, "house.example", kinds[int(kind)%len(kinds)])
		r, err := parseReply(raw, testID, q)
		if n := len(r.addrs) + len(r.srv) + len(r.naptr); n > len(raw) || r.ttl < 0 || r.ttl > longestTTL {
			t.Errorf("%d bytes gave %d records for %v", len(raw), n, r.ttl)
		}
		if errors.Is(err, errForeign) && !reflect.DeepEqual(r, reply{ttl: longestTTL}) {
			t.Errorf("what is no reply gave %+v", r)
		}
	})
}
