package provisioning

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// keptAgain checks that a document survives being kept.
func keptAgain(t *testing.T, doc *Document) *Document {
	t.Helper()
	data, err := encodeKept(&kept{Document: doc})
	if err != nil {
		t.Fatal(err)
	}
	k, err := decodeKept(data, "kept", board())
	if err != nil {
		t.Fatalf("%v in\n%s", err, data)
	}
	again, err := encodeKept(k)
	if err != nil || !bytes.Equal(data, again) {
		t.Fatalf("%v: kept\n%s\ncame back as\n%s", err, data, again)
	}
	return k.Document
}

func TestKeptDocumentIsTheSame(t *testing.T) {
	doc := decode(t, example(t))
	again := keptAgain(t, doc)
	if again.Keypad.LongestCode != 5 || again.Doors[0].Codes[0].Sealed != testSeal("4711") || again.Account.Password != doc.Account.Password {
		t.Errorf("came back as %+v", again)
	}
}

func openAt(t testing.TB, dir string) *Store {
	t.Helper()
	s, err := OpenStore(dir, board(), testSeal, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// revision is a small good document.
func revision(name string) []byte {
	return []byte("revision: " + name + "\naccount: {user: a, domain: b, password: sip-secret}\n" +
		"doors: [{name: house, relay: door1, codes: [{name: all, digits: '4711'}]}]\n")
}

func offer(t testing.TB, s *Store, name string) *Snapshot {
	t.Helper()
	snap, err := s.Offer(revision(name), "server")
	if err != nil {
		t.Fatal(err)
	}
	return snap
}

// inForceIs checks what a store has in force: "A", "A trial" or "".
func inForceIs(t testing.TB, s *Store, want string) {
	t.Helper()
	if got := inForceOf(s); got != want {
		t.Errorf("in force is %q, want %q", got, want)
	}
}

// confirm and rollBack end the trial of whatever is in force.
func confirm(s *Store) { s.Confirm(hashInForce(s)) }

func rollBack(s *Store, why string) *Snapshot { return s.Rollback(hashInForce(s), why) }

func hashInForce(s *Store) string {
	if now := s.Current(); now != nil {
		return now.Hash
	}
	return ""
}

func inForceOf(s *Store) string {
	now := s.Current()
	switch {
	case now == nil:
		return ""
	case now.Trial:
		return now.Revision + " trial"
	}
	return now.Revision
}

func TestFirstDocument(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	s := openAt(t, dir)
	inForceIs(t, s, "")
	offer(t, s, "A")
	inForceIs(t, s, "A trial")
	confirm(s)
	inForceIs(t, s, "A")
	again := openAt(t, dir)
	inForceIs(t, again, "A")
	if got := again.Current().From; got != "last good" {
		t.Errorf("after a restart it is from %q", got)
	}
}

func TestModesAndSecretsOnDisk(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	offer(t, s, "B")
	rollBack(s, "no registration")
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("folder: %v %v", info.Mode(), err)
	}
	files, err := os.ReadDir(dir)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, f := range files {
		if info, _ := f.Info(); info.Mode().Perm() != 0o600 {
			t.Errorf("%s has mode %v", f.Name(), info.Mode())
		}
		raw, err := os.ReadFile(filepath.Join(dir, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`\b4711\b`).Match(raw) { // by chance they stand in the middle of a hash
			t.Errorf("%s holds the digits of a code", f.Name())
		}
	}
}

func TestSameDocumentChangesNothing(t *testing.T) {
	s := openAt(t, t.TempDir())
	first := offer(t, s, "A")
	changed := s.Changed()
	if offer(t, s, "A") != first {
		t.Error("the same document made another snapshot")
	}
	select {
	case <-changed:
		t.Error("the same document was announced as a change")
	default:
	}
}

func TestChangedTellsEveryChange(t *testing.T) {
	s := openAt(t, t.TempDir())
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"offer", func() { offer(t, s, "A") }},
		{"confirm", func() { confirm(s) }},
		{"second offer", func() { offer(t, s, "B") }},
		{"roll-back", func() { rollBack(s, "test") }},
	} {
		changed := s.Changed()
		step.do()
		select {
		case <-changed:
		default:
			t.Errorf("%s was not told", step.name)
		}
	}
}

func TestRefusedDocumentLeavesAll(t *testing.T) {
	s := openAt(t, t.TempDir())
	offer(t, s, "A")
	confirm(s)
	before := s.Current()
	_, err := s.Offer([]byte("revision: B\naccount: {user: a}\n"), "server")
	var refusal *RefusedError
	var faults Errors
	if !errors.As(err, &refusal) || !errors.As(err, &faults) || refusal.Staying != "A" {
		t.Fatalf("error is %v", err)
	}
	if !strings.HasSuffix(err.Error(), "account.domain: is required and missing or empty; staying on revision A") {
		t.Errorf("message is %q", err)
	}
	if s.Current() != before {
		t.Error("a refused document changed what is in force")
	}
	if st := s.State(); st.LastError != err.Error() || st.Revision != "A" {
		t.Errorf("state is %+v", st)
	}
	offer(t, s, "A")
	if st := s.State(); st.LastError != "" {
		t.Errorf("the error stays after the good document came again: %q", st.LastError)
	}
}

func TestRollback(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	offer(t, s, "B")
	if back := rollBack(s, "not registered within 2 minutes"); back.Revision != "A" || back.Trial || back.From != "last good" {
		t.Errorf("back on %+v", back)
	}
	if st := s.State(); st.RefusedRevision != "B" || !strings.Contains(st.LastError, "not registered within 2 minutes; back on revision A") {
		t.Errorf("state is %+v", st)
	}
	for range 2 { // before and after a restart
		if _, err := s.Offer(revision("B"), "server"); err == nil || !strings.Contains(err.Error(), "not tried again until it changes; staying on revision A") {
			t.Errorf("the refused document: %v", err)
		}
		inForceIs(t, s, "A")
		s = openAt(t, dir)
	}
	offer(t, s, "C")
	confirm(s)
	offer(t, s, "B") // the operator changed it and changed it back
	inForceIs(t, s, "B trial")
}

// The power goes after the refusal was kept and before the trial was removed.
func TestRollbackIsFinishedAfterAPowerCut(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	offer(t, s, "B")
	s.disk.before = func(step string) error {
		if step == "remove "+trialFile {
			return errPowerCut
		}
		return nil
	}
	rollBack(s, "test")
	inForceIs(t, openAt(t, dir), "A")
}

func TestRollbackWithoutAnother(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	if snap := rollBack(s, "not registered"); snap == nil || !snap.Trial || snap.Revision != "A" {
		t.Errorf("got %+v, want the trial", snap)
	}
	for range maxTrialRestarts + 2 {
		s = openAt(t, dir)
		inForceIs(t, s, "A trial")
	}
	confirm(s)
	inForceIs(t, s, "A")
}

func TestConfirmAndRollbackWithoutTrial(t *testing.T) {
	s := openAt(t, t.TempDir())
	confirm(s)
	if rollBack(s, "test") != nil {
		t.Error("a roll-back without documents gave one")
	}
	offer(t, s, "A")
	confirm(s)
	confirm(s)
	rollBack(s, "late")
	inForceIs(t, s, "A")
}

// A verdict on a document that another one has replaced in the meantime
// concerns neither.
func TestVerdictOnAnotherDocument(t *testing.T) {
	s := openAt(t, t.TempDir())
	offer(t, s, "A")
	confirm(s)
	late := offer(t, s, "B").Hash
	offer(t, s, "C")
	s.Confirm(late)
	inForceIs(t, s, "C trial")
	if now := s.Rollback(late, "late"); now.Revision != "C" {
		t.Errorf("a late roll-back brought %s", now.Revision)
	}
	inForceIs(t, s, "C trial")
	s.Confirm("")
	inForceIs(t, s, "C trial")
}

func TestTrialOverRestarts(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	offer(t, s, "B")
	for range maxTrialRestarts {
		s = openAt(t, dir)
		inForceIs(t, s, "B trial")
	}
	s = openAt(t, dir)
	inForceIs(t, s, "A")
	if _, err := s.Offer(revision("B"), "server"); err == nil {
		t.Error("a document that stopped the panel four times is tried again")
	}
}

func TestTrialReplacedAndWithdrawn(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	offer(t, s, "B")
	offer(t, s, "C")
	inForceIs(t, s, "C trial")
	offer(t, s, "A") // the operator goes back by himself
	inForceIs(t, s, "A")
	inForceIs(t, openAt(t, dir), "A")
	offer(t, s, "B") // was never refused
	inForceIs(t, s, "B trial")
}

// damage changes one byte in the middle of a kept file.
func damage(t *testing.T, path string) {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	raw[len(raw)/2] ^= 1
	if err := os.WriteFile(path, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestDamagedFiles(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	for _, name := range []string{"A", "B"} {
		offer(t, s, name)
		confirm(s)
	}
	offer(t, s, "C")
	damage(t, s.disk.path(trialFile))
	s = openAt(t, dir)
	inForceIs(t, s, "B")
	damage(t, s.disk.path(currentFile))
	s = openAt(t, dir)
	inForceIs(t, s, "A")
	if st := s.State(); !strings.Contains(st.LastError, "checksum") || !strings.Contains(st.LastError, currentFile) {
		t.Errorf("the damage is not reported: %q", st.LastError)
	}
	// A new document must not push the damaged one over the good one.
	offer(t, s, "D")
	confirm(s)
	damage(t, s.disk.path(currentFile))
	s = openAt(t, dir)
	inForceIs(t, s, "A")
	damage(t, s.disk.path(previousFile))
	s = openAt(t, dir)
	inForceIs(t, s, "")
	offer(t, s, "E")
	confirm(s)
	inForceIs(t, openAt(t, dir), "E")
}

func TestEmptyFilesAfterPowerCut(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	for _, name := range []string{trialFile, refusedFile, previousFile, trialFile + asideExt} {
		if err := os.WriteFile(s.disk.path(name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	s = openAt(t, dir)
	inForceIs(t, s, "A")
	offer(t, s, "B")
	confirm(s)
	inForceIs(t, openAt(t, dir), "B")
}

// A board file that allows less refuses what was kept under the old one.
func TestBoardBecameStricter(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	lim := board()
	delete(lim.Relays, "door1")
	s, err := OpenStore(dir, lim, testSeal, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inForceIs(t, s, "")
	if st := s.State(); !strings.Contains(st.LastError, "no such relay") {
		t.Errorf("the reason is %q", st.LastError)
	}
}

// A firmware that is older than the kept document passes over its new keys.
func TestKeptByNewerFirmware(t *testing.T) {
	k := &kept{Document: decode(t, string(revision("A")))}
	data, err := encodeKept(k)
	if err != nil {
		t.Fatal(err)
	}
	_, body, _ := strings.Cut(string(data), "\n")
	body = strings.Replace(body, "    panel:\n", "    colour: {red: 1}\n    panel:\n", 1)
	raw := "# sha256 " + hashOf([]byte(body)) + "\n" + body
	if _, err := decodeKept([]byte(raw), "kept", board()); err != nil || !strings.Contains(raw, "colour") {
		t.Errorf("%v in\n%s", err, raw)
	}
}

// With a new key the kept codes open nothing; the same document must be taken again.
func TestNewKeyOfThePanel(t *testing.T) {
	dir := t.TempDir()
	s := openAt(t, dir)
	offer(t, s, "A")
	confirm(s)
	other := sealWith("another key")
	s, err := OpenStore(dir, board(), other, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	inForceIs(t, s, "A")
	old := s.Current().Hash
	if st := s.State(); len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0], "key is new") {
		t.Errorf("warnings are %q", st.Warnings)
	}
	if got := offer(t, s, "A").Doors[0].Codes[0].Sealed; got != other("4711") {
		t.Error("the code is still sealed under the old key")
	}
	if got := s.Current().Hash; old == "" || got == old {
		t.Errorf("hash was %q and is %q; users tell snapshots apart by it", old, got)
	}
	if st := s.State(); len(st.Warnings) != 0 {
		t.Errorf("warnings stay: %q", st.Warnings)
	}
}

func TestDiskThatWritesNothing(t *testing.T) {
	s := openAt(t, t.TempDir())
	broken := errors.New("no space left on device")
	s.disk.before = func(string) error { return broken }
	offer(t, s, "A") // better than nothing
	if st := s.State(); st.Revision != "A" || len(st.Warnings) != 1 || !strings.Contains(st.Warnings[0], "no space left") {
		t.Errorf("state is %+v", st)
	}
	_, err := s.Offer(revision("B"), "server")
	if !errors.Is(err, broken) || !strings.Contains(err.Error(), "revision B cannot be kept") {
		t.Errorf("error is %v", err)
	}
	inForceIs(t, s, "A trial")
	s.disk.before = nil
	offer(t, s, "B")
	confirm(s)
	if st := s.State(); len(st.Warnings) != 0 {
		t.Errorf("warnings stay: %q", st.Warnings)
	}
}

func TestStoreNeedsASealAndAFolder(t *testing.T) {
	if _, err := OpenStore(t.TempDir(), board(), nil, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("opened without a seal")
	}
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStore(file, board(), testSeal, slog.New(slog.DiscardHandler)); err == nil {
		t.Error("opened a file as folder")
	}
}

var errPowerCut = errors.New("power cut")

// The power is cut ahead of every single step of each change. Whatever is left
// on the disk, the panel starts with the old or the new document, never with
// none and never with a third, and can take the next one.
func TestPowerCuts(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(s *Store)
		may  []string // in force after the restart
	}{
		{"offer", func(s *Store) { _, _ = s.Offer(revision("C"), "server") }, []string{"B", "C trial"}},
		{"confirm", func(s *Store) { _, _ = s.Offer(revision("C"), "server"); confirm(s) }, []string{"B", "C trial", "C"}},
		{"roll-back", func(s *Store) { _, _ = s.Offer(revision("C"), "server"); rollBack(s, "test") }, []string{"B", "C trial"}},
		{"replace", func(s *Store) { _, _ = s.Offer(revision("X"), "server"); _, _ = s.Offer(revision("C"), "server") }, []string{"B", "X trial", "C trial"}},
		{"withdraw", func(s *Store) { _, _ = s.Offer(revision("C"), "server"); _, _ = s.Offer(revision("B"), "server") }, []string{"B", "C trial"}},
		{"forgive", func(s *Store) {
			_, _ = s.Offer(revision("X"), "server")
			rollBack(s, "test")
			_, _ = s.Offer(revision("C"), "server")
			confirm(s)
		}, []string{"B", "X trial", "C trial", "C"}},
	} {
		seen := map[string]bool{}
		for cut := 0; ; cut++ {
			dir := t.TempDir()
			s := openAt(t, dir)
			for _, name := range []string{"A", "B"} {
				offer(t, s, name)
				confirm(s)
			}
			done := cutAt(s, cut)
			c.do(s)
			finished := !done()
			s = openAt(t, dir)
			got := inForceOf(s)
			seen[got] = true
			checkAfterCut(t, fmt.Sprintf("%s, cut at step %d", c.name, cut), got, c.may, s)
			if finished {
				break
			}
		}
		for _, want := range c.may {
			if !seen[want] {
				t.Errorf("%s: no cut led to %q; the test does not reach what it means to", c.name, want)
			}
		}
	}
}

// A file is synced before it gets its name, and its folder after it.
func TestStepsOfAWrite(t *testing.T) {
	s := openAt(t, t.TempDir())
	var steps []string
	s.disk.before = func(step string) error {
		steps = append(steps, step)
		return nil
	}
	if err := s.disk.write("x", []byte("text")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(steps, ", "); got != "create, write, sync, rename x, sync folder" {
		t.Errorf("the steps are %s", got)
	}
}

// cutAt fails step n and all after it; the returned function says whether it came to that.
func cutAt(s *Store, n int) func() bool {
	steps := 0
	s.disk.before = func(string) error {
		steps++
		if steps > n {
			return errPowerCut
		}
		return nil
	}
	return func() bool { return steps > n }
}

func checkAfterCut(t *testing.T, when, got string, may []string, s *Store) {
	t.Helper()
	ok := false
	for _, m := range may {
		ok = ok || m == got
	}
	if !ok {
		t.Errorf("%s: in force is %q, want one of %q", when, got, may)
	}
	if strings.HasSuffix(got, " trial") {
		if back := rollBack(s, "test"); back == nil || back.Revision != "B" {
			t.Errorf("%s: a roll-back of %s leads to %+v, want B", when, got, back)
		}
	}
	if _, err := s.Offer(revision("D"), "server"); err != nil {
		t.Errorf("%s: the next document: %v", when, err)
	}
	confirm(s)
	if inForceIs(t, openAt(t, s.disk.dir), "D"); t.Failed() {
		t.Log(when)
	}
}

// A kept document may name files that have gone; the panel starts all the same.
func TestKeptDocumentWithMissingFiles(t *testing.T) {
	dir := t.TempDir()
	ca := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(ca, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := openAt(t, dir)
	if _, err := s.Offer([]byte("revision: A\naccount: {user: a, domain: b, transport: tls, ca_file: "+ca+"}"), "file"); err != nil {
		t.Fatal(err)
	}
	confirm(s)
	if err := os.Remove(ca); err != nil {
		t.Fatal(err)
	}
	inForceIs(t, openAt(t, dir), "A")
}

func FuzzKept(f *testing.F) {
	data, err := encodeKept(&kept{Hash: "ab", From: "server", Document: decode(f, string(revision("A")))})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data[len("# sha256 ")+65:])
	f.Add([]byte("document: 7\n"))
	f.Add([]byte("restarts: x\n"))
	f.Fuzz(func(t *testing.T, body []byte) {
		raw := append([]byte("# sha256 "+hashOf(body)+"\n"), body...)
		if k, err := decodeKept(raw, "kept", board()); err == nil && k.Document == nil {
			t.Error("neither document nor error")
		}
	})
}
