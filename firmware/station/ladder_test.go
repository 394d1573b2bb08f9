package station

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"doorstation/firmware/control"
)

const flatPhone = "sip:flat@pbx.example"

// testLadder has learnt nothing.
func testLadder(t *testing.T) *ladder {
	t.Helper()
	return openLadder(t.TempDir(), slog.New(slog.DiscardHandler))
}

// state is what a ladder makes of a phone: what the status shows of it, and how it
// would be rung.
func (l *ladder) state(target string, now time.Time) string {
	p := l.known[target].at(now)
	words := []string{p.sees()}
	for word, is := range map[string]bool{"sound alone": l.soundOnly(target, now), "told": l.asks(target, now)} {
		if is {
			words = append(words, word)
		}
	}
	slices.Sort(words)
	return strings.TrimSpace(strings.Join(words, " "))
}

// Steps of a story: an exclamation mark stands behind what is new, and told to people.
func TestLadder(t *testing.T) {

	for name, story := range map[string][]struct {
		do   string // early, preview, still, blind, told (blind, and told of a picture), fails, or a time that passes
		want string
	}{
		"nothing is known":  {{"0s", "told"}},
		"early":             {{"early!", "early"}, {"early", "early"}},
		"a first answer":    {{"preview!", "preview"}, {"preview", "preview"}},
		"a still":           {{"still!", "still told"}, {"still", "still told"}, {"told", "still told"}},
		"climbs":            {{"still!", "still told"}, {"preview!", "preview"}, {"early!", "early"}},
		"does not fall":     {{"early!", "early"}, {"preview", "early"}, {"still", "early"}, {"told", "early"}, {"told", "early"}, {"told", "early"}},
		"none":              {{"told", "told"}, {"told", "told"}, {"told!", "none"}, {"told", "none"}},
		"none, then early":  {{"told", "told"}, {"told", "told"}, {"told!", "none"}, {"early!", "early"}},
		"in between, early": {{"told", "told"}, {"told", "told"}, {"early!", "early"}},
		// Whoever was never told of a picture has not failed to come for it.
		"none, never told":       {{"blind", "told"}, {"blind", "told"}, {"blind!", "none told"}, {"blind", "none told"}, {"told", "none told"}, {"told", "none told"}, {"told", "none"}},
		"none, then a still":     {{"blind", "told"}, {"blind", "told"}, {"blind!", "none told"}, {"still!", "still told"}},
		"fails over a picture":   {{"fails!", "sound alone told"}, {"fails", "sound alone told"}},
		"fails, and polls":       {{"fails!", "sound alone told"}, {"still!", "sound alone still told"}},
		"fails, and never polls": {{"fails!", "sound alone told"}, {"told", "sound alone told"}, {"told", "sound alone told"}, {"told!", "none sound alone"}},
		"polls, and fails":       {{"still!", "still told"}, {"fails!", "sound alone still told"}},
		"another phone":          {{"early!", "early"}, {"fails!", "sound alone told"}},
		"early ages":             {{"early!", "early"}, {"719h", "early"}, {"1h", "told"}, {"still!", "still told"}},
		"none ages":              {{"told", "told"}, {"told", "told"}, {"told!", "none"}, {"719h", "none"}, {"told", "none"}, {"1h", "told"}, {"told", "told"}},
		"seldom rung":            {{"told", "told"}, {"720h", "told"}, {"told", "told"}, {"720h", "told"}, {"told", "told"}},
		"sound alone ages":       {{"fails!", "sound alone told"}, {"360h", "sound alone told"}, {"still!", "sound alone still told"}, {"360h", "still told"}, {"360h", "told"}},
		"a clock set back":       {{"early!", "early"}, {"-8760h", "early"}},
	} {
		t.Run(name, func(t *testing.T) {
			l, now := testLadder(t), time.Date(2026, 11, 22, 18, 2, 0, 0, time.UTC)
			for i, step := range story {
				do, told := strings.CutSuffix(step.do, "!")
				is := false
				switch do {
				case "early":
					is = l.takes(flatPhone, rungEarly, now)
				case "preview":
					is = l.takes(flatPhone, rungPreview, now)
				case "still":
					is = l.takes(flatPhone, rungStill, now)
				case "blind", "told":
					is = l.blind(flatPhone, do == "told", now)
				case "fails":
					is = l.failed(flatPhone, now)
				default:
					pass, err := time.ParseDuration(do)
					if err != nil {
						t.Fatal(err)
					}
					now = now.Add(pass)
				}
				if got := l.state(flatPhone, now); got != step.want || is != told {
					t.Fatalf("step %d, %s: %q, new: %v; want %q, new: %v", i+1, step.do, got, is, step.want, told)
				}
			}
			l.keep()
			again := openLadder(filepath.Dir(l.path), l.log)
			if got, want := again.state(flatPhone, now), l.state(flatPhone, now); got != want {
				t.Errorf("after a restart it is %q, and was %q", got, want)
			}
		})
	}
}

// A former version knew sound alone, and nothing else.
func TestLadderOfAFormerVersion(t *testing.T) {
	dir, now := t.TempDir(), time.Now()
	raw, err := json.Marshal(map[string]time.Time{flatPhone: now.Add(-time.Hour), "sip:old@pbx.example": now.Add(-ladderFor)})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, ladderFile), raw, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	l := openLadder(dir, slog.New(slog.DiscardHandler))
	if got := l.state(flatPhone, now); got != "sound alone told" {
		t.Errorf("the phone is %q", got)
	}
	if got := l.state("sip:old@pbx.example", now); got != "told" {
		t.Errorf("the old one is %q", got)
	}
}

// Only what is new is written: the flash wears.
func TestLadderWritesNothingTwice(t *testing.T) {
	l, now := testLadder(t), time.Now()
	l.takes(flatPhone, rungEarly, now)
	l.keep()
	if err := os.Remove(l.path); err != nil {
		t.Fatal(err)
	}
	l.takes(flatPhone, rungEarly, now)
	l.blind(flatPhone, true, now)
	l.keep()
	if _, err := os.Stat(l.path); err == nil {
		t.Error("what was known is written again")
	}
}

// The oldest of too many phones is forgotten, and what others read stays as it is.
func TestLadderIsBounded(t *testing.T) {
	l, now := testLadder(t), time.Now()
	for n := range ladderMost + 1 {
		before, copied := l.known, maps.Clone(l.known)
		l.takes(fmt.Sprint("sip:", n), rungStill, now.Add(time.Duration(n)*time.Second))
		if n == ladderMost && !maps.Equal(before, copied) {
			t.Error("what was published has changed under its reader")
		}
	}
	if _, oldest := l.known["sip:0"]; oldest || len(l.known) != ladderMost {
		t.Errorf("%d phones are known, the oldest among them: %v", len(l.known), oldest)
	}
}

// What was kept may be anything.
func FuzzReadPhones(f *testing.F) {
	for _, seed := range []string{
		``, `{}`, `null`, `[]`, `{"sip:a@b":null}`, `{"sip:a@b":"2026-11-22T18:02:00Z"}`, `{"sip:a@b":"yesterday"}`, `{"sip:a@b":{"takes":"early","since":"2026-11-22T18:02:00Z"}}`,
		`{"sip:a@b":{"takes":"hologram","blind":2,"told":-1,"sound":"2026-11-22T18:02:00+01:00"}}`, `{"sip:a@b":{"takes":7}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		all, err := readPhones(raw)
		if err != nil {
			return
		}
		l := testLadder(t)
		l.known = all
		now := time.Date(2026, 11, 22, 18, 3, 0, 0, time.UTC)
		for target := range all {
			was := l.state(target, now)
			l.blind(target, true, now)
			l.takes(target, rungEarly, now)
			if got := l.state(target, now); !strings.Contains(got, control.PreviewEarly) {
				t.Fatalf("a phone that was %q, and then takes early pictures, is %q", was, got)
			}
		}
		kept, err := json.Marshal(l.known)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := readPhones(kept); err != nil || len(again) != len(l.known) {
			t.Fatalf("what was kept of %q cannot be read: %v", bytes.TrimSpace(kept), err)
		}
	})
}
