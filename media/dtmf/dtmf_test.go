package dtmf

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestParseEvent(t *testing.T) {
	for _, c := range []struct {
		name    string
		payload []byte
		want    Event
		bad     bool
	}{
		{"RFC 4733 2.3: all fields", []byte{11, 0x8A, 0x06, 0x40}, Event{Code: 11, End: true, Volume: 10, Duration: 1600}, false},
		{"the reserved bit is ignored", []byte{5, 0x4A, 0, 160}, Event{Code: 5, Volume: 10, Duration: 160}, false},
		{"bytes behind are ignored", []byte{1, 0, 0, 1, 9, 9}, Event{Code: 1, Duration: 1}, false},
		{"cut short", []byte{1, 0, 0}, Event{}, true},
		{"empty", nil, Event{}, true},
	} {
		got, err := ParseEvent(c.payload)
		if got != c.want || (err != nil) != c.bad {
			t.Errorf("%s: got %+v, %v", c.name, got, err)
		}
	}
}

func TestKeys(t *testing.T) {
	var got []byte
	for code := range 256 {
		if key, ok := (Event{Code: uint8(code)}).Key(); ok {
			got = append(got, key)
		}
	}
	if string(got) != "0123456789*#ABCD" {
		t.Errorf("the codes from 0 on are the keys %q", got)
	}
}

// report is one packet as a Receiver sees it.
type report struct {
	ssrc, ts uint32
	marker   bool
	event    Event
}

func (r report) play(to *Receiver) string {
	if key, ok := to.Packet(r.ssrc, r.ts, r.marker, r.event.Append(nil)); ok {
		return string(key)
	}
	return ""
}

// keyPress makes the eleven packets of a key held for 160 ms.
func keyPress(ssrc, ts uint32, code uint8) []report {
	var out []report
	for n := 1; n <= 8; n++ {
		out = append(out, report{ssrc, ts, n == 1, Event{Code: code, Duration: uint16(160 * n)}})
	}
	for range 3 {
		out = append(out, report{ssrc, ts, false, Event{Code: code, Duration: 1280, End: true}})
	}
	return out
}

func TestReceiver(t *testing.T) {
	one, two := keyPress(7, 1000, 1), keyPress(7, 9000, 2)
	again := keyPress(7, 9000, 1)
	full := func(ts uint32, marker bool) report {
		return report{7, ts, marker, Event{Code: 1, Duration: 0xFFFF}}
	}
	for _, c := range []struct {
		name    string
		reports []report
		want    string
	}{
		{"a press fires once", one, "1"},
		{"RFC 4733 2.5.1.2: the first packets may be lost", one[5:], "1"},
		{"only an end packet arrives", one[10:], "1"},
		{"every packet three times", slices.Concat(one, one, one), "1"},
		{"backwards", reversed(one), "1"},
		{"two keys", slices.Concat(one, two), "12"},
		{"the same key twice", slices.Concat(one, again), "11"},
		{"the same key twice, the first end lost", slices.Concat(one[:5], again), "11"},
		{"late end packets of the older key", slices.Concat(one[:8], two[:2], one[8:], two[2:]), "12"},
		{"2.5.1.3: a segment goes on with the press", []report{full(1000, true), full(1000+0xFFFF, false)}, "1"},
		{"three segments", []report{full(1000, true), full(1000+0xFFFF, false), full(1000+2*0xFFFF, false)}, "1"},
		{"a segment with the marker is a new press", []report{full(1000, true), full(1000+0xFFFF, true)}, "11"},
		{"a press a segment's length after an ended one", slices.Concat(keyPress(7, 1000, 1), keyPress(7, 1000+0xFFFF, 1)[1:]), "11"},
		{"another code in the next segment", []report{full(1000, true), {7, 1000 + 0xFFFF, false, Event{Code: 2}}}, "12"},
		{"two codes under one timestamp", slices.Concat(one, keyPress(7, 1000, 2), one), "12"},
		{"the timestamp turns over", slices.Concat(keyPress(7, 0xFFFF_FF00, 1), keyPress(7, 0x0000_1000, 2), keyPress(7, 0xFFFF_FF00, 1)), "12"},
		{"timestamp 0 and code 0 are a press too", keyPress(0, 0, 0), "0"},
		{"another sender counts by itself", slices.Concat(one, keyPress(8, 1000, 1)), "11"},
		{"late packets of the sender before", slices.Concat(one, keyPress(8, 500, 2), one), "12"},
		{"a new time base, far behind", slices.Concat(keyPress(7, 5_000_000, 1), keyPress(7, 1000, 2)), "12"},
		{"flash is no key", []report{{7, 1000, true, Event{Code: 16}}}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var r Receiver
			got := ""
			for _, p := range c.reports {
				got += p.play(&r)
			}
			if got != c.want {
				t.Errorf("pressed %q, want %q", got, c.want)
			}
		})
	}
}

func reversed(r []report) []report {
	out := slices.Clone(r)
	slices.Reverse(out)
	return out
}

func TestReceiverIgnoresDamagedReports(t *testing.T) {
	var r Receiver
	if _, ok := r.Packet(1, 1, true, []byte{1, 0, 0}); ok {
		t.Error("three bytes pressed a key")
	}
}

// However packets of a code are lost, doubled and mixed within a few packets,
// each key of which one arrives counts once.
func TestReceiverUnderDisorder(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 0))
		var sent []report
		for i, code := range []uint8{1, 2, 2, 11} {
			kept := 0
			for _, p := range keyPress(7, uint32(1000+3000*i), code) {
				for n := rng.IntN(4); n > 0; n-- {
					sent = append(sent, p)
					kept++
				}
			}
			if kept == 0 {
				sent = append(sent, keyPress(7, uint32(1000+3000*i), code)[0])
			}
			// Within one press any order; the next one begins behind it.
			part := sent[len(sent)-max(kept, 1):]
			rng.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
		}
		for i := range sent[1:] { // and late ones across presses
			if rng.IntN(10) == 0 && sent[i].ts != sent[i+1].ts && firedBefore(sent[:i], sent[i].ts) {
				sent[i], sent[i+1] = sent[i+1], sent[i]
			}
		}
		var r Receiver
		got := ""
		for _, p := range sent {
			got += p.play(&r)
		}
		if got != "122#" {
			t.Fatalf("seed %d: pressed %q, want %q", seed, got, "122#")
		}
	}
}

func firedBefore(sent []report, ts uint32) bool {
	return slices.ContainsFunc(sent, func(r report) bool { return r.ts == ts })
}

func TestSender(t *testing.T) {
	for _, hold := range []time.Duration{20, 40, 100, 8180} {
		s, err := NewSender('#', hold*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		var got []Event
		for {
			payload, marker, ok := s.Next(nil)
			if !ok {
				break
			}
			e, err := ParseEvent(payload)
			if err != nil || marker != (len(got) == 0) {
				t.Fatalf("%v: packet %d: %v, marker %v", hold, len(got), err, marker)
			}
			got = append(got, e)
		}
		// RFC 4733 section 2.5.1.4: three end packets, with the same duration.
		last := got[len(got)-3:]
		for _, e := range last {
			if !e.End || e.Duration != uint16(hold*8) {
				t.Errorf("%v ms: end packet %+v", int64(hold), e)
			}
		}
		for n, e := range got[:len(got)-3] {
			if e.End || e.Duration != uint16(160*(n+1)) || e.Code != 11 {
				t.Errorf("%v ms: packet %d is %+v", int64(hold), n, e)
			}
		}
	}
}

func TestSenderRefuses(t *testing.T) {
	for _, c := range []struct {
		key  byte
		hold time.Duration
	}{{'x', time.Second}, {'a', time.Second}, {'1', 0}, {'1', 19 * time.Millisecond}, {'1', 9 * time.Second}} {
		if _, err := NewSender(c.key, c.hold); err == nil {
			t.Errorf("%q for %v was taken", c.key, c.hold)
		}
	}
}

// What a Sender sends, a Receiver takes for one press.
func TestSenderMeetsReceiver(t *testing.T) {
	var r Receiver
	got := ""
	for i, key := range []byte("0123456789*#ABCDD") {
		s, err := NewSender(key, 60*time.Millisecond)
		if err != nil {
			t.Fatal(err)
		}
		for {
			payload, marker, ok := s.Next(nil)
			if !ok {
				break
			}
			if key, ok := r.Packet(1, uint32(i*2000), marker, payload); ok {
				got += string(key)
			}
		}
	}
	if got != "0123456789*#ABCDD" {
		t.Errorf("received %q", got)
	}
}

func TestMerge(t *testing.T) {
	const rtp, info, tones = 1, 2, 3
	type digit struct {
		at   int // ms
		road int
		key  byte
	}
	for _, c := range []struct {
		name   string
		digits []digit
		want   string
	}{
		{"one road", []digit{{0, rtp, '1'}, {300, rtp, '2'}}, "12"},
		{"each key by both roads", []digit{{0, rtp, '1'}, {5, info, '1'}, {300, info, '2'}, {310, rtp, '2'}}, "12"},
		{"the other road in a burst later", []digit{{0, rtp, '1'}, {300, rtp, '2'}, {600, rtp, '1'}, {700, info, '1'}, {701, info, '2'}, {702, info, '1'}}, "121"},
		{"the same key twice by one road", []digit{{0, rtp, '5'}, {200, rtp, '5'}}, "55"},
		{"the same key twice by both", []digit{{0, rtp, '5'}, {10, info, '5'}, {200, rtp, '5'}, {210, info, '5'}}, "55"},
		{"the second by one road only", []digit{{0, rtp, '5'}, {10, info, '5'}, {200, info, '5'}}, "55"},
		{"more by the slower road", []digit{{0, rtp, '5'}, {10, info, '5'}, {20, info, '5'}}, "55"},
		{"just within two seconds", []digit{{0, rtp, '5'}, {2000, info, '5'}}, "5"},
		{"beyond two seconds", []digit{{0, rtp, '5'}, {2001, info, '5'}}, "55"},
		{"three roads", []digit{{0, rtp, '5'}, {10, info, '5'}, {20, tones, '5'}, {30, tones, '5'}}, "55"},
		{"other keys never match", []digit{{0, rtp, '5'}, {10, info, '6'}}, "56"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var m Merge
			start := time.Now()
			got := ""
			for _, d := range c.digits {
				if m.Digit(start.Add(time.Duration(d.at)*time.Millisecond), d.road, d.key) {
					got += string(d.key)
				}
			}
			if got != c.want {
				t.Errorf("counted %q, want %q", got, c.want)
			}
		})
	}
}

func TestMergeIsBounded(t *testing.T) {
	var m Merge
	now := time.Now()
	for range 10_000 {
		if !m.Digit(now, 1, '1') {
			t.Fatal("a press by one road did not count")
		}
	}
	if len(m.presses) != maxPresses {
		t.Errorf("%d presses are remembered, want %d", len(m.presses), maxPresses)
	}
}

func TestNothingIsAllocated(t *testing.T) {
	var r Receiver
	var m Merge
	now := time.Now()
	payload := Event{Code: 1}.Append(nil)
	ts := uint32(0)
	work := func() {
		ts += 4000
		now = now.Add(500 * time.Millisecond)
		if key, ok := r.Packet(1, ts, true, payload); ok {
			m.Digit(now, 1, key)
		}
	}
	for range 100 {
		work()
	}
	if n := testing.AllocsPerRun(100, work); n != 0 {
		t.Errorf("%v allocations for a press", n)
	}
}

func FuzzReceiver(f *testing.F) {
	f.Add([]byte{5, 0x0A, 0, 160}, uint32(1), uint32(2), true)
	f.Add([]byte{16, 0x4A, 0, 160, 0}, uint32(1), uint32(0xFFFF_FFFF), false)
	f.Add([]byte{}, uint32(0), uint32(0), false)
	f.Fuzz(func(t *testing.T, payload []byte, ssrc, ts uint32, marker bool) {
		var r Receiver
		key, ok := r.Packet(ssrc, ts, marker, payload)
		if e, err := ParseEvent(payload); ok != (err == nil && e.Code < 16) {
			t.Fatalf("%x: pressed %q, %v", payload, key, ok)
		}
		if _, again := r.Packet(ssrc, ts, marker, payload); again {
			t.Fatal("the same packet pressed twice")
		}
	})
}
