package sipua

import (
	"strings"
	"testing"
)

func TestDigitOf(t *testing.T) {
	for body, want := range map[string]byte{
		"Signal=5\r\nDuration=250\r\n":       '5',
		"Signal=5\r\nDuration=160":           '5',
		"Signal=5":                           '5',
		"Signal= 5 \r\nDuration= 160\r\n":    '5',
		"signal = *\nduration = 100\n":       '*',
		"Duration=250\r\nSignal=#\r\n":       '#',
		"Signal=a\r\n":                       'A',
		"Signal=d\r\n":                       'D',
		"Signal=10\r\nDuration=250\r\n":      '*',
		"Signal=11\r\n":                      '#',
		"Signal=12\r\n":                      'A',
		"Signal=15\r\n":                      'D',
		"Signal=16\r\n":                      flash,
		"7":                                  '7',
		" # \r\n":                            '#',
		"11":                                 '#',
		"":                                   0,
		"17":                                 0,
		"Signal=\r\n":                        0,
		"Signal=55\r\n":                      0,
		"Signal=5\r\nSignal=6\r\n":           0,
		"Signal=05\r\n":                      0,
		"Signal=+9\r\n":                      0,
		"Duration=250\r\n":                   0,
		"e":                                  0,
		"5\r\n6":                             0,
		"\x005":                              0,
		"Signal=５\r\n":                       0,
		strings.Repeat("Signal=1\r\n", 1000): 0,
	} {
		got, ok := digitOf([]byte(body))
		if !ok {
			got = 0
		}
		if got != want {
			t.Errorf("%.40q gives %q, want %q", body, got, want)
		}
	}
}

func TestWantsPicture(t *testing.T) {
	for body, want := range map[string]bool{
		`<?xml version="1.0"?><media_control><vc_primitive><to_encoder><picture_fast_update/></to_encoder></vc_primitive></media_control>`: true,
		"<picture_fast_update></picture_fast_update>":     true,
		"<picture_fast_update >":                          true,
		"<picture_fast_update":                            false,
		"<picture_fast_updates/>":                         false,
		"<media_control><general_error/></media_control>": false,
	} {
		if got := wantsPicture([]byte(body)); got != want {
			t.Errorf("%q: %v", body, got)
		}
	}
}

func FuzzInfoBody(f *testing.F) {
	for _, s := range []string{"Signal=5\r\nDuration=250\r\n", "Duration=160", "Signal=10", "11", "#", "Signal= a\n",
		"Signal=5\r\nSignal=6", "=", "\r\n", "<picture_fast_update/>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		wantsPicture(body)
		key, ok := digitOf(body)
		if ok && strings.IndexByte("0123456789*#ABCD!", key) < 0 {
			t.Errorf("%q gives key %q", body, key)
		}
		if ok && len(body) == 0 {
			t.Error("a key out of nothing")
		}
	})
}
