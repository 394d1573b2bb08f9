package keypad

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

var (
	panelKey = []byte("the key of one panel alone, 32 B")
	monday   = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
)

func code(door, name, digits string, when ...Window) Code {
	return Code{Door: door, Name: name, MAC: Seal(panelKey, digits), When: when}
}

// rulesOf gives rules with codes of one door, front, and of another, back.
func rulesOf(end byte, longest int, codes ...Code) Rules {
	return Rules{Key: panelKey, Codes: codes, EndKey: end, Gap: 4 * time.Second, Longest: longest,
		TriesPerCall: 100, TriesPerHour: 100, Doors: []string{"front", "back"}}
}

// typed plays keys a second apart; a blank is a pause in which the gap passes.
// It gives the verdicts, each after the number of keys it came with.
func typed(p *Pad, now time.Time, keys string) string {
	var got []string
	note := func(n int, v Verdict) {
		if v.Kind == None {
			return
		}
		word := fmt.Sprintf("%d %v", n, v.Kind)
		if v.Kind == Right {
			word += " " + v.Door + "/" + v.Name
		}
		if v.End {
			word += " end"
		}
		got = append(got, word)
	}
	n := 0
	for _, key := range []byte(keys) {
		if key == ' ' {
			if at := p.Deadline(); !at.IsZero() {
				note(n, p.Tick(at.Add(-1)))
				note(n, p.Tick(at))
			}
			now = now.Add(10 * time.Second)
			continue
		}
		n++
		now = now.Add(time.Second)
		note(n, p.Key(now, key))
	}
	return strings.Join(got, ", ")
}

func TestDigitsBecomeCodes(t *testing.T) {
	four := rulesOf(0, 4, code("front", "resident", "1234"), code("back", "garden", "77"))
	ended := rulesOf('#', 4, code("front", "resident", "1234"), code("front", "short", "12"), code("back", "star", "*5"))
	starred := rulesOf('*', 4, code("front", "resident", "1234"))
	sixteen := rulesOf(0, 16, code("front", "long", "1234567890123456"))
	endedSixteen := rulesOf('#', 16, sixteen.Codes...)
	twice := rulesOf(0, 4, code("back", "first", "1234"), code("front", "second", "1234"))
	one := rulesOf(0, 1, code("front", "one", "5"))
	for _, tt := range []struct {
		name  string
		rules Rules
		keys  string
		want  string
	}{
		{"right with its last digit", four, "1234", "4 right front/resident"},
		{"the shorter one of another door", four, "77", "2 right back/garden"},
		{"two in a row", four, "123477", "4 right front/resident, 6 right back/garden"},
		{"wrong with the longest code's length", four, "9999", "4 wrong"},
		{"no sliding window", four, "91234", "4 wrong"},
		{"no sliding window over a short code", four, "1771", "4 wrong"},
		{"after a wrong code the next digit begins anew", four, "99991234", "4 wrong, 8 right front/resident"},
		{"a gap is one wrong code", four, "12 34 ", "2 wrong, 4 wrong"},
		{"a code after a gap", four, "1 1234", "1 wrong, 5 right front/resident"},
		{"nothing typed, nothing wrong", four, "   ", ""},
		{"other keys are ignored", four, "#1A2B3C4D", "8 right front/resident"},
		{"other keys alone are nothing", four, "#ABCD ", ""},
		{"a star is a digit", four, "12*4", "4 wrong"},
		{"end key", ended, "1234#", "5 right front/resident"},
		{"with an end key one code may begin another", ended, "12#1234#", "3 right front/short, 8 right front/resident"},
		{"a star in a code", ended, "*5#", "3 right back/star"},
		{"an end key alone is nothing", ended, "##", ""},
		{"wrong at the end key", ended, "123#", "4 wrong"},
		{"no end key before the gap", ended, "1234 ", "4 wrong"},
		{"too many digits are swallowed up to the end key", ended, "99991234#", "9 wrong"},
		{"far too many too", ended, strings.Repeat("9", 40) + "1234#12#", "45 wrong, 48 right front/short"},
		{"and up to the gap", ended, "9991234 12#", "7 wrong, 10 right front/short"},
		{"star as end key", starred, "1234*", "5 right front/resident"},
		{"sixteen digits", sixteen, "1234567890123456", "16 right front/long"},
		{"sixteen wrong ones", sixteen, "1234567890123455", "16 wrong"},
		{"seventeen are not the code of the first sixteen", endedSixteen, "12345678901234567#1234567890123456#", "18 wrong, 35 right front/long"},
		{"of two equal codes the first", twice, "1234", "4 right back/first"},
		{"one digit", one, "455", "1 wrong, 2 right front/one, 3 right front/one"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := typed(New(tt.rules, nil, "flat"), monday, tt.keys); got != tt.want {
				t.Errorf("%q: %q, want %q", tt.keys, got, tt.want)
			}
		})
	}
}

func TestWhatARecordLearns(t *testing.T) {
	night, err := ParseWindow(nil, "22:00", "24:00")
	if err != nil {
		t.Fatal(err)
	}
	rules := rulesOf(0, 4, code("front", "resident", "1234"), code("cellar", "caretaker", "5555"),
		code("front", "cleaner", "66", night), code("cellar", "both", "77"), code("back", "both again", "77"))
	for _, tt := range []struct{ keys, name, reason string }{
		{"9999", "", "no such code"},
		{"5555", "caretaker", `code "caretaker" is of door "cellar", which this call may not open`},
		{"66 ", "cleaner", `code "cleaner" is outside its times`},
		{"6612", "", "no such code"},
	} {
		p := New(rules, nil, "flat")
		var v Verdict
		for _, key := range []byte(strings.TrimSpace(tt.keys)) {
			v = p.Key(monday, key)
		}
		if v.Kind == None {
			v = p.Tick(p.Deadline())
		}
		if v.Kind != Wrong || v.Reason != tt.reason || v.Name != tt.name || v.Door != "" {
			t.Errorf("%q: %+v, want wrong because %s", tt.keys, v, tt.reason)
		}
	}
	// The phone cannot tell a code outside its times from none: same length, same moment.
	if known, unknown := typed(New(rules, nil, "f"), monday, "66 661234"), typed(New(rules, nil, "f"), monday, "88 881234"); known != unknown {
		t.Errorf("a known code behaves as %q, an unknown one as %q", known, unknown)
	}
	if got := typed(New(rules, nil, "f"), monday.Add(11*time.Hour), "66"); got != "2 right front/cleaner" {
		t.Errorf("inside its times: %q", got)
	}
	if got := typed(New(rules, nil, "f"), monday, "77"); got != "2 right back/both again" {
		t.Errorf("equal codes of two doors, one allowed: %q", got)
	}
	rules.EndKey = '#'
	p := New(rules, nil, "f")
	p.Key(monday, '1')
	if v := p.Tick(p.Deadline()); v.Reason != "the end key # did not come within 4s" {
		t.Errorf("without an end key: %+v", v)
	}
}

func TestTriesOfACall(t *testing.T) {
	rules := rulesOf(0, 4, code("front", "resident", "1234"))
	rules.TriesPerCall = 0 // the default
	for keys, want := range map[string]string{
		"999999999999":              "4 wrong, 8 wrong, 12 wrong end",
		"9999 8 7 ":                 "4 wrong, 5 wrong, 6 wrong end",
		"9999999912349999999912349": "4 wrong, 8 wrong, 12 right front/resident, 16 wrong, 20 wrong, 24 right front/resident",
		"9999999999991234":          "4 wrong, 8 wrong, 12 wrong end",
	} {
		if got := typed(New(rules, nil, "flat"), monday, keys); got != want {
			t.Errorf("%q: %q, want %q", keys, got, want)
		}
	}
}

// A key that comes when the gap has passed, before anyone has called Tick.
func TestALateKeyJudgesTheGapFirst(t *testing.T) {
	p := New(rulesOf(0, 4, code("front", "resident", "1234"), code("front", "one", "5")), nil, "flat")
	p.Key(monday, '1')
	late := p.Deadline()
	if v := p.Key(late, '1'); v.Kind != Wrong {
		t.Errorf("the late key gave %+v, want the gap's verdict", v)
	}
	for i, key := range []byte("234") {
		if v := p.Key(late, key); (v.Kind == Right) != (i == 2) {
			t.Errorf("key %d gave %+v: the late key begins a code", i, v)
		}
	}
	p.Key(monday, '1')
	if v := p.Key(p.Deadline(), '5'); v.Kind != Right {
		t.Errorf("a late code of one digit gave %+v", v)
	}
	if p.wrong != 0 {
		t.Errorf("%d tries used after a right code", p.wrong)
	}
	rules := rulesOf(0, 1, code("front", "one", "5"))
	rules.EndKey, rules.TriesPerCall = '#', 1
	p = New(rules, nil, "flat")
	p.Key(monday, '5')
	if v := p.Key(p.Deadline(), '5'); !v.End {
		t.Errorf("the last try passed by a gap gave %+v, want the end", v)
	}
	if v := p.Key(p.Deadline(), '#'); v.Kind != None {
		t.Errorf("after the end: %+v", v)
	}
}

func TestNoDigitStays(t *testing.T) {
	p := New(rulesOf(0, 4, code("front", "resident", "1234")), nil, "flat")
	typed(p, monday, "1234")
	if p.digits != [MaxDigits]byte{} || !p.Deadline().IsZero() {
		t.Errorf("after a verdict %q waits until %v", p.digits[:], p.Deadline())
	}
}

func TestSealIsHMAC(t *testing.T) {
	// RFC 4231 section 4.3, test case 2.
	got := fmt.Sprintf("%x", Seal([]byte("Jefe"), "what do ya want for nothing?"))
	if got != "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843" {
		t.Errorf("the seal is %s", got)
	}
	if Seal([]byte("a"), "1234") == Seal([]byte("b"), "1234") {
		t.Error("two panels seal alike")
	}
}

func TestWindows(t *testing.T) {
	weekdays := []string{"mon", "tue", "wed", "thu", "fri"}
	for _, tt := range []struct {
		days     []string
		from, to string
		at       string
		want     bool
	}{
		{nil, "07:30", "18:00", "Mon 07:30:00", true},
		{nil, "07:30", "18:00", "Mon 07:29:59", false},
		{nil, "07:30", "18:00", "Mon 17:59:59", true},
		{nil, "07:30", "18:00", "Mon 18:00:00", false},
		{nil, "00:00", "24:00", "Sun 00:00:00", true},
		{nil, "00:00", "24:00", "Sun 23:59:59", true},
		{weekdays, "00:00", "24:00", "Fri 12:00:00", true},
		{weekdays, "00:00", "24:00", "Sat 12:00:00", false},
		{[]string{"SUN"}, "00:00", "24:00", "Sun 12:00:00", true},
	} {
		w, err := ParseWindow(tt.days, tt.from, tt.to)
		if err != nil {
			t.Fatal(err)
		}
		at, _ := time.Parse("Mon 15:04:05", tt.at)
		at = time.Date(2026, 11, 22, at.Hour(), at.Minute(), at.Second(), 0, time.UTC) // a Sunday
		for at.Weekday().String()[:3] != tt.at[:3] {
			at = at.AddDate(0, 0, 1)
		}
		if got := w.Contains(at); got != tt.want {
			t.Errorf("%v %s to %s at %s: %v", tt.days, tt.from, tt.to, tt.at, got)
		}
	}
	for _, bad := range [][3]string{{"mo", "07:00", "08:00"}, {"", "07:00", "08:00"}, {"mon", "7:00", "08:00"}, {"mon", "07:00", "07:00"},
		{"mon", "08:00", "07:00"}, {"mon", "24:00", "24:00"}, {"mon", "07:60", "08:00"}, {"mon", "07:00", "24:01"}, {"mon", "", ""}} {
		if w, err := ParseWindow([]string{bad[0]}, bad[1], bad[2]); err == nil {
			t.Errorf("%q became %+v", bad, w)
		}
	}
}

// The wall clock counts: the night in which an hour comes twice has it twice.
func TestWindowsFollowTheClockOnTheWall(t *testing.T) {
	berlin := time.FixedZone("after the change", 3600)
	w, _ := ParseWindow(nil, "07:00", "08:00")
	if !w.Contains(time.Date(2026, 10, 25, 7, 30, 0, 0, berlin)) || w.Contains(time.Date(2026, 10, 25, 7, 30, 0, 0, berlin).UTC()) {
		t.Error("the window does not follow the zone of now")
	}
}

// A code with times counts by the clock on the wall, which may be another than
// the one that the gaps are measured with; and not at all while it is not set.
func TestClockOnTheWall(t *testing.T) {
	night, _ := ParseWindow(nil, "22:00", "24:00")
	rules := rulesOf(0, 2, code("front", "resident", "12"), code("front", "cleaner", "66", night))
	for _, tt := range []struct {
		ahead time.Duration
		set   bool
		keys  string
		want  string
	}{
		{11 * time.Hour, true, "66", "2 right front/cleaner"},
		{0, true, "66", "2 wrong"},
		{11 * time.Hour, false, "66", "2 wrong"},
		{0, false, "12", "2 right front/resident"},
	} {
		rules.Wall = func(now time.Time) (time.Time, bool) { return now.Add(tt.ahead), tt.set }
		if got := typed(New(rules, nil, "flat"), monday, tt.keys); got != tt.want {
			t.Errorf("%q, %v ahead, set: %v: %q, want %q", tt.keys, tt.ahead, tt.set, got, tt.want)
		}
	}
	p := New(rules, nil, "flat") // not set
	p.Key(monday, '6')
	if v := p.Key(monday, '6'); v.Reason != `code "cleaner" has times, and the panel's clock is not set` {
		t.Errorf("the record learns %q", v.Reason)
	}
}

// The oracle: the rules of the package comment, written as plainly as can be
// over whole strings.
func oracle(codes map[string]string, end byte, longest int, keys string) (verdicts []string) {
	buffer := ""
	judge := func(ended bool) {
		if buffer == "" {
			return
		}
		if door := codes[buffer]; door != "" && ended == (end != 0) {
			verdicts = append(verdicts, "right "+door)
		} else {
			verdicts = append(verdicts, "wrong")
		}
		buffer = ""
	}
	for _, key := range []byte(keys) {
		switch {
		case key == end && end != 0:
			judge(true)
		case key == ' ':
			judge(false)
		case strings.IndexByte("0123456789*", key) < 0:
		default:
			buffer += string(key)
			if end == 0 && (codes[buffer] != "" || len(buffer) == longest) {
				judge(false)
			}
		}
	}
	return verdicts
}

func FuzzPad(f *testing.F) {
	f.Add("1234", byte(0))
	f.Add("12#1234#", byte('#'))
	f.Add("91234 77*77#", byte('*'))
	f.Add(" #A1 2  34", byte(0))
	f.Add(strings.Repeat("1", 300)+"#5#", byte('#'))
	f.Fuzz(func(t *testing.T, keys string, end byte) {
		if end != '#' && end != '*' {
			end = 0
		}
		doors := map[string]string{"1234": "front", "77": "back", "5": "front", "*9": "back", "100000": "front"}
		var codes []Code
		for digits, door := range doors {
			codes = append(codes, code(door, digits, digits))
		}
		rules := rulesOf(end, 6, codes...)
		rules.TriesPerCall, rules.TriesPerHour = 1<<30, 1<<30
		p, now := New(rules, NewLockout(), "flat"), monday
		var got []string
		for _, key := range []byte(keys) {
			now = now.Add(2 * time.Hour) // so that nothing is ever blocked
			v := Verdict{}
			if key == ' ' {
				v = p.Tick(now)
			} else {
				p.deadline = later(p.deadline, now)
				v = p.Key(now, key)
			}
			switch v.Kind {
			case Right:
				got = append(got, "right "+v.Door)
			case Wrong:
				got = append(got, "wrong")
			case Locked:
				t.Fatal("blocked")
			}
			if p.Deadline().IsZero() != (p.count == 0) {
				t.Fatalf("%d digits wait until %v", p.count, p.Deadline())
			}
		}
		if want := oracle(doors, end, 6, keys); strings.Join(got, ",") != strings.Join(want, ",") {
			t.Fatalf("%q with end key %q: %v, want %v", keys, end, got, want)
		}
	})
}

// later keeps the gap open until now, where the next key comes.
func later(deadline, now time.Time) time.Time {
	if deadline.IsZero() {
		return deadline
	}
	return now.Add(1)
}

// Every sequence of up to five keys of a small keypad agrees with the oracle.
func TestEveryShortSequence(t *testing.T) {
	doors := map[string]string{"12": "front", "2": "back", "111": "front"}
	var codes []Code
	for digits, door := range doors {
		codes = append(codes, code(door, digits, digits))
	}
	const keypad = "12# "
	for _, end := range []byte{0, '#'} {
		rules := rulesOf(end, 3, codes...)
		rules.Gap = time.Minute // keys that are ignored take their time too
		rules.TriesPerCall, rules.TriesPerHour = 1<<30, 1<<30
		for n := range 4 * 4 * 4 * 4 * 4 * 4 {
			var keys strings.Builder
			for rest := n; rest > 0; rest /= 4 {
				keys.WriteByte(keypad[rest%4])
			}
			got := typed(New(rules, nil, "flat"), monday, keys.String())
			var plain []string
			for _, v := range strings.Split(got, ", ") {
				if words := strings.Fields(v); len(words) > 1 {
					door, _, _ := strings.Cut(strings.Join(words[1:], " "), "/")
					plain = append(plain, door)
				}
			}
			if want := oracle(doors, end, 3, keys.String()); strings.Join(plain, ",") != strings.Join(want, ",") {
				t.Fatalf("%q with end key %q: %v, want %v", keys.String(), end, plain, want)
			}
		}
	}
}

func BenchmarkKeyWith500Codes(b *testing.B) {
	var codes []Code
	for i := range 500 {
		codes = append(codes, code("front", "resident", fmt.Sprintf("%06d", i)))
	}
	rules := rulesOf(0, 6, codes...)
	rules.TriesPerCall = 1 << 30
	p, now := New(rules, nil, "flat"), monday
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		now = now.Add(time.Second)
		p.Key(now, "9999990000"[i%10])
		p.clear() // the way of a digit alone, without a verdict
	}
}
