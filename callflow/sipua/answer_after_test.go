package sipua

import (
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

func TestAnswerAfter(t *testing.T) {
	for fields, want := range map[string]time.Duration{
		"": 0,
		"Call-Info: <sip:pbx>;answer-after=0\r\n":                                0,
		"Call-Info: <sip:pbx>; Answer-After = 5\r\n":                             5 * time.Second,
		"Call-Info: <http://pbx/a,b;answer-after=9>;answer-after=3, <sip:x>\r\n": 3 * time.Second,
		"Call-Info: <sip:pbx>;purpose=icon\r\nCall-Info: <x>;answer-after=4\r\n": 4 * time.Second,
		"Alert-Info: <http://pbx>;info=alert-autoanswer;delay=2\r\n":             2 * time.Second,
		"Alert-Info: info=alert-autoanswer;delay=\"7\"\r\n":                      7 * time.Second,
		"Alert-Info: <http://pbx/bell.wav>\r\n":                                  0,
		"Call-Info: <sip:pbx>;answer-after=soon\r\n":                             0,
		"Call-Info: <sip:pbx>;answer-after=99999999999999999999\r\n":             0,
	} {
		m, err := sip.NewParser().ParseSIP([]byte("OPTIONS sip:x@y SIP/2.0\r\n" + fields + "\r\n"))
		if err != nil {
			t.Fatal(err)
		}
		if got := answerAfter(m.(*sip.Request)); got != want {
			t.Errorf("%q: %v, want %v", fields, got, want)
		}
	}
}
