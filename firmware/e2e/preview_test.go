package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
)

var pictureAddress = regexp.MustCompile(`^<(http://[^>]+)>;purpose=icon$`)

// picture is where the panel's INVITE of call n says that a picture lies; empty:
// nowhere.
func (p *panel) picture(peer *host, n int) string {
	p.t.Helper()
	var invites []packet
	await(p.t, fmt.Sprintf("INVITE %d to %s", n, peer.name), func() error {
		invites = p.wire.all(func(k packet) bool { return sip(true, "INVITE ", "INVITE")(k) && k.dst.Addr() == peer.addr })
		invites = slices.CompactFunc(invites, func(a, b packet) bool { // sent again
			return headerOf(a.payload, "Call-ID") == headerOf(b.payload, "Call-ID")
		})
		if len(invites) < n {
			return errNothing
		}
		return nil
	})
	if told := pictureAddress.FindStringSubmatch(headerOf(invites[n-1].payload, "Call-Info")); told != nil {
		return told[1]
	}
	return ""
}

// get asks from the host for a page, and gives its kind.
func (h *host) get(url string) (kind string, err error) {
	client := http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, network, address string) (conn net.Conn, err error) {
			err = inside(h.namespace, func() (err error) {
				conn, err = new(net.Dialer).DialContext(ctx, network, address)
				return err
			})
			return conn, err
		},
	}}
	resp, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s", resp.Status)
	}
	return resp.Header.Get("Content-Type"), nil
}

// Three phones of a flat: one shows the visitor by early media, one polls a
// picture, one shows nothing. Once that is known, and after a restart, only the
// second is told where a picture lies; all of them ring on as ever.
func TestPreviewsAreLearnt(t *testing.T) {
	const calls = 4
	s, _, gate := site(t)
	var phones []*sipp
	var targets []string
	for i, scenario := range []string{"early_ring", "ring", "ring"} {
		one := playSipp(s.host([]string{"early", "polls", "blind"}[i], 31+byte(i)), scenario, nil, "-m", fmt.Sprint(calls))
		phones, targets = append(phones, one), append(targets, one.uri())
	}
	early, polls, blind := phones[0], phones[1], phones[2]
	p := startPanel(gate, config{
		targets: targets, call: "ring_for: 4s, still: true",
		extra: []string{`web: {listen: ":8080", user: installer, password: ladder-and-lamp}`},
	})
	for call := 1; call <= calls; call++ {
		if call == calls {
			p.stopDaemon()
			p.startDaemon()
			p.registered()
		}
		p.press()
		told := []bool{p.picture(early.host, call) != "", p.picture(polls.host, call) != "", p.picture(blind.host, call) != ""}
		if want := []bool{call == 1, true, call < calls}; !slices.Equal(told, want) {
			t.Errorf("call %d: the early phone, the one that polls and the blind one are told of a picture: %v, want %v", call, told, want)
		}
		await(t, "a picture for the phone that polls", func() error {
			kind, err := polls.host.get(p.picture(polls.host, call))
			if err == nil && kind != "image/jpeg" {
				err = fmt.Errorf("it is %s", kind)
			}
			return err
		})
		wantRecord(t, p.ended(), "no-answer", map[timeline.Name]int{
			timeline.Invite: 3, timeline.EarlyAnswer: 1, timeline.FirstVideoOut: 1, timeline.Learnt: []int{2, 0, 1, 0}[call-1],
		})
	}
	for _, phone := range phones {
		phone.played()
	}
	words, _ := p.doorctl("status")
	for uri, takes := range map[string]string{early.uri(): "early picture", polls.uri(): "still picture", blind.uri(): "no preview"} {
		if want := "phone     " + uri + ": " + takes + " since "; !strings.Contains(words, want) {
			t.Errorf("no line %q in\n%s", want, words)
		}
	}
	if _, err := blind.host.get(p.picture(blind.host, 1)); err == nil || !strings.HasPrefix(err.Error(), "404") {
		t.Errorf("the picture of a call that is over: %v, want 404", err)
	}
	p.becomes("idle", func(s control.Status) bool { return s.Call.State == control.CallIdle })
	p.shut()
}
