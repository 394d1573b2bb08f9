package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

func call(n int) timeline.Record {
	b := timeline.New(fmt.Sprintf("call-%04d", n), time.Date(2026, 11, 22, 18, 0, n, 0, time.UTC), 0)
	b.Of("button1", "Berger")
	b.Add(0, timeline.Press, 0, "button1")
	b.Add(time.Millisecond, timeline.Invite, 1, "sip:berger@192.0.2.7")
	return b.Finish(time.Second, "no-answer", "")
}

func open(t *testing.T, dir string, opt Options) *Store {
	t.Helper()
	s, err := Open(dir, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func add(t *testing.T, s *Store, n int) {
	t.Helper()
	if err := s.Append(call(n)); err != nil {
		t.Fatal(err)
	}
}

func ids(records []timeline.Record) string {
	var all []string
	for _, rec := range records {
		all = append(all, strings.TrimPrefix(rec.ID, "call-"))
	}
	return strings.Join(all, " ")
}

func onFlash(t *testing.T, dir string) (total int64) {
	t.Helper()
	for _, name := range []string{currentName, previousName} {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil {
			total += info.Size()
		}
	}
	return total
}

func TestRecordsSurviveARestart(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "history")
	s := open(t, dir, Options{})
	for n := range 3 {
		add(t, s, n)
	}
	// The process is gone without a Close: what Append has written is there.
	again := open(t, dir, Options{})
	if got := ids(again.Records()); got != "0002 0001 0000" {
		t.Errorf("after a restart: %q, want the newest first", got)
	}
	rec, ok := again.Find("call-0001")
	if !ok || !reflect.DeepEqual(rec, call(1)) {
		t.Errorf("found %+v %v, want %+v", rec, ok, call(1))
	}
	if _, ok := again.Find("call-9999"); ok {
		t.Error("found a call that never was")
	}
}

func TestTheBudgetIsKept(t *testing.T) {
	const budget = 8 << 10
	dir := t.TempDir()
	s := open(t, dir, Options{Budget: budget, Records: 50})
	for n := range 200 {
		add(t, s, n)
		if size := onFlash(t, dir); size > budget {
			t.Fatalf("after %d calls %d bytes are on flash, budget %d", n+1, size, budget)
		}
	}
	if got := len(s.Records()); got != 50 {
		t.Errorf("%d records in memory, want 50", got)
	}
	kept := open(t, dir, Options{Budget: budget}).Records()
	// A file is full before it is set aside, so that at least half the budget is used.
	if size := onFlash(t, dir); size < budget/2 || kept[0].ID != "call-0199" {
		t.Errorf("%d bytes on flash, newest %s; want at least half of %d, and call-0199", size, kept[0].ID, budget)
	}
	for i, rec := range kept {
		if want := fmt.Sprintf("call-%04d", 199-i); rec.ID != want {
			t.Fatalf("record %d is %s, want %s: no gap over the two files", i, rec.ID, want)
		}
	}
}

func TestDamageIsSkippedAndCounted(t *testing.T) {
	good := func(n int) string {
		return fmt.Sprintf(`{"id":"call-%04d","began":"2026-11-22T18:00:00Z","marks":null}`, n)
	}
	tests := []struct {
		name, current, previous string
		want                    string
		skipped                 int
	}{
		{"torn last line", good(1) + "\n" + `{"id":"call-00`, "", "0001", 1},
		{"torn at the line's end", good(1), "", "0001", 0},
		{"a line of rubbish", good(1) + "\n\x00\xff\x00\n" + good(2) + "\n", "", "0002 0001", 1},
		{"zeros after a power cut", good(1) + "\n" + strings.Repeat("\x00", 900), "", "0001", 1},
		{"empty lines", "\n\n" + good(1) + "\n\n", "", "0001", 0},
		{"no id", `{"marks":[]}` + "\n" + good(2) + "\n", "", "0002", 1},
		{"wrong type", `{"id":7}` + "\n", good(1) + "\n", "0001", 1},
		{"both damaged", "x\n" + good(2) + "\n", good(1) + "\n{\n", "0002 0001", 2},
		{"the same call in both", good(1) + "\n", good(1) + "\n", "0001", 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			os.WriteFile(filepath.Join(dir, currentName), []byte(tt.current), 0o600)
			os.WriteFile(filepath.Join(dir, previousName), []byte(tt.previous), 0o600)
			s := open(t, dir, Options{})
			if got := ids(s.Records()); got != tt.want || s.Skipped() != tt.skipped {
				t.Errorf("read %q, %d skipped; want %q, %d", got, s.Skipped(), tt.want, tt.skipped)
			}
			add(t, s, 7)
			want := strings.TrimSpace("0007 " + tt.want)
			if got := ids(open(t, dir, Options{}).Records()); got != want {
				t.Errorf("with one more call read %q, want %q", got, want)
			}
		})
	}
}

func TestARecordTooLargeForTheFlashIsThinned(t *testing.T) {
	b := timeline.New("big", time.Unix(0, 0), 0)
	for i := range timeline.MaxMarks {
		b.Add(time.Duration(i), timeline.PictureWanted, 1, strings.Repeat("x", timeline.MaxDetail))
	}
	rec := b.Finish(time.Second, "talked", "")
	dir := t.TempDir()
	s := open(t, dir, Options{Budget: minBudget})
	if err := s.Append(rec); err != nil {
		t.Fatal(err)
	}
	if kept, _ := s.Find("big"); len(kept.Marks) != len(rec.Marks) {
		t.Errorf("%d marks in memory, want all %d", len(kept.Marks), len(rec.Marks))
	}
	thin, ok := open(t, dir, Options{Budget: minBudget}).Find("big")
	if !ok || thin.Marks[len(thin.Marks)-1].Name != timeline.Done ||
		len(thin.Marks)+thin.Dropped != len(rec.Marks)+rec.Dropped {
		t.Errorf("on flash %v with %d marks and %d dropped, want the end kept and the rest counted", ok, len(thin.Marks), thin.Dropped)
	}
}

func TestAppendAfterCloseKeepsTheRecordInMemory(t *testing.T) {
	s := open(t, t.TempDir(), Options{})
	s.Close()
	if err := s.Append(call(1)); !errors.Is(err, ErrClosed) || !strings.Contains(err.Error(), "call-0001") {
		t.Errorf("error %v, want one that names the call", err)
	}
	if got := ids(s.Records()); got != "0001" {
		t.Errorf("in memory %q, want the call", got)
	}
}

func TestManyWritersAndReaders(t *testing.T) {
	s := open(t, t.TempDir(), Options{Budget: minBudget})
	var all sync.WaitGroup
	for n := range 8 {
		all.Go(func() {
			if err := s.Append(call(n)); err != nil {
				t.Error(err)
			}
			s.Records()
		})
	}
	all.Wait()
	if got := len(s.Records()); got != 8 {
		t.Errorf("%d records, want 8", got)
	}
}

func TestOpenTellsWhatIsWrong(t *testing.T) {
	if _, err := Open(t.TempDir(), Options{Budget: 100}); err == nil || !strings.Contains(err.Error(), "4096") {
		t.Errorf("error %v, want one with the smallest budget", err)
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o600)
	if _, err := Open(file, Options{}); err == nil {
		t.Error("a file was taken for a folder")
	}
}

func TestState(t *testing.T) {
	path := filepath.Join(t.TempDir(), "data", "lockout.json")
	if data, err := LoadState(path); data != nil || err != nil {
		t.Errorf("before the first save: %q, %v; want nothing", data, err)
	}
	for _, want := range []string{"first, and longer", "second"} {
		if err := SaveState(path, []byte(want)); err != nil {
			t.Fatal(err)
		}
		if got, err := LoadState(path); string(got) != want || err != nil {
			t.Errorf("kept %q, %v; want %q", got, err, want)
		}
	}
	info, _ := os.Stat(path)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", info.Mode().Perm())
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
		t.Errorf("%d files in the folder, want the state alone", len(left))
	}
	if err := SaveState(path, make([]byte, MaxState+1)); err == nil {
		t.Error("a state beyond the limit was kept")
	}
	if got, _ := LoadState(path); string(got) != "second" {
		t.Errorf("a refused save left %q, want the old state", got)
	}
	os.WriteFile(path, make([]byte, MaxState+1), 0o600)
	if _, err := LoadState(path); err == nil {
		t.Error("a file beyond the limit was read")
	}
}
