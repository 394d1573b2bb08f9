package guard

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	relays = []Relay{{Name: "door1", Max: 400 * time.Millisecond}, {Name: "door2", Max: time.Second}}
	inputs = []Input{{Name: "exit", Opens: "door2", For: 300 * time.Millisecond}, {Name: "cover", Tamper: true}}
)

// script runs lines of "ms event" and returns what the Guard does, in words.
func script(t *testing.T, g *Guard, lines ...string) []string {
	t.Helper()
	var said []string
	for _, line := range lines {
		var ms int64
		var what string
		if _, err := fmt.Sscanf(line, "%d", &ms); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		_, what, _ = strings.Cut(line, " ")
		for _, a := range g.Step(time.Duration(ms)*time.Millisecond, event(t, time.Duration(ms)*time.Millisecond, what), nil) {
			said = append(said, fmt.Sprintf("%d %s", ms, word(a)))
		}
	}
	return said
}

func event(t *testing.T, now time.Duration, what string) Event {
	t.Helper()
	switch verb, rest, _ := strings.Cut(what, " "); verb {
	case "start":
		return Started{}
	case "tick":
		return Tick{}
	case "A":
		return clientEvent(1, now, rest)
	case "B":
		return clientEvent(2, now, rest)
	case "cover", "exit":
		return inputEvent(verb, now, rest)
	}
	t.Fatalf("no event %q", what)
	return nil
}

// inputEvent is a level of an input of the panel: on, off, or found on, off at
// the start of the watch.
func inputEvent(name string, now time.Duration, what string) Event {
	level, found := strings.CutPrefix(what, "found ")
	i := slices.IndexFunc(inputs, func(in Input) bool { return in.Name == name })
	return Moved{Input: i, Active: level == "on", First: found, At: now}
}

// clientEvent is what a client does. Of a pulse it fills in when it was asked
// for: now.
func clientEvent(id ClientID, now time.Duration, what string) Event {
	switch what {
	case "comes":
		return Connected{Client: id}
	case "intrudes":
		return Connected{Client: id, Denied: "user 1000 is not served"}
	case "leaves":
		return Left{Client: id}
	}
	if what == "old pulse" {
		what = "pulse 1 door1 100 0 x"
	} else if words := strings.SplitN(what, " ", 5); words[0] == "pulse" {
		what = fmt.Sprintf("%s %d %s", strings.Join(words[:4], " "), now, words[4])
	}
	return Received{Client: id, Raw: []byte("2 " + what)}
}

func word(a Action) string {
	switch a := a.(type) {
	case Drive:
		if !a.Changed {
			return fmt.Sprintf("relay %d still %s", a.Relay, onOff(a.Active))
		}
		return fmt.Sprintf("relay %d %s: %s", a.Relay, onOff(a.Active), a.Cause)
	case Reply:
		return fmt.Sprintf("to %d: %s", a.Client, a.Raw)
	case Drop:
		return fmt.Sprintf("drop %d: %s", a.Client, a.Why)
	case Extend:
		return fmt.Sprintf("relay %d for %v", a.Relay, a.For)
	case Note:
		return "note " + a.Text
	case Keep:
		return fmt.Sprintf("keep %d %v %v", a.State.Reboots, a.State.CoverOpen, a.State.Blocked)
	}
	return "?"
}

func TestGuardDecides(t *testing.T) {
	welcome := []string{"0 A comes"}
	for _, c := range []struct {
		name  string
		after []string
		then  string
		want  []string
	}{
		{
			"a start makes every relay safe", nil, "0 start",
			[]string{"0 relay 0 off: guard starts", "0 relay 1 off: guard starts"},
		},
		{"a client is welcomed", nil, "0 A comes", []string{"0 to 1: 2 welcome 0 0"}},
		{
			"the next client learns the last number",
			[]string{"0 A comes", "0 A pulse 9 door1 100 x", "1 A leaves"},
			"2 B comes",
			[]string{"2 to 2: 2 welcome 9 0"},
		},
		{
			"another user is denied", nil, "0 A intrudes",
			[]string{"0 to 1: 2 denied user 1000 is not served", "0 drop 1: user 1000 is not served"},
		},
		{
			"a second client is refused and disturbs nothing",
			[]string{"0 A comes", "1 A pulse 1 door1 100 x"},
			"2 B comes",
			[]string{"2 to 2: 2 busy another client is served", "2 drop 2: another client is served"},
		},
		{"a second client's words mean nothing", []string{"0 A comes", "0 B comes"}, "1 B pulse 1 door1 100 x", nil},
		{"a second client's nonsense and end mean nothing", []string{"0 A comes", "0 B comes", "1 B junk"}, "1 B leaves", nil},
		{
			"a pulse drives first, then answers", welcome, "5 A pulse 1 door2 900 code",
			[]string{"5 relay 1 on: pulse: code", "5 to 1: 2 accept 1"},
		},
		{"a pulse ends", []string{"0 A comes", "0 A pulse 1 door1 100 x"}, "100 tick", []string{"100 relay 0 off: pulse over"}},
		{"a pulse does not end before", []string{"0 A comes", "0 A pulse 1 door1 100 x"}, "99 tick", nil},
		{
			"a pulse ends although no tick came",
			[]string{"0 A comes", "0 A pulse 1 door1 100 x"},
			"100 A beat",
			[]string{"100 relay 0 off: pulse over"},
		},
		{"a second pulse extends", []string{"0 A comes", "0 A pulse 1 door1 100 x", "50 A pulse 2 door1 100 x"}, "149 tick", nil},
		{"a shorter second pulse shortens nothing", []string{"0 A comes", "0 A pulse 1 door1 200 x", "50 A pulse 2 door1 1 x"}, "199 tick", nil},
		{
			"the hard limit counts from the first rise",
			[]string{"0 A comes", "0 A pulse 1 door1 300 x", "200 A pulse 2 door1 300 x", "390 A pulse 3 door1 400 x"},
			"395 tick",
			[]string{"395 relay 0 off: hard limit"},
		},
		{
			"the hard limit wants a rest",
			[]string{"0 A comes", "0 A pulse 1 door1 400 x", "200 A beat", "400 A beat"},
			"600 A pulse 2 door1 1 x",
			[]string{"600 to 1: 2 refuse 2 was ended by the hard limit less than 1s ago"},
		},
		{
			"longer than the limit is refused", welcome, "1 A pulse 1 door1 401 x",
			[]string{"1 to 1: 2 refuse 1 401ms is outside the board's limit of 400ms"},
		},
		{
			"no time is refused", welcome, "1 A pulse 1 door1 0 x",
			[]string{"1 to 1: 2 refuse 1 0s is outside the board's limit of 400ms"},
		},
		{
			"an unknown relay is refused", welcome, "1 A pulse 1 door3 100 x",
			[]string{"1 to 1: 2 refuse 1 no relay of this name on this board"},
		},
		{
			"a used number is refused",
			[]string{"0 A comes", "0 A pulse 5 door1 100 x"},
			"100 A pulse 5 door1 100 x",
			[]string{"100 relay 0 off: pulse over", "100 to 1: 2 refuse 5 sequence number 5 was used, the last one is 5"},
		},
		{
			"a number used by the client before is refused",
			[]string{"0 A comes", "0 A pulse 5 door1 100 x", "1 A leaves", "2 B comes"},
			"3 B pulse 4 door1 100 x",
			[]string{"3 to 2: 2 refuse 4 sequence number 4 was used, the last one is 5"},
		},
		{
			"a client that leaves makes every relay safe",
			[]string{"0 A comes", "0 A pulse 1 door1 100 x"},
			"1 A leaves",
			[]string{"1 relay 0 off: client gone", "1 relay 1 still off", "1 drop 1: client gone"},
		},
		{
			"a silent client loses its relays",
			[]string{"0 A comes", "0 A pulse 1 door2 900 x"},
			"250 tick",
			[]string{"250 relay 0 still off", "250 relay 1 off: client silent for 250ms"},
		},
		{
			"and may come back",
			[]string{"0 A comes", "0 A pulse 1 door2 900 x", "250 tick"},
			"1990 A pulse 2 door2 100 x",
			[]string{"1990 relay 1 on: pulse: x", "1990 to 1: 2 accept 2"},
		},
		{
			"a client that stays silent is lost",
			[]string{"0 A comes", "0 A pulse 1 door2 900 x", "250 tick"},
			"2000 tick",
			[]string{"2000 relay 0 still off", "2000 relay 1 still off", "2000 drop 1: client silent for 2s"},
		},
		{"a client that holds nothing may be silent for longer", []string{"0 A comes"}, "1999 tick", nil},
		{
			"a pulse that nobody waits for is refused",
			[]string{"0 A comes"},
			"1500 A old pulse",
			[]string{"1500 to 1: 2 refuse 1 was asked for 1.5s ago, limit 1s"},
		},
		{
			"a client may end",
			[]string{"0 A comes", "0 A pulse 1 door1 100 x"},
			"1 A bye",
			[]string{"1 relay 0 off: client ends", "1 relay 1 still off", "1 drop 1: client ends"},
		},
		{"a client with a heart-beat is kept", []string{"0 A comes", "0 A pulse 1 door2 900 x", "100 A beat"}, "349 tick", nil},
		{"a guard that was stopped itself spares its client", []string{"0 A comes", "0 A pulse 1 door2 900 x", "271 tick"}, "370 tick", nil},
		{
			"also from one that wants its place",
			[]string{"0 A comes"},
			"271 B comes",
			[]string{"271 to 2: 2 busy another client is served", "271 drop 2: another client is served"},
		},
		{
			"but only once",
			[]string{"0 A comes", "0 A pulse 1 door2 900 x", "300 tick"},
			"500 tick",
			[]string{"500 relay 0 still off", "500 relay 1 off: client silent for 250ms"},
		},
		{"and ends its pulses", []string{"0 A comes", "0 A pulse 1 door1 200 x"}, "300 tick", []string{"300 relay 0 off: pulse over"}},
		{
			"a silent client makes place",
			[]string{"0 A comes", "250 tick"},
			"900 B comes",
			[]string{"900 relay 0 still off", "900 relay 1 still off", "900 drop 1: client silent for 250ms, and another one comes", "900 to 2: 2 welcome 0 0"},
		},
		{
			"at once if the guard sees it now",
			[]string{"0 A comes"},
			"250 B comes",
			[]string{"250 relay 0 still off", "250 relay 1 still off", "250 drop 1: client silent for 250ms, and another one comes", "250 to 2: 2 welcome 0 0"},
		},
		{
			"nonsense makes every relay safe",
			[]string{"0 A comes", "0 A pulse 1 door1 100 x"},
			"1 A junk",
			[]string{"1 relay 0 off: malformed message: \"2 junk\"", "1 relay 1 still off", "1 drop 1: malformed message: \"2 junk\""},
		},
		{
			"the guard's own words are nonsense", welcome, "1 A accept 1",
			[]string{"1 relay 0 still off", "1 relay 1 still off", "1 drop 1: message of a wrong kind: accept"},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := New(Panel{Relays: relays})
			script(t, g, c.after...)
			got := script(t, g, c.then)
			if fmt.Sprint(got) != fmt.Sprint(c.want) {
				t.Errorf("did\n  %s\nwant\n  %s", strings.Join(got, "\n  "), strings.Join(c.want, "\n  "))
			}
		})
	}
}

func TestGuardLimitsRates(t *testing.T) {
	g := New(Panel{Relays: relays})
	script(t, g, "0 A comes")
	for i := range maxPulses {
		if got := script(t, g, fmt.Sprintf("1 A pulse %d door1 1 x", i+1)); !strings.Contains(fmt.Sprint(got), "accept") {
			t.Fatalf("pulse %d: %v", i+1, got)
		}
	}
	if got := script(t, g, "1 A pulse 99 door2 1 x"); !strings.Contains(fmt.Sprint(got), "more than 20 pulses in a second") {
		t.Error(got)
	}
	for range maxMessages - maxPulses - 1 {
		if got := script(t, g, "1 A beat"); len(got) > 0 {
			t.Fatal(got)
		}
	}
	if got := script(t, g, "1 A beat"); !strings.Contains(fmt.Sprint(got), "more than 500 messages in a second") {
		t.Error(got)
	}
}

// TestEveryShortHistory walks all sequences of three events, at three speeds,
// and holds the Guard against the watcher.
func TestEveryShortHistory(t *testing.T) {
	events := []string{
		"start", "tick", "exit on", "cover on", "A comes", "B comes", "A leaves", "A beat", "A junk", "B junk",
		"A pulse 1 door1 400 x", "A pulse 3 door1 100 x", "A pulse 3 door2 1000 x", "B pulse 2 door2 100 x",
	}
	waits := []time.Duration{0, 100 * time.Millisecond, 260 * time.Millisecond}
	steps := 0
	var walk func(g *Guard, w watcher, now time.Duration, depth int, path string)
	walk = func(g *Guard, w watcher, now time.Duration, depth int, path string) {
		if depth == 0 {
			if err := advance(g, &w, now+time.Minute); err != nil || g.client.id != 0 {
				t.Fatalf("%s: left alone: %v", path, err)
			}
			return
		}
		for _, wait := range waits {
			for _, what := range events {
				g, w, now := clone(g), w.clone(), now+wait
				here := fmt.Sprintf("%s; %v %s", path, wait, what)
				if err := errors.Join(advance(g, &w, now), try(t, g, &w, now, what)); err != nil {
					t.Fatalf("%s: %v", here, err)
				}
				steps++
				walk(g, w, now, depth-1, here)
			}
		}
	}
	g, w := New(Panel{Relays: relays, Inputs: inputs, TamperBlock: 150 * time.Millisecond}), newWatcher(relays)
	acts := g.Step(0, Started{}, nil)
	acts = g.Step(0, Connected{Client: 1}, acts)
	if err := w.see(0, false, acts); err != nil {
		t.Fatal(err)
	}
	walk(g, w, 0, 3, "A is served")
	t.Logf("%d steps", steps)
}

// try gives one event to the Guard and checks what must follow from it.
func try(t *testing.T, g *Guard, w *watcher, now time.Duration, what string) error {
	served, heard := g.client.id, g.client.heard
	ev := event(t, now, what)
	acts := g.Step(now, ev, nil)
	from := map[byte]ClientID{'A': 1, 'B': 2}[what[0]]
	mine := from == served && served != 0
	if err := w.see(now, mine && strings.Contains(what, "pulse") || what == "exit on", acts); err != nil {
		return err
	}
	ends := what == "start" || mine && (strings.HasSuffix(what, "leaves") || strings.HasSuffix(what, "junk"))
	if pressed := g.relays[1].active && g.relays[1].pressed > now; ends && !pressed && !drivenSafe(acts, len(relays)) {
		return errors.New("the relays were not made safe")
	}
	if !mine && what != "tick" && what != "start" && served != 0 && g.client.id != served && now-heard < StaleAfter {
		return errors.New("a stranger ended the service of the client")
	}
	return nil
}

// TestNonsense gives a Guard 10,000 bad messages and disconnects: no relay is
// ever energised, and good clients are served afterwards.
func TestNonsense(t *testing.T) {
	g, w := New(Panel{Relays: relays}), newWatcher(relays)
	rng := rand.New(rand.NewPCG(1, 2))
	now, id := time.Duration(0), ClientID(0)
	see := func(ev Event) {
		if err := w.see(now, false, g.Step(now, ev, nil)); err != nil {
			t.Fatalf("%T %+v: %v", ev, ev, err)
		}
	}
	for range 10000 {
		now += time.Duration(rng.IntN(50)) * time.Millisecond
		id++
		see(Connected{Client: id})
		if rng.IntN(8) == 0 {
			see(Left{Client: id})
			continue
		}
		see(Received{Client: id, Raw: nonsense(rng)})
		if g.client.id != 0 {
			t.Fatal("a client that talks nonsense is still served")
		}
	}
	id++
	see(Connected{Client: id})
	acts := g.Step(now, Received{Client: id, Raw: []byte(fmt.Sprintf("2 pulse 1 door1 100 %d x", now))}, nil)
	if err := w.see(now, true, acts); err != nil || !w.active[0] {
		t.Errorf("a good client is not served afterwards: %v, %v", acts, err)
	}
}

// nonsense is a message near a good one that is none.
func nonsense(rng *rand.Rand) []byte {
	for {
		var raw []byte
		if rng.IntN(2) == 0 {
			raw = []byte(badMessages[rng.IntN(len(badMessages))])
		} else {
			raw = []byte("2 pulse 7 door1 3000 123456789 code of Smith")
			for range 1 + rng.IntN(4) {
				raw[rng.IntN(len(raw))] = byte(rng.Uint32())
			}
		}
		if _, err := parse(raw); err != nil {
			return raw
		}
	}
}
