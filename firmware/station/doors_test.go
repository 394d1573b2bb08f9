package station

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/callflow/timeline"
	"doorstation/drivers/guard"
	"doorstation/media/audio"
	"doorstation/media/sdp"
	"doorstation/media/session"
)

// A hastyGuard tells a pulse's end before the asker hears of its beginning, as
// a process sees it that was held up meanwhile.
type hastyGuard struct{ doors *doors }

func (g hastyGuard) Pulse(relay string, _ time.Duration, _ string) error {
	g.doors.edge(guard.Edge{Relay: relay, Active: true})
	g.doors.edge(guard.Edge{Relay: relay})
	return nil
}

func TestClosedDoorIsNotTakenForOpen(t *testing.T) {
	d := newDoors("", slog.New(slog.DiscardHandler))
	d.moved = func(string, string, bool, time.Duration) {}
	d.use(hastyGuard{d}, nil)
	done := make(chan error)
	d.pulse("front", doorRule{relay: "door1"}, "code", func(err error) { done <- err })
	if err := <-done; err != nil || d.isOpen("door1") {
		t.Errorf("after the pulse: %v, open %v", err, d.isOpen("door1"))
	}
}

// A relay that got another name while it was active closes under the first.
func TestDoorClosesUnderTheNameItOpenedWith(t *testing.T) {
	d := newDoors("", slog.New(slog.DiscardHandler))
	var told []string
	d.moved = func(_, door string, open bool, _ time.Duration) { told = append(told, fmt.Sprint(door, open)) }
	d.lost = func(_, door string) { told = append(told, door+" lost") }
	d.asked["door1"] = "front"
	d.edge(guard.Edge{Relay: "door1", Active: true})
	d.asked["door1"] = "entrance" // by the next configuration
	d.edge(guard.Edge{Relay: "door1"})
	d.edge(guard.Edge{Relay: "door1", Active: true})
	d.asked["door1"] = "gate"
	d.forget()
	if want := []string{"fronttrue", "frontfalse", "entrancetrue", "entrance lost"}; !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

// bareOwner is an owner without a line, a guard or a flash.
func bareOwner() *owner {
	log := slog.New(slog.DiscardHandler)
	engine := audio.New()
	o := &owner{
		log: log, box: newMailbox(), line: newLine("test", log), doors: newDoors("", log), diary: newDiary(nil, log),
		video: newVideoHub(nil, nil, log), engine: engine, sound: sounder{engine: engine},
		legs: make(map[callflow.LegID]*leg), asked: make(map[string][]chan error), open: make(map[string]bool),
		setup:  &setup{doors: map[string]doorRule{"front": {relay: "door1"}}},
		around: newSurroundings(&board.Board{}, func(func(*scenery)) {}),
		phones: openLadder("", log),
	}
	o.rules = o.setup
	return o
}

// A call that ends while the door's closing is known to the link, but not yet
// told, keeps its record open for it.
func TestRecordWaitsForTheClosing(t *testing.T) {
	o := bareOwner()
	o.doors.moved = func(relay, door string, open bool, at time.Duration) {
		o.box.post(func() { o.relayMoved(relay, door, open, at) })
	}
	o.doors.use(hastyGuard{o.doors}, nil)
	o.diary.begin(monotonic(), "button1", "Smith")
	o.openDoor(callflow.OpenDoor{Door: "front", Leg: 1})
	var late []func()
	for len(late) < 3 { // opened, closed, the guard's word
		<-o.box.ready
		late = append(late, o.box.take(nil)...)
	}
	o.done(callflow.Done{Result: callflow.ResultTalked})
	for _, fn := range late {
		fn()
	}
	if len(o.diary.closed) != 1 {
		t.Fatal("the record was not closed")
	}
	rec := o.diary.closed[0].rec.Record()
	var off bool
	for _, m := range rec.Marks {
		off = off || m.Name == timeline.RelayOff
	}
	if !off || rec.Result != "talked" {
		t.Errorf("the record does not know that the door closed:\n%s", text(rec))
	}
}

func TestRecordOfAFailedLocalCommand(t *testing.T) {
	o := bareOwner()
	reply := make(chan error, 1)
	o.localOpen("front", "tester", reply)
	<-o.box.ready
	for _, fn := range o.box.take(nil) {
		fn()
	}
	if err := <-reply; err == nil {
		t.Error("the command succeeded without a guard")
	}
	rec := o.diary.closed[0].rec.Record()
	if rec.Result != "not-opened" || !strings.Contains(rec.Reason, guard.ErrGone.Error()) {
		t.Errorf("the record ends with %q, %q", rec.Result, rec.Reason)
	}
}

func TestRecordOfACallerWithoutMedia(t *testing.T) {
	o := bareOwner() // whose line is down: no leg can be opened
	o.incoming(sipua.Incoming{Leg: callflow.IncomingLeg | 1, Caller: "sip:guard@192.0.2.10"})
	if closed := o.diary.closed; o.diary.current() != "" || len(closed) != 1 || closed[0].rec.Record().Result != "unreachable" {
		t.Errorf("the record is open: %v; kept: %+v", o.diary.current() != "", closed)
	}
}

// A digit that a fork's phone sent before another one answered is not the
// answered phone's, though it is taken after the answer.
func TestDigitsOfTheForkThatLost(t *testing.T) {
	o := bareOwner()
	l := openLeg(t)
	o.legs[1] = l
	o.diary.begin(0, "", "")
	answer := func(port string) []byte {
		return []byte("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
			"m=audio " + port + " RTP/AVP 0 101\r\na=rtpmap:101 telephone-event/8000\r\n")
	}
	digits := func() (n int) {
		for _, m := range o.diary.now.rec.Record().Marks {
			if m.Name == timeline.Digit {
				n++
			}
		}
		return n
	}
	press := func(at time.Time) { o.mediaEvent(1, session.Digit{Key: '1', At: at}) }

	early := time.Now()
	if !o.apply(l, answer("4000")) {
		t.Fatal("answer not applied")
	}
	press(early) // of the only phone there is
	if n := digits(); n != 1 {
		t.Fatalf("%d digits of the first phone, want 1", n)
	}
	o.apply(l, answer("5000"))
	press(early)
	if n := digits(); n != 1 {
		t.Errorf("a digit of the fork that lost was taken")
	}
	press(time.Now())
	if n := digits(); n != 2 {
		t.Errorf("%d digits, want that of the phone that answered too", n)
	}
	delete(o.legs, 1)
	press(time.Now())
	if n := digits(); n != 2 {
		t.Errorf("a digit was taken after the leg's end")
	}
}

func openLeg(t *testing.T) *leg {
	t.Helper()
	media, err := session.Open(session.Params{
		Address: netip.MustParseAddr("127.0.0.1"), PortMin: 44000, PortMax: 44999, Codecs: []sdp.Codec{sdp.PCMU},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(media.Close)
	media.Offer()
	return &leg{id: 1, media: media, answers: make(map[string][]byte)}
}
