package guard

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

var goodStates = []string{
	"doorguard 1\nresets 0\ncover closed\nblocked 0\n",
	"doorguard 1\nresets 3\ncover open\nblocked 1800\n",
	"doorguard 1\nresets 100\ncover open\nblocked 86400\n",
}

var badStates = []string{
	"", "doorguard 1\n", "doorguard 2\nresets 0\ncover closed\nblocked 0\n", "doorguard 1\nresets 0\ncover closed\nblocked 0",
	"doorguard 1\nresets -1\ncover closed\nblocked 0\n", "doorguard 1\nresets 101\ncover closed\nblocked 0\n",
	"doorguard 1\nresets 0\ncover ajar\nblocked 0\n", "doorguard 1\nresets 0\ncover open\nblocked 86401\n",
	"doorguard 1\nresets 01\ncover open\nblocked 0\n", "doorguard 1\ncover open\nresets 0\nblocked 0\n",
	"doorguard 1\nresets 0\ncover open\nblocked 0\n\n", "\x00\x00\x00\x00",
}

func TestStateIsKept(t *testing.T) {
	dir := t.TempDir()
	var log []string
	k := newKeeper(filepath.Join(dir, "guard.state"), func(line string) { log = append(log, line) })
	if got := k.read(); got != (State{}) || log != nil {
		t.Errorf("without a file: %+v, %q", got, log)
	}
	want := State{Reboots: 2, CoverOpen: true, Blocked: 25 * time.Minute}
	k.keep(State{Reboots: 1})
	k.keep(want) // in the place of the other
	k.close()
	if got := k.read(); got != want || log != nil {
		t.Errorf("read %+v, want %+v; %q", got, want, log)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%d files, want 1; %v", len(entries), err)
	}
	if err := os.WriteFile(k.path, []byte("rubbish"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := k.read(); got != (State{}) || len(log) != 1 || !strings.Contains(log[0], "begins anew") {
		t.Errorf("rubbish: %+v, %q", got, log)
	}
	k.path = filepath.Join(dir, "none", "guard.state")
	k.store(want)
	if len(log) != 2 || !strings.Contains(log[1], "state is not kept") {
		t.Errorf("said %q", log)
	}
	if none := newKeeper("", nil); none.read() != (State{}) {
		t.Error("a state without a file")
	} else {
		none.keep(want)
		none.close()
	}
}

func TestStateRefusesEverythingElse(t *testing.T) {
	for _, s := range badStates {
		if got, err := parseState([]byte(s)); err == nil {
			t.Errorf("%q was read as %+v", s, got)
		}
	}
}

func FuzzState(f *testing.F) {
	for _, s := range append(goodStates, badStates...) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseState(raw)
		if err != nil {
			return
		}
		if got := string(s.append(nil)); got != string(raw) {
			t.Fatalf("%q is written as %q", raw, got)
		}
		if s.Blocked < 0 || s.Blocked > maxBlock || s.Reboots < 0 || s.Reboots > maxReboots {
			t.Fatalf("%q: %+v", raw, s)
		}
	})
}

func TestStateTakesItsOwnWords(t *testing.T) {
	for _, s := range goodStates {
		if got, err := parseState([]byte(s)); err != nil || string(got.append(nil)) != s {
			t.Errorf("%q: %+v, %v", s, got, err)
		}
	}
}
