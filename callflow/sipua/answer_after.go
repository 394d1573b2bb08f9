package sipua

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// answerAfter reads when a caller wants to be answered: the parameter
// answer-after of a Call-Info, or delay beside info=alert-autoanswer of an
// Alert-Info, in seconds. Both are customs of phones and exchanges; no RFC has
// them. Whatever is neither is 0.
func answerAfter(req *sip.Request) time.Duration {
	for _, field := range []struct{ name, param string }{{"call-info", "answer-after"}, {"alert-info", "delay"}} {
		for _, h := range req.GetHeaders(field.name) {
			if wait, ok := uriParam(h.Value(), field.param); ok {
				return seconds(wait)
			}
		}
	}
	return 0
}

// uriParam finds a parameter behind the first <uri> of a header field's value.
func uriParam(value, name string) (string, bool) {
	_, params, found := strings.Cut(value, ">")
	if !found {
		params = value
	}
	params, _, _ = strings.Cut(params, ",")
	for p := range strings.SplitSeq(params, ";") {
		key, val, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(key), name) {
			return strings.Trim(strings.TrimSpace(val), `"`), true
		}
	}
	return "", false
}
