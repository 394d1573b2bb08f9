//go:build cgo

package station

import (
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// What the INVITE tells is a picture that whoever has read it may see, to the end
// of the call.
func TestStillOfTheWholePanel(t *testing.T) {
	calls := make(chan *scriptCall, 2)
	phone := newScriptPhone(t, func(c *scriptCall) {
		if c.answer() {
			calls <- c
		}
	})
	listen := freeAddress(t)
	config := strings.Replace(oneConfig(phone.uri()), "call: {", "call: {still: true, ", 1) +
		"\nweb: {listen: \"" + listen + "\", user: operator, password: long enough}\n"
	p := startPanel(t, config)
	get := func(url string) (int, []byte) {
		resp, err := http.Get(url)
		if err != nil {
			return 0, nil
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			return 0, nil
		}
		return resp.StatusCode, raw
	}
	told := regexp.MustCompile(`^<(http://` + regexp.QuoteMeta(listen) + `/still/[A-Za-z0-9_-]{22}\.jpg)>;purpose=icon$`)
	call := func() (c *scriptCall, url string) {
		t.Helper()
		p.press()
		p.await("the conversation", func() bool { return p.Status().Call.State == "talking" })
		c = <-calls
		info := told.FindStringSubmatch(header(c.invite, "Call-Info"))
		if info == nil {
			t.Fatalf("the phone is told %q", c.invite)
		}
		return c, info[1]
	}
	first, url := call()
	var raw []byte
	p.await("a picture", func() bool {
		var status int
		status, raw = get(url)
		return status == http.StatusOK
	})
	lumaOf(t, raw, 640, 480)
	first.bye()
	p.idle()
	if status, _ := get(url); status != http.StatusNotFound {
		t.Errorf("after the call: %d, want 404", status)
	}
	second, next := call()
	if status, _ := get(url); next == url || status != http.StatusNotFound {
		t.Errorf("in the next call, told of %s, the former address %s gives %d, want 404", next, url, status)
	}
	second.bye()
	p.idle()
}
