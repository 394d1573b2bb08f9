package guard

import (
	"strings"
	"testing"
	"time"
)

var goodMessages = []string{
	"2 beat",
	"2 beat sip loop",
	"2 bye",
	"2 input cover on 123456789 1800000",
	"2 input exit off 123456790 0",
	"2 pulse 7 door1 3000 123456789 code of Smith",
	"2 welcome 0 0",
	"2 busy another client is served",
	"2 denied user 1000 is not served",
	"2 accept 4294967295",
	"2 refuse 8 no relay of this name",
	"2 edge 7 door1 on 123456789 pulse: code",
	"2 edge 7 door1 off 123456790 pulse over",
}

var badMessages = []string{
	"", " ", "1", "1 ", "1 beat", "3 beat", "2  beat", "2 beat ", "2 beat \x01", "2 beat  ü", "2 bye x", "2 bye ", " 1 beat", "2 BEAT", "2 beat\n",
	"2 pulse", "2 pulse 1", "2 pulse 1 door1", "2 pulse 1 door1 100", "2 pulse 1 door1 100 5", "2 pulse 1 door1 100 5 ", "2 pulse 1 door1 100 x",
	"2 pulse -1 door1 100 5 x", "2 pulse +1 door1 100 5 x", "2 pulse 01 door1 100 5 x",
	"2 pulse 4294967296 door1 100 5 x", "2 pulse 1 Door1 100 5 x", "2 pulse 1  100 5 x",
	"2 pulse 1 door1 -100 5 x", "2 pulse 1 door1 1e3 5 x", "2 pulse 1 door1 3600001 5 x",
	"2 pulse 1 door1 99999999999999999999 5 x", "2 pulse 1 door1 100 5 \x00", "2 pulse 1 door1 100 5 \xff",
	"2 pulse 1 " + strings.Repeat("d", maxName+1) + " 100 5 x",
	"2 pulse 1 door1 100 5 " + strings.Repeat("x", maxReason+1),
	"2 edge 1 door1 open 5 x", "2 edge 1 door1 on -5 x", "2 accept", "2 welcome x", "2 welcome 1", "2 welcome 1 -1",
	"2 input", "2 input cover", "2 input cover on 1", "2 input cover up 1 0", "2 input cover on 1 86400001", "2 input cover on 1 0 x",
	"2 beat " + strings.Repeat("x", maxReason+1),
	strings.Repeat("2 beat", 100),
}

func TestProtocolTakesItsOwnWords(t *testing.T) {
	for _, s := range goodMessages {
		m, err := parse([]byte(s))
		if err != nil {
			t.Errorf("%q: %v", s, err)
		} else if got := string(m.append(nil)); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
}

func TestProtocolRefusesEverythingElse(t *testing.T) {
	for _, s := range badMessages {
		if m, err := parse([]byte(s)); err == nil {
			t.Errorf("%q was taken as %+v", s, m)
		}
	}
}

func TestPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"":                                "-",
		"code":                            "code",
		"a\nb\x00ü":                       "a?b???",
		strings.Repeat("y", 2*maxReason):  strings.Repeat("y", maxReason),
		"2 pulse 9 door1 1000 of another": "2 pulse 9 door1 1000 of another",
	} {
		if got := printable(in); got != want || !validText(got) {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range goodMessages {
		f.Add([]byte(s))
	}
	for _, s := range badMessages {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := parse(raw)
		if err != nil {
			return
		}
		if got := string(m.append(nil)); got != string(raw) {
			t.Fatalf("%q was taken, and is written as %q", raw, got)
		}
		if m.d < 0 || m.d > maxBlock || m.kind == kindPulse && m.d > maxDuration || m.d%time.Millisecond != 0 || m.at < 0 {
			t.Fatalf("%q has duration %v at %v", raw, m.d, m.at)
		}
	})
}
