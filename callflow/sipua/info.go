package sipua

import (
	"bytes"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// infoArrived takes an INFO: a digit, or the wish for a key frame. Only the
// answered dialog's count, and no digit that came before the answer.
func (d *dialog) infoArrived(t *serverTx) {
	body := t.req.Body()
	switch {
	case len(body) == 0:
		t.respond(sip.StatusOK)
	case isType(t.req, "application/dtmf-relay"), isType(t.req, "application/dtmf"):
		key, ok := digitOf(body)
		if !ok {
			t.respond(sip.StatusBadRequest)
			return
		}
		t.respond(sip.StatusOK)
		if key != flash && !t.early {
			d.c.emit(Digit{Leg: d.c.leg, Key: key, At: t.at})
		}
	case isType(t.req, "application/media_control+xml"):
		t.respond(sip.StatusOK)
		if wantsPicture(body) && d.c.won == d {
			d.c.emit(PictureWanted{Leg: d.c.leg})
		}
	default:
		t.respond(sip.StatusUnsupportedMediaType,
			sip.NewHeader("Accept", "application/dtmf-relay, application/dtmf, application/media_control+xml"))
	}
}

// flash is the hook flash, event 16 of RFC 4733: understood, and no key.
const flash = '!'

// digitOf reads the key of a DTMF body: the bare key, or the line Signal=key
// among others, with LF or CRLF or nothing at the end, with spaces, in either
// case. Numbers of 10 and more are the events of RFC 4733 section 3.2. A body
// with two keys is none.
func digitOf(body []byte) (key byte, ok bool) {
	text := strings.TrimSpace(string(body))
	if !strings.ContainsAny(text, "=\r\n") {
		return keyOf(text)
	}
	for line := range strings.Lines(text) {
		name, value, found := strings.Cut(line, "=")
		if !found || !strings.EqualFold(strings.TrimSpace(name), "signal") {
			continue
		}
		if ok {
			return 0, false
		}
		if key, ok = keyOf(strings.TrimSpace(value)); !ok {
			return 0, false
		}
	}
	return key, ok
}

func keyOf(s string) (byte, bool) {
	if len(s) == 1 {
		c := bytes.ToUpper([]byte(s))[0]
		return c, strings.IndexByte("0123456789*#ABCD!", c) >= 0
	}
	n, err := strconv.ParseUint(s, 10, 8)
	if err != nil || n < 10 || n > 16 || len(s) != 2 {
		return 0, false
	}
	return "*#ABCD!"[n-10], true
}

// wantsPicture reports whether an XML body asks for a key frame (RFC 5168). It
// looks for the element alone: no XML of the network is parsed.
func wantsPicture(body []byte) bool {
	_, rest, found := bytes.Cut(body, []byte("<picture_fast_update"))
	return found && len(rest) > 0 && strings.IndexByte(" \t\r\n/>", rest[0]) >= 0
}
