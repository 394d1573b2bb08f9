package wire

import (
	"errors"
	"strings"
	"testing"
)

// lines makes a message of lines, with the empty line and no body.
func lines(all ...string) string { return strings.Join(all, "\r\n") + "\r\n\r\n" }

const (
	via  = "Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa"
	from = "From: <sip:a@b>;tag=1"
	to   = "To: <sip:c@d>"
	id   = "Call-ID: x@y"
	cseq = "CSeq: 1 OPTIONS"
	line = "OPTIONS sip:c@d SIP/2.0"
)

func TestPlainForm(t *testing.T) {
	got, err := Parse([]byte(lines(line, "v :  SIP  / 2.0\r\n /\tudp  [2001:db8::1] :5070 ; branch = z9hG4bKa ;rport , SIP/2.0/TCP b.example",
		`f: "a \"<b" <sip:a@b>  ; tag = 1`, "t: sip:c@d;x", "i:x@y", "cSeq: 0001\r\n\tOPTIONS", "Max-Forwards: 070",
		"m: sip:a@b , \"q,\" <sip:e@f;p> ;q=0.5", "Unknown: a\r\n  b  ", "l: 2") + "hello"))
	if err != nil {
		t.Fatal(err)
	}
	want := lines(line, "Via: SIP/2.0/UDP [2001:db8::1]:5070;branch=z9hG4bKa;rport, SIP/2.0/TCP b.example",
		`From: "a \"<b" <sip:a@b>;tag=1`, "To: <sip:c@d>;x", "Call-ID: x@y", "cSeq: 1 OPTIONS", "Max-Forwards: 70",
		"Contact: <sip:a@b>, \"q,\" <sip:e@f;p>;q=0.5", "Unknown: a b", "Content-Length: 2") + "he"
	if string(got.Bytes()) != want {
		t.Errorf("got\n%s\nwant\n%s", got.Bytes(), want)
	}
}

func TestFaults(t *testing.T) {
	good := lines(line, via, from, to, id, cseq)
	if _, err := Parse([]byte(good)); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		old, now string
		status   int
	}{
		"no To":                          {to + "\r\n", "", 400},
		"no Via: nowhere to answer":      {via + "\r\n", "", 400},
		"two Call-IDs":                   {id, id + "\r\n" + id, 400},
		"a compact second From":          {id, id + "\r\nf: <sip:x@y>", 400},
		"a bare CR":                      {"x@y", "x\ry", 400},
		"a bare LF":                      {"x@y", "x\ny", 400},
		"a field without a colon":        {id, id + "\r\nnothing", 400},
		"a field without a name":         {id, id + "\r\n: x", 400},
		"a space in the field's name":    {id, id + "\r\na b: x", 400},
		"a folded start line":            {line, line + "\r\n more", 400},
		"a negative length":              {id, id + "\r\nl: -1", 400},
		"a length with a sign":           {id, id + "\r\nl: +0", 400},
		"a length of two values":         {id, id + "\r\nl: 0, 0", 400},
		"a length beyond all":            {id, id + "\r\nl: 99999999999999999999", 400},
		"a NUL in the URI":               {"sip:c@d SIP", "sip:c\x00@d SIP", 400},
		"a port beyond all":              {"sip:c@d SIP", "sip:c@d:70000 SIP", 400},
		"a port of nothing":              {"sip:c@d SIP", "sip:c@d: SIP", 400},
		"no host":                        {"sip:c@d SIP", "sip:c@ SIP", 400},
		"an open bracket":                {"sip:c@d SIP", "sip:c@[::1 SIP", 400},
		"a zone":                         {"sip:c@d SIP", "sip:c@[fe80::1%eth0] SIP", 400},
		"another version":                {"SIP/2.0\r\nVia", "SIP/3.0\r\nVia", 505},
		"no version":                     {"SIP/2.0\r\nVia", "HTTP/1.1\r\nVia", 400},
		"a Via of another protocol":      {"Via: SIP", "Via: TLS", 400},
		"a Via without a host":           {"192.0.2.2;", ";", 400},
		"a Via of two hosts":             {"192.0.2.2;", "192.0.2.2 evil;", 400},
		"a parameter twice cut":          {"tag=1", "tag=1;;x", 400},
		"a parameter's open quote":       {"tag=1", `tag="1`, 400},
		"a CSeq of a word":               {"1 OPTIONS\r\n", "one OPTIONS\r\n", 400},
		"a CSeq beyond all":              {"1 OPTIONS\r\n", "2147483648 OPTIONS\r\n", 400},
		"a CSeq in lower case":           {"1 OPTIONS\r\n", "1 options\r\n", 400},
		"Max-Forwards beyond all":        {id, id + "\r\nMax-Forwards: 256", 400},
		"two words of Call-ID":           {"x@y", "x y", 400},
		"a Route without brackets' end":  {id, id + "\r\nRoute: <sip:a@b", 400},
		"a Record-Route after a comma":   {id, id + "\r\nRecord-Route: <sip:a@b>,", 400},
		"a Contact of two stars":         {id, id + "\r\nContact: *, *", 400},
		"an end in the middle of fields": {"\r\n\r\n", "\r\n", 400},
	} {
		bad := strings.Replace(good, c.old, c.now, 1)
		_, err := Parse([]byte(bad))
		var f *Fault
		if bad == good || !errors.As(err, &f) || f.Status != c.status {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What never gets an answer: responses, ACKs, and what has no start line.
func TestSilence(t *testing.T) {
	for name, text := range map[string]string{
		"a response":                  lines("SIP/2.0 200 OK", via, from),
		"a response of a wild code":   lines("SIP/2.0 2000 OK", via, from, to, id, cseq),
		"an ACK":                      lines("ACK sip:c@d SIP/2.0", via, from),
		"no start line":               lines("hello"),
		"nothing":                     "",
		"too long a header section":   lines(line, via, "x: "+strings.Repeat("y", MaxHead)),
		"too many fields":             lines(line, via, strings.Repeat("x:y\r\n", maxFields)),
		"a request without any Via":   lines(line, from, to, id, cseq),
		"a version that is not SIP's": lines("OPTIONS  SIP/2.0", via),
	} {
		_, err := Parse([]byte(text))
		var f *Fault
		if !errors.As(err, &f) {
			t.Errorf("%s: taken", name)
			continue
		}
		if b := f.Answer("t", "192.0.2.9", 9); b != nil && name != "a version that is not SIP's" {
			t.Errorf("%s: answered\n%s", name, b)
		}
	}
}

func TestAnswer(t *testing.T) {
	_, err := Parse([]byte(lines(line, "v: SIP/2.0/UDP h:7;rport;branch=z9hG4bKa , SIP/2.0/UDP i", "Via: SIP/2.0/TCP j", from, `To: "; tag=no" <sip:c@d>`, id, "CSeq: 1 BYE")))
	var f *Fault
	if !errors.As(err, &f) {
		t.Fatal("taken")
	}
	want := lines("SIP/2.0 400 CSeq Method Mismatch", "Via: SIP/2.0/UDP h:7;branch=z9hG4bKa;rport=9;received=192.0.2.9, SIP/2.0/UDP i", "Via: SIP/2.0/TCP j",
		from, `To: "; tag=no" <sip:c@d>;tag=t`, id, "CSeq: 1 BYE", "Content-Length: 0")
	if got := string(f.Answer("t", "192.0.2.9", 9)); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if p := f.Port(9); p != 9 {
		t.Errorf("with rport the answer goes to port %d", p)
	}
	for v, want := range map[string]uint16{"h:7": 7, "h": 5060, "[::1]": 5060, "[::1]:7": 7, "h h": 9} {
		f.Message.Fields = []Field{{"Via", "SIP/2.0/UDP " + v}}
		if got := f.Port(9); got != want {
			t.Errorf("%s: port %d, want %d", v, got, want)
		}
	}
}

func TestFramer(t *testing.T) {
	one := lines(line, via, from, to, id, cseq, "l: 3") + "abc"
	two := lines(line, via, from, to, id, cseq, "Content-Length : 0")
	text := "\r\n\r\n" + one + two + "\r\n" + one
	want := ". ping " + "msg msg . msg"
	for size := 1; size <= len(text); size++ {
		if got := framed(t, text, size); got != want {
			t.Fatalf("in pieces of %d: %s, want %s", size, got, want)
		}
	}
	for name, bad := range map[string]string{
		"no length":          lines(line, via),
		"two lengths":        lines(line, "l: 1", "l: 1"),
		"a negative length":  lines(line, "l: -1"),
		"a body beyond all":  lines(line, "l: 99999"),
		"a head beyond all":  strings.Repeat("x", MaxHead+1),
		"a head without end": line + strings.Repeat("\r\nx: y", MaxHead),
	} {
		var f Framer
		lost := false
		if err := f.Feed([]byte(bad), func(f Frame) { lost = f.Lost }); !errors.Is(err, ErrUnframed) || !lost {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// framed tells the frames of a text that comes in pieces of one size.
func framed(t *testing.T, text string, size int) string {
	t.Helper()
	var f Framer
	var all []string
	for len(text) > 0 {
		n := min(size, len(text))
		err := f.Feed([]byte(text[:n]), func(f Frame) {
			switch {
			case len(f.Message) > 0:
				if _, err := Parse(f.Message); err != nil {
					t.Errorf("%v\n%s", err, f.Message)
				}
				all = append(all, "msg")
			case f.Ping:
				all = append(all, "ping")
			default:
				all = append(all, ".")
			}
		})
		if err != nil {
			t.Fatal(err)
		}
		text = text[n:]
	}
	return strings.Join(all, " ")
}
