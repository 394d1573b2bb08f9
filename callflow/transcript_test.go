package callflow

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"
)

var update = flag.Bool("update", false, "write the transcripts in testdata as the machine now decides")

// A transcript is a story in testdata: comments, a plan, then a line for each
// event with its time since the beginning, and below it what the machine did.
func TestTranscripts(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txt")
	if len(files) == 0 {
		t.Fatal("no transcripts in testdata")
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := replay(t, want)
			if *update {
				if err := os.WriteFile(file, got, 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if !bytes.Equal(got, want) {
				t.Errorf("the machine tells another story:\n%s", got)
			}
		})
	}
}

// replay runs the events of a transcript and writes it anew.
func replay(t *testing.T, story []byte) []byte {
	var out bytes.Buffer
	w := walker{now: epoch}
	plan := Plan{Flat: "Smith", Doors: []string{"front"}, EarlyAudio: true}
	for sc := bufio.NewScanner(bytes.NewReader(story)); sc.Scan(); {
		line := sc.Text()
		words := strings.Fields(line)
		switch {
		case len(words) == 0 || line[0] == '#':
			fmt.Fprintln(&out, line)
		case line[0] == ' ': // what the machine did when the story was written
		case words[0] == "plan":
			fmt.Fprintln(&out, line)
			readPlan(t, &plan, words[1:])
		default:
			at, err := time.ParseDuration(words[0])
			if err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			fmt.Fprintln(&out, line)
			ev := readEvent(t, words[1:], plan)
			acts := w.m.Step(epoch.Add(at), ev, nil)
			if err := w.check.step(ev, acts, &w.m); err != nil {
				t.Fatalf("%q: %v", line, err)
			}
			for _, a := range acts {
				fmt.Fprintln(&out, "        "+describe(a))
			}
			fmt.Fprintf(&out, "        = %v%s\n", w.m.State(), deadline(&w.m))
		}
	}
	return out.Bytes()
}

func deadline(m *Machine) string {
	if m.Deadline().IsZero() {
		return ""
	}
	return ", until " + m.Deadline().Sub(epoch).String()
}

// describe turns Invite{Leg: 1, Target: "sip:a"} into "invite 1 sip:a".
func describe(a Action) string {
	v := reflect.ValueOf(a)
	words := []string{strings.ToLower(v.Type().Name())}
	for i := range v.NumField() {
		switch f := v.Field(i).Interface().(type) {
		case byte:
			words = append(words, string(rune(f)))
		case bool:
			words = append(words, map[bool]string{true: "on", false: "off"}[f])
		case Road:
		case LegID:
			if f != 0 || v.NumField() == 1 {
				name := strconv.FormatUint(uint64(f&^IncomingLeg), 10)
				if f&IncomingLeg != 0 {
					name = "caller-" + name
				}
				words = append(words, name)
			}
		default:
			words = append(words, fmt.Sprint(f))
		}
	}
	return strings.Join(words, " ")
}

func readPlan(t *testing.T, p *Plan, words []string) {
	span := func(s string) time.Duration {
		d, err := time.ParseDuration(s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	for _, word := range words {
		key, value, _ := strings.Cut(word, "=")
		switch key {
		case "stage", "last-resort": // stage=a,b/10s
			targets, length, _ := strings.Cut(value, "/")
			st := Stage{LastResort: key == "last-resort"}
			for _, target := range strings.Split(targets, ",") { // or a+5s, for one that rings later
				uri, after, late := strings.Cut(target, "+")
				one := Target{URI: uri}
				if late {
					one.After = span(after)
				}
				st.Targets = append(st.Targets, one)
			}
			if length != "" {
				st.For = span(length)
			}
			p.Stages = append(p.Stages, st)
		case "ring":
			p.RingFor = span(value)
		case "talk":
			p.TalkFor = span(value)
		case "hang-up-after-open":
			p.HangUpAfterOpen = span(value)
		case "second-press-keeps":
			p.SecondPressKeeps = true
		case "refusal-ends":
			p.RefusalEnds = true
		case "no-early-audio":
			p.EarlyAudio = false
		default:
			t.Fatalf("unknown word %q in a plan", word)
		}
	}
}

func readEvent(t *testing.T, words []string, plan Plan) Event {
	arg := func(i int) string {
		if i < len(words) {
			return words[i]
		}
		return ""
	}
	number := func(i int) int {
		n, _ := strconv.Atoi(arg(i))
		return n
	}
	leg := LegID(number(1))
	if n, called := strings.CutPrefix(arg(1), "caller-"); called {
		id, _ := strconv.Atoi(n)
		leg = LegID(id) | IncomingLeg
	}
	switch words[0] {
	case "tick":
		return Tick{}
	case "press":
		if arg(2) == "unassigned" {
			plan.Stages = nil
		}
		return Pressed{arg(1), plan}
	case "incoming":
		guest := Guest{Talk: true}
		for i := 3; arg(i) != ""; i++ {
			switch word, wait, _ := strings.Cut(arg(i), "="); word {
			case "listens":
				guest = Guest{Listen: true}
			case "beside":
				guest.Second = true
			case "in":
				guest.AnswerIn, _ = time.ParseDuration(wait)
			}
		}
		return Incoming{leg | IncomingLeg, arg(2), plan, guest}
	case "confirmed":
		return Confirmed{leg | IncomingLeg}
	case "caller-hangs-up":
		return HungUp{leg | IncomingLeg, "BYE"}
	case "progress":
		return Progress{leg, number(2), arg(3) == "media"}
	case "audio":
		return AudioArrived{leg}
	case "answered":
		return Answered{leg}
	case "refused":
		return Refused{leg, number(2), arg(3), arg(4) == "cut"}
	case "transfers":
		return Transferred{leg, arg(2)}
	case "hangs-up":
		return HungUp{leg, "BYE"}
	case "media-lost":
		return MediaLost{leg, "nothing for 30s"}
	case "digit":
		return Digit{leg, arg(2)[0], RoadRTP}
	case "code-right":
		return CodeRight{leg, arg(2), arg(3)}
	case "code-wrong":
		return CodeWrong{leg, "wrong code", arg(2) == "last"}
	case "open-asked":
		return OpenAsked{arg(1), arg(2)}
	case "door":
		return DoorMoved{arg(1), arg(2) == "opens"}
	case "door-failed":
		return DoorFailed{arg(1), "the guard is gone"}
	case "shutdown":
		return Shutdown{}
	}
	t.Fatalf("unknown event %q", words[0])
	return nil
}
