package e2e

import (
	"cmp"
	"flag"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// A story is a meeting of messages that a SIPp scenario brings about, and what
// is left of it in the panel's record.
type story struct {
	call   string // settings of call: {…}
	result string
	marks  map[timeline.Name]int
	also   func(*testing.T, *panel, *host) // what else must have been on the wire
	lasts  bool                            // up to longStory
}

const (
	// longStory is how long the longest scenario may take: the panel refreshes
	// the shortest session after 45 s, and repeats an answer for 32 s.
	longStory = 90 * time.Second
	// storiesAtOnce are played side by side, whatever the number of cores: they
	// wait far more than they work.
	storiesAtOnce = 8
)

// sideBySide sets how many parallel tests run at once, unless -parallel does.
func sideBySide() {
	const name = "test.parallel"
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == name })
	if !said {
		_ = flag.Set(name, strconv.Itoa(storiesAtOnce))
	}
}

// play runs the stories side by side. Of those that wait for their turn, Go
// takes the latest first, so the ones that last stand at the end.
func play(t *testing.T, stories map[string]story, one func(*testing.T, string, story)) {
	t.Helper()
	names := slices.Collect(maps.Keys(stories))
	slices.SortFunc(names, func(a, b string) int { return cmp.Compare(stories[a].limit(), stories[b].limit()) })
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			one(t, name, stories[name])
		})
	}
}

// limit is how long the scenario may take.
func (s story) limit() time.Duration {
	if s.lasts {
		return longStory
	}
	return patience
}

// listed lets the phone of the stories call the panel, too.
const listed = `inbound: {allow: ["sip:phone@10.0.0.31", "sip:thief@10.0.0.32"]}`

// ringsPhone plays a story of a phone that the panel rings. After the scenario
// and a colon may stand the [status] in it.
func ringsPhone(t *testing.T, scenario string, want story) {
	scenario, status, _ := strings.Cut(scenario, ": ")
	s, _, gate := site(t)
	phone := startSipp(s.host("phone", 31), scenario, "[status]", status)
	piece := newHandpiece(phone.host)
	p := startPanel(gate, config{targets: []string{phone.uri()}, call: want.call, extra: []string{listed}})
	p.press()
	audio, _ := p.panelPorts(phone.host)
	piece.speak(audio, 600)
	phone.playedIn(want.limit())
	want.holds(t, p, phone.host)
}

// callsPanel plays a story of a phone that calls the panel.
func callsPanel(t *testing.T, scenario string, want story) {
	s, _, gate := site(t)
	place := s.host("phone", 31)
	newHandpiece(place)
	p := startPanel(gate, config{targets: []string{"sip:phone@" + place.at(5060).String()}, call: want.call, extra: []string{listed}})
	caller := playSipp(place, scenario, nil, gate.at(5060).String())
	caller.playedIn(want.limit())
	want.holds(t, p, place)
}

// holds compares the story with the record: sound went out if there was an
// answer, no credentials did, and no door moved.
func (s story) holds(t *testing.T, p *panel, phone *host) {
	t.Helper()
	wantRecord(t, p.ended(), s.result, s.marks)
	sound := len(p.wire.all(rtp(true, phone.at(6000))))
	if talked := s.marks[timeline.Answered] > 0; talked != (sound > 0) {
		t.Errorf("%d packets of sound went to the phone; answered: %v", sound, talked)
	}
	if asked := p.wire.all(func(k packet) bool {
		return k.sent && k.dst.Addr() == phone.addr && strings.Contains(string(k.payload), "uthorization:")
	}); len(asked) != 0 {
		t.Errorf("the phone got credentials:\n%s", asked[0].payload)
	}
	if s.also != nil {
		s.also(t, p, phone)
	}
	p.shut()
}
