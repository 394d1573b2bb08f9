//go:build cgo

package station

import (
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
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

// Each phone is told of a picture of its own leg, until it is known to see more.
func TestPictureForThoseWhoPoll(t *testing.T) {
	rings := make(chan *scriptCall, 2)
	early := newScriptPhone(t, func(c *scriptCall) {
		c.respond(183, "Session Progress", c.early())
		rings <- c
	})
	polls := newScriptPhone(t, func(c *scriptCall) {
		c.respond(180, "Ringing", "")
		rings <- c
	})
	config := strings.Replace(fmt.Sprintf(randomConfig, early.uri(), polls.uri()), "call: {", "call: {still: true, ", 1) +
		"\nweb: {listen: \"" + freeAddress(t) + "\", user: operator, password: long enough}\n"
	p := startPanel(t, config)
	told := regexp.MustCompile(`^<(http://\S+)>;purpose=icon$`)
	// answers is the status of a page, 0 if there is none.
	answers := func(url string) int {
		resp, err := http.Get(url)
		if err != nil {
			return 0
		}
		resp.Body.Close()
		return resp.StatusCode
	}
	// call rings both, and gives the addresses that they are told.
	call := func(during func(ofEarly, ofPolls string)) (ofEarly, ofPolls string) {
		t.Helper()
		p.press()
		for range 2 {
			c, url := <-rings, ""
			if found := told.FindStringSubmatch(header(c.invite, "Call-Info")); found != nil {
				url = found[1]
			}
			if c.phone == early {
				ofEarly = url
			} else {
				ofPolls = url
			}
		}
		during(ofEarly, ofPolls)
		early.latest().respond(486, "Busy Here", "")
		p.marked(timeline.Refused)
		if status := answers(ofEarly); ofEarly != "" && status != http.StatusNotFound {
			t.Errorf("the picture of a leg that has ended: %d, want 404", status)
		}
		if status := answers(ofPolls); status == http.StatusNotFound {
			t.Error("the picture of the leg that rings on is gone")
		}
		polls.latest().respond(486, "Busy Here", "")
		p.idle()
		return ofEarly, ofPolls
	}
	one, other := call(func(_, ofPolls string) {
		p.await("an answer of the page", func() bool { return answers(ofPolls) != 0 })
		p.shown(early.uri(), control.PreviewEarly)
		p.shown(polls.uri(), control.PreviewStill)
	})
	if one == "" || other == "" || one == other {
		t.Errorf("the phones are told %q and %q", one, other)
	}
	one, other = call(func(_, _ string) {})
	if one != "" || other == "" {
		t.Errorf("later the early phone is told %q, and the one that polls %q", one, other)
	}
}
