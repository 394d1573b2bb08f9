package timeline

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

var pressedAt = time.Date(2026, 11, 22, 18, 2, 13, 0, time.UTC)

// marked gives a finished record from marks written as in the tables here.
func marked(result, reason string, marks ...Mark) Record {
	b := New("id", pressedAt, 0)
	for _, m := range marks {
		b.Add(m.At, m.Name, m.Leg, m.Detail)
	}
	return b.Finish(time.Minute, result, reason)
}

func at(d time.Duration, n Name, detail string) Mark { return Mark{At: d, Name: n, Detail: detail} }

func TestMarksAreOrderedByTheirTime(t *testing.T) {
	b := New("id", pressedAt, time.Hour)
	b.Add(time.Hour+3, Answered, 1, "")
	b.Add(time.Hour, Press, 0, "")
	b.Add(time.Hour+3, Ack, 1, "")
	b.Add(time.Hour+1, Invite, 1, "")
	want := []Mark{{At: 0, Name: Press}, {At: 1, Name: Invite, Leg: 1}, {At: 3, Name: Answered, Leg: 1}, {At: 3, Name: Ack, Leg: 1}}
	if got := b.Record().Marks; !reflect.DeepEqual(got, want) {
		t.Errorf("marks are %v, want %v", got, want)
	}
}

func TestADigitIsNeverKept(t *testing.T) {
	for detail, want := range map[string]string{
		RoadRTP: RoadRTP, RoadINFO: RoadINFO, RoadTone: RoadTone,
		"5": "", "rtp 5": "", "key=5": "", "": "",
	} {
		b := New("id", pressedAt, 0)
		b.Add(1, Digit, 1, detail)
		if got := b.Record().Marks[0].Detail; got != want {
			t.Errorf("a digit's detail %q was kept as %q, want %q", detail, got, want)
		}
	}
}

func TestAFullRecordStillTellsTheEnd(t *testing.T) {
	b := New("id", pressedAt, 0)
	for i := range 10 * MaxMarks {
		b.Add(time.Duration(i), PictureWanted, 1, "pli")
	}
	b.Add(time.Hour, RelayOn, 0, "front")
	rec := b.Finish(2*time.Hour, "talked", "")
	n := len(rec.Marks)
	if n > MaxMarks || rec.Marks[n-2].Name != RelayOn || rec.Marks[n-1].Name != Done {
		t.Errorf("%d marks, the last two %v, want the relay and the end", n, rec.Marks[n-2:])
	}
	if n-2+rec.Dropped != 10*MaxMarks {
		t.Errorf("%d kept and %d dropped do not add up to %d", n-2, rec.Dropped, 10*MaxMarks)
	}
	for range 10 * MaxMarks {
		b.Add(time.Hour, RelayOff, 0, "")
	}
	if n := len(b.Record().Marks); n != MaxMarks {
		t.Errorf("%d marks, want no more than %d of any kind", n, MaxMarks)
	}
}

func TestADetailIsCutAndPrintable(t *testing.T) {
	long := strings.Repeat("ä", MaxDetail)
	got := clean(Refused, long)
	if len(got) > MaxDetail || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("cut to %d bytes, %q", len(got), got)
	}
	if got := clean(Refused, "486\x1b[2J\r\n\xff"); got != "486·[2J···" {
		t.Errorf("kept %q, want no control characters", got)
	}
}

func TestARecordIsFinishedOnce(t *testing.T) {
	b := New("id", pressedAt, 0)
	if !b.Record().Running() {
		t.Error("a new record is not running")
	}
	b.Finish(time.Second, "talked", "first")
	b.Add(2*time.Second, RelayOff, 0, "front")
	rec := b.Finish(time.Minute, "busy", "second")
	if rec.Result != "talked" || rec.Reason != "first" || rec.Ended != time.Second || len(rec.Marks) != 2 {
		t.Errorf("after two ends the record is %+v", rec)
	}
}

func TestACopyIsTheOwners(t *testing.T) {
	b := New("id", pressedAt, 0)
	b.Add(1, Press, 0, "")
	rec := b.Record()
	rec.Marks[0].Name = Done
	if got := b.Record().Marks[0].Name; got != Press {
		t.Errorf("changing a copy changed the record: %s", got)
	}
}

// The JSON form is what flash holds and tools read: it changes only on purpose.
func TestJSONIsStable(t *testing.T) {
	rec := marked("talked", "by the phone", Mark{At: 1500, Name: Invite, Leg: 2, Detail: "sip:a@b"})
	raw, err := json.Marshal(rec)
	if err != nil {
		t.Fatal(err)
	}
	const want = `{"id":"id","began":"2026-11-22T18:02:13Z","marks":[` +
		`{"at_ns":1500,"name":"invite","leg":2,"detail":"sip:a@b"},` +
		`{"at_ns":60000000000,"name":"done","detail":"talked"}],` +
		`"result":"talked","reason":"by the phone","ended_ns":60000000000}`
	if string(raw) != want {
		t.Errorf("the record became\n%s\nwant\n%s", raw, want)
	}
	var back Record
	if err := json.Unmarshal(raw, &back); err != nil || !reflect.DeepEqual(back, rec) {
		t.Errorf("read back %+v (%v), want %+v", back, err, rec)
	}
}

func TestFigures(t *testing.T) {
	const ms = time.Millisecond
	tests := []struct {
		name  string
		marks []Mark
		want  map[string]time.Duration
	}{
		{"none", nil, nil},
		{"invite", []Mark{at(0, Press, ""), at(2*ms, Invite, ""), at(5*ms, Invite, "")},
			map[string]time.Duration{PressToInvite: 2 * ms}},
		{"an ACK of another leg is not ours",
			[]Mark{{At: 1 * ms, Name: Answered, Leg: 1}, {At: 2 * ms, Name: Ack, Leg: 2}, {At: 4 * ms, Name: Ack, Leg: 1}},
			map[string]time.Duration{AnsweredToAck: 3 * ms}},
		{"early audio out before the answer does not count",
			[]Mark{{At: 1 * ms, Name: FirstAudioOut, Leg: 1}, {At: 2 * ms, Name: Answered, Leg: 1}}, nil},
		{"the picture of the first leg that has one",
			[]Mark{{At: 1 * ms, Name: EarlyAnswer, Leg: 1}, {At: 2 * ms, Name: EarlyAnswer, Leg: 2}, {At: 9 * ms, Name: FirstVideoOut, Leg: 2}},
			map[string]time.Duration{EarlyToFirstVideo: 7 * ms}},
		{"the last digit before the code",
			[]Mark{at(1*ms, Digit, ""), at(4*ms, Digit, ""), at(4*ms, CodeRight, ""), at(5*ms, Digit, ""), at(10*ms, RelayOn, ""), at(30*ms, RelayOff, "")},
			map[string]time.Duration{DigitToRelay: 6 * ms, RelayOnToOff: 20 * ms}},
		{"a command opens without a digit",
			[]Mark{at(1*ms, Digit, ""), at(2*ms, CodeRight, ""), at(3*ms, DoorFailed, ""), at(4*ms, OpenAsked, ""), at(10*ms, RelayOn, "")}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := map[string]time.Duration{}
			for _, f := range Figures(marked("talked", "", tt.marks...)) {
				got[f.Key] = f.Took
			}
			if len(got) != len(tt.want) || len(got) > 0 && !reflect.DeepEqual(got, tt.want) {
				t.Errorf("figures are %v, want %v", got, tt.want)
			}
		})
	}
}

func TestWhy(t *testing.T) {
	const ms = time.Millisecond
	digits := []Mark{at(1*ms, Answered, ""), at(2*ms, Digit, RoadRTP), at(100*ms, Digit, RoadRTP)}
	with := func(more ...Mark) []Mark { return append(append([]Mark{}, digits...), more...) }
	tests := []struct {
		marks  []Mark
		result string
		reason string
		want   string
	}{
		{with(at(101*ms, CodeRight, "resident"), at(412*ms, RelayOn, "front")), "talked", "",
			"the door opened 312 ms after the digit"},
		{with(at(101*ms, CodeWrong, ""), at(102*ms, Digit, ""), at(103*ms, CodeRight, "r"), at(104*ms, Digit, ""), at(105*ms, RelayOn, ""), at(4000*ms, RelayOn, "")), "talked", "",
			"the door opened 3.0 ms after the digit, and again: 2 times in all; a code was wrong once"},
		{[]Mark{at(5*ms, OpenAsked, "uid 0 (root)"), at(7*ms, RelayOn, "front")}, "no-answer", "",
			"the door opened 2.0 ms after uid 0 (root) asked"},
		{[]Mark{at(11000*ms, RelayOn, "front")}, "no-answer", "",
			"the door opened 11.0 s after the press"},
		{with(at(101*ms, CodeRight, "r"), at(102*ms, DoorAsked, "front"), at(103*ms, DoorFailed, "the guard is not there")), "talked", "",
			"the door did not open: the guard is not there"},
		{with(at(101*ms, CodeRight, "r"), at(102*ms, DoorAsked, "front")), "talked", "",
			"the door did not open: the guard was asked, and no edge of the relay came"},
		{with(at(101*ms, CodeRight, "r"), at(102*ms, DoorAsked, "front")), "", "",
			"the guard has been asked to open front"},
		{with(at(101*ms, CodeRight, "r")), "talked", "",
			`the door did not open: code "r" was right, but the guard was never asked`},
		{with(at(101*ms, CodeWrong, "no such code"), at(102*ms, CodeWrong, "no such code")), "wrong-codes", "",
			"the door did not open: code wrong twice (no such code)"},
		{with(at(101*ms, CodeWrong, "no such code"), at(102*ms, CodeLocked, "blocked for another 30s")), "wrong-codes", "",
			"the door did not open: blocked for another 30s"},
		{with(), "talked", "", "the door did not open: 2 digits came, and no complete code"},
		{digits[:2], "talked", "", "the door did not open: one digit came, and no complete code"},
		{digits[:1], "talked", "", "the door did not open: the call was answered, and nobody typed a code"},
		{with(at(101*ms, CodeRight, "r"), at(412*ms, RelayOn, "front"), at(4*time.Second, DoorUnused, "front")), "talked", "",
			"the lock was released 312 ms after the digit, but the door never moved"},
		{with(at(412*ms, RelayOn, "front"), at(4*time.Second, DoorUnused, "front"), at(5*time.Second, RelayOn, "front"), at(6*time.Second, DoorOpened, "front")), "talked", "",
			"the door opened 412 ms after the press, and again: 2 times in all"},
		{[]Mark{at(0, ExitPressed, "exit1"), at(2*ms, RelayOn, "front")}, "opened", "",
			"the door opened 2.0 ms after exit1 was pressed"},
		{[]Mark{at(0, ExitPressed, "exit1")}, "not-opened", "", "the door did not open: exit1 was pressed, and no edge of the relay came"},
		{[]Mark{at(0, DoorForced, "front")}, "door-forced", "", "front was opened without having been released"},
		{[]Mark{at(0, DoorHeld, "front has stood open for 1m0s")}, "door-held", "", "front has stood open for 1m0s"},
		{[]Mark{at(0, DoorClosed, "front")}, "door-closed", "", "front is closed again"},
		{[]Mark{at(0, DoorUnused, "front")}, "door-unused", "", "front was released, but never moved"},
		{[]Mark{at(0, CoverOpened, "no door opens for 30m0s")}, "cover-opened", "", "the cover was opened (no door opens for 30m0s)"},
		{[]Mark{at(0, CoverClosed, "")}, "cover-closed", "", "the cover was closed"},
		{[]Mark{at(0, LongPress, "button1, for 3s")}, "long-press", "", "button1, for 3s"},
		{nil, "", "", "the call runs, and nothing has asked for the door yet"},
		{nil, "no-answer", "", "the door did not open: the call was not answered (no-answer)"},
		{nil, "refused", "486 from all", "the door did not open: the call was not answered (refused: 486 from all)"},
	}
	for _, tt := range tests {
		if got := Why(marked(tt.result, tt.reason, tt.marks...)); got != tt.want {
			t.Errorf("%v: %s\nwant %s", tt.marks, got, tt.want)
		}
	}
}

func TestFormatOfManyLegsAndOfNone(t *testing.T) {
	var marks []Mark
	for leg := range uint32(12) {
		marks = append(marks, Mark{At: time.Duration(leg), Name: Invite, Leg: leg + 1})
	}
	for _, rec := range []Record{marked("busy", "", marks...), {}, marked("door-forced", "", at(0, DoorForced, "front")), {Flat: "Berger", Marks: marks[:1]}} {
		var out bytes.Buffer
		if err := Format(&out, rec); err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if utf8.RuneCountInString(line) > 100 || strings.HasSuffix(strings.TrimSuffix(line, "\n"), " ") {
				t.Errorf("a line is too long, or ends in a blank: %q", line)
			}
		}
	}
}

func TestFormatShowsNoControlCharacter(t *testing.T) {
	rec := Record{ID: "\x1b", Flat: "\x1b", Result: "\x1b", Reason: "\x1b", Marks: []Mark{
		{Name: "\x1b", Detail: "\x1b"}, {Name: Digit, Detail: "7"}, {Name: DoorFailed, Detail: "\x1b"}}}
	var out bytes.Buffer
	if err := Format(&out, rec); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(out.String(), "\x1b7") {
		t.Errorf("an escape or a digit came through:\n%s", out.String())
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, errors.New("broken pipe") }

func TestFormatTellsAFailedWrite(t *testing.T) {
	if err := Format(brokenPipe{}, Record{ID: "x"}); err == nil {
		t.Error("no error")
	}
}
