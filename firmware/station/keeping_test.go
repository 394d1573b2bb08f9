package station

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/callflow/keypad"
)

// keepingOptions are those of a panel with folders of its own.
func keepingOptions(t *testing.T) Options {
	dir := t.TempDir()
	return Options{Board: simBoard(t), Run: filepath.Join(dir, "run"), Data: filepath.Join(dir, "data"), Log: slog.New(slog.DiscardHandler)}
}

func openKept(t *testing.T, opt Options) *keeping {
	t.Helper()
	k, err := openKeeping(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { k.records.Close() })
	return k
}

// release gives up the lock on a folder, as the end of the daemon does.
func release(t *testing.T, dir string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, "lock")); err != nil {
		t.Fatal(err)
	}
}

func confirmed(t *testing.T, k *keeping, doc string) {
	t.Helper()
	snap, err := k.store.Offer([]byte(doc), "server")
	if err != nil {
		t.Fatal(err)
	}
	k.store.Confirm(snap.Hash)
}

// wrongCode types one, as a callee who has that many tries in an hour.
func wrongCode(k *keeping, tries int) keypad.Verdict {
	pad := keypad.New(keypad.Rules{Key: k.key, EndKey: '#', TriesPerHour: tries}, k.locked.state, "sip:101@pbx.example")
	pad.Key(time.Now(), '1')
	v := pad.Key(time.Now(), '#')
	k.locked.keep()
	return v
}

func TestDataAreKeptInTheirFolder(t *testing.T) {
	opt := keepingOptions(t)
	k := openKept(t, opt)
	if k.dir != opt.Data || k.trouble != "" {
		t.Errorf("kept in %s, trouble %q", k.dir, k.trouble)
	}
	confirmed(t, k, goodConfig)
	var used *InUseError
	if _, err := openKeeping(opt); !errors.As(err, &used) {
		t.Errorf("a second daemon: %v", err)
	}
	if entries, _ := filepath.Glob(filepath.Join(opt.Data, ".writable*")); len(entries) != 0 {
		t.Errorf("left behind: %v", entries)
	}
}

// What a damaged data folder still holds is in force, and what comes new is kept
// in memory, also over the daemon's own restart.
func TestDamagedDataFolder(t *testing.T) {
	opt := keepingOptions(t)
	first := openKept(t, opt)
	confirmed(t, first, goodConfig)
	release(t, opt.Data)
	first.records.Close()
	if err := os.RemoveAll(filepath.Join(opt.Data, recordsDir)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(opt.Data, recordsDir), nil, 0o600); err != nil {
		t.Fatal(err)
	}

	second := openKept(t, opt)
	if second.dir == opt.Data || !strings.Contains(second.trouble, opt.Data) {
		t.Errorf("kept in %s, trouble %q", second.dir, second.trouble)
	}
	if !bytes.Equal(second.key, first.key) {
		t.Error("the key of the codes is another one: the kept codes open nothing")
	}
	if now := second.store.Current(); now == nil || now.Revision != "1" {
		t.Fatalf("in force is %+v", now)
	}
	if v := wrongCode(second, 1); v.Kind != keypad.Wrong {
		t.Errorf("first try: %v", v.Kind)
	}
	confirmed(t, second, newConfig)
	release(t, opt.Data)
	release(t, second.dir)

	third := openKept(t, opt)
	if now := third.store.Current(); now == nil || now.Revision != "2" {
		t.Errorf("after a restart in force is %+v", now)
	}
	release(t, opt.Data)
	release(t, third.dir)

	// The folder is mended: its own content counts, but nobody gets tries back.
	if err := os.Remove(filepath.Join(opt.Data, recordsDir)); err != nil {
		t.Fatal(err)
	}
	fourth := openKept(t, opt)
	if now := fourth.store.Current(); fourth.dir != opt.Data || fourth.trouble != "" || now.Revision != "1" {
		t.Errorf("kept in %s, trouble %q, in force %s", fourth.dir, fourth.trouble, now.Revision)
	}
	if v := wrongCode(fourth, 1); v.Kind != keypad.Locked {
		t.Errorf("a try after the one allowed: %v", v.Kind)
	}
	if _, err := os.Stat(third.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("what was kept aside: %v", err)
	}
}

// A data folder that fails while the panel runs is told, until it takes something
// again.
func TestDataFolderFailsLater(t *testing.T) {
	opt := keepingOptions(t)
	k := openKept(t, opt)
	aside := opt.Data + ".away"
	if err := os.Rename(opt.Data, aside); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(opt.Data, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	wrongCode(k, 5)
	if told := k.faults.list(); len(told) != 1 || !strings.Contains(told[0], "wrong tries cannot be kept") {
		t.Errorf("told %q", told)
	}
	if err := os.Remove(opt.Data); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(aside, opt.Data); err != nil {
		t.Fatal(err)
	}
	wrongCode(k, 5)
	if told := k.faults.list(); len(told) != 0 {
		t.Errorf("told %q", told)
	}
}

// A panel whose data folder cannot even be made rings all the same.
func TestNoDataFolderAtAll(t *testing.T) {
	opt := keepingOptions(t)
	if err := os.WriteFile(opt.Data, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	k := openKept(t, opt)
	if k.trouble == "" || len(k.key) != keySize {
		t.Errorf("trouble %q, a key of %d bytes", k.trouble, len(k.key))
	}
	confirmed(t, k, goodConfig)
	info, err := os.Stat(k.dir)
	if err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder of what is kept in memory: %v, %v", info.Mode(), err)
	}
	opt.Run = opt.Data
	if _, err := openKeeping(opt); err == nil {
		t.Error("a panel without any folder starts")
	}
}

// The folder of what is kept in memory is none that a person would choose for the
// data, below the folder of the sockets.
func TestDataBelowTheSockets(t *testing.T) {
	opt := keepingOptions(t)
	opt.Data = filepath.Join(opt.Run, "data")
	confirmed(t, openKept(t, opt), goodConfig)
	release(t, opt.Data)
	if now := openKept(t, opt).store.Current(); now == nil || now.Revision != "1" {
		t.Errorf("after a restart in force is %+v", now)
	}
}
