package station

import (
	"context"
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/media/sdp"
	"doorstation/media/session"
)

// A fakeLoop answers when it is told to.
type fakeLoop struct{ asked []func() }

func (l *fakeLoop) Turn(done func()) { l.asked = append(l.asked, done) }

func (l *fakeLoop) turn() {
	for _, done := range l.asked {
		done()
	}
	l.asked = nil
}

// nextLook is one look of h, the time for it having come.
func nextLook(h *health) string {
	time.Sleep(askEvery)
	return h.Sick()
}

func wantSick(t *testing.T, h *health, want string) {
	t.Helper()
	if got := nextLook(h); got != want {
		t.Errorf("sick is %q, want %q", got, want)
	}
}

func TestHealthNamesTheLoopThatHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sip, media := new(fakeLoop), new(fakeLoop)
		h := newHealth(watchedLoop{"line", always(sip)}, watchedLoop{"media", always(media)})
		for range 5 { // both answer, one of them late
			wantSick(t, h, "")
			wantSick(t, h, "")
			sip.turn()
			media.turn()
		}
		wantSick(t, h, "")
		sip.turn()
		wantSick(t, h, "")
		sip.turn()
		wantSick(t, h, "media")
		wantSick(t, h, "media")
		wantSick(t, h, "line") // the first of those who hang
		if len(media.asked) != 1 {
			t.Errorf("a loop that hangs was asked %d times", len(media.asked))
		}
		sip.turn()
		media.turn()
		wantSick(t, h, "")
	})
}

// However long a process was stopped, its loops get their chance before they
// are judged; and looking often makes nobody late.
func TestHealthCountsLooksNotTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		loop := new(fakeLoop)
		h := newHealth(watchedLoop{"call", always(loop)})
		h.Sick()
		for range 100 {
			if s := h.Sick(); s != "" {
				t.Fatalf("sick: %s, after many looks at one time", s)
			}
		}
		time.Sleep(time.Hour)
		if s := h.Sick(); s != "" {
			t.Errorf("sick: %s, after the process was stopped", s)
		}
		wantSick(t, h, "call")
	})
}

// A loop that has ended hangs no more, and the next of its kind begins anew.
func TestHealthForgetsWhoHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var legs []turner
		h := newHealth(watchedLoop{"media", func() []turner { return legs }})
		wantSick(t, h, "")
		legs = []turner{new(fakeLoop)}
		wantSick(t, h, "")
		wantSick(t, h, "")
		legs = []turner{new(fakeLoop)}
		wantSick(t, h, "")
		wantSick(t, h, "")
		wantSick(t, h, "media")
		legs = nil
		wantSick(t, h, "")
	})
}

func TestHealthAsksTimers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHealth(watchedLoop{"timers", always(new(timers))})
		for range 10 {
			wantSick(t, h, "")
		}
	})
}

// lookAtOnce is a look once all who were asked have answered, but the loop that
// hangs.
func lookAtOnce(h *health, hangs string) string {
	every := time.NewTicker(time.Millisecond)
	defer every.Stop()
	for _, l := range h.loops {
		for _, p := range l.now() {
			for q := h.open[p]; q != nil && l.name != hangs && !q.answered.Load(); {
				<-every.C
			}
		}
	}
	h.last = time.Time{}
	return h.Sick()
}

// Each loop of a panel is hung on purpose, by a question that does not return.
func TestEachLoopIsWatched(t *testing.T) {
	s := &Station{log: slog.New(slog.DiscardHandler)}
	s.line = newLine("test", s.log)
	s.owner = &owner{log: s.log, box: newMailbox(), tell: func() {}, turns: make(chan func(), 1), diary: newDiary(nil, s.log), legs: make(map[callflow.LegID]*leg), around: newSurroundings(&board.Board{}, func(func(*scenery)) {})}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan struct{}, 2)
	defer func() { stop(); <-served; <-served }()
	go func() { s.owner.run(ctx); served <- struct{}{} }()

	ua, err := sipua.New(sipua.Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, func(sipua.Event) {})
	if err != nil {
		t.Fatal(err)
	}
	go func() { ua.Run(ctx); served <- struct{}{} }()
	rule := account("")
	s.line.set(rule)
	s.line.use(rule, ua, netip.MustParseAddr("127.0.0.1"))

	media, err := session.Open(session.Params{Address: netip.MustParseAddr("127.0.0.1"), PortMin: 41000, PortMax: 41999, Codecs: []sdp.Codec{sdp.PCMU}})
	if err != nil {
		t.Fatal(err)
	}
	defer media.Close()
	known := make(chan struct{})
	s.owner.box.post(func() { s.owner.legs[1] = &leg{id: 1, media: media}; close(known) })
	<-known

	for name, hang := range map[string]func(until <-chan struct{}){
		"call":  func(until <-chan struct{}) { s.owner.box.post(func() { <-until }) },
		"line":  func(until <-chan struct{}) { ua.Turn(func() { <-until }) },
		"media": func(until <-chan struct{}) { media.Turn(func() { <-until }) },
	} {
		t.Run(name, func(t *testing.T) {
			h := s.watchLoops()
			asked := make(chan struct{})
			s.owner.Turn(func() { close(asked) }) // the legs are known after it
			<-asked
			until := make(chan struct{})
			hang(until)
			for sick := ""; sick != name; sick = lookAtOnce(h, name) {
				if sick != "" {
					t.Fatalf("%s is said to hang", sick)
				}
			}
			close(until)
			if sick := lookAtOnce(h, ""); sick != "" {
				t.Errorf("%s is said to hang and does not", sick)
			}
		})
	}
}
