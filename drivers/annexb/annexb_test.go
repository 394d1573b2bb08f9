package annexb

import (
	"fmt"
	"testing"
)

func TestSplit(t *testing.T) {
	for stream, want := range map[string]string{
		"":                                    "[]",
		"no start code":                       "[]",
		"\x00\x00\x01\x67a":                   `["ga"]`,
		"\x00\x00\x00\x01\x67a\x00\x00\x01hb": `["ga" "hb"]`,
		"\x00\x00\x01ga\x00\x00\x00\x00\x00\x00\x01hb\x00": `["ga" "hb"]`,
		"\x00\x00\x01\x00\x00\x01hb":                       `["hb"]`,
	} {
		if got := fmt.Sprintf("%q", Split(nil, []byte(stream))); got != want {
			t.Errorf("%q: %s, want %s", stream, got, want)
		}
	}
}

func FuzzSplit(f *testing.F) {
	f.Add([]byte("\x00\x00\x00\x01\x67a\x00\x00\x01hb"))
	f.Fuzz(func(t *testing.T, stream []byte) {
		for _, nal := range Split(nil, stream) {
			if len(nal) == 0 || nal[len(nal)-1] == 0 {
				t.Errorf("a NAL unit %q", nal)
			}
		}
	})
}
