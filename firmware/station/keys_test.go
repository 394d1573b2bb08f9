package station

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"testing"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/keypad"
)

func TestCodeKey(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	path := filepath.Join(dir, "codes.key")
	key, err := codeKey(dir, log)
	if err != nil || len(key) != keySize {
		t.Fatalf("the first key has %d bytes, %v", len(key), err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("its file: %v, %v; want mode 600", info.Mode(), err)
	}
	if again, err := codeKey(dir, log); err != nil || !bytes.Equal(again, key) {
		t.Errorf("the key has changed, %v", err)
	}
	for _, size := range []int{0, keySize - 1, keySize + 1} {
		if err := os.WriteFile(path, make([]byte, size), 0o600); err != nil {
			t.Fatal(err)
		}
		next, err := codeKey(dir, log)
		if err != nil || len(next) != keySize || bytes.Equal(next, key) {
			t.Errorf("in place of one of %d bytes: %d bytes, %v", size, len(next), err)
		}
		if again, _ := codeKey(dir, log); !bytes.Equal(again, next) {
			t.Errorf("in place of one of %d bytes: not kept", size)
		}
	}
}

// A restart gives nobody his tries back.
func TestLockoutSurvivesARestart(t *testing.T) {
	dir, log := t.TempDir(), slog.New(slog.DiscardHandler)
	wrong := func() keypad.Verdict {
		locked := openLockout(dir, log)
		pad := keypad.New(keypad.Rules{Key: []byte("k"), EndKey: '#', TriesPerHour: 2}, locked.state, "sip:101@pbx.example")
		pad.Key(time.Now(), '1')
		v := pad.Key(time.Now(), '#')
		locked.keep()
		return v
	}
	for _, want := range []keypad.Kind{keypad.Wrong, keypad.Wrong, keypad.Locked} {
		if v := wrong(); v.Kind != want {
			t.Errorf("%v (%s), want %v", v.Kind, v.Reason, want)
		}
	}
}

// The try is on the flash before anyone hears that the code was wrong.
func TestWrongCodeIsKeptAtOnce(t *testing.T) {
	o, dir := bareOwner(), t.TempDir()
	o.locked = openLockout(dir, o.log)
	o.pads = map[callflow.LegID]*keypad.Pad{1: keypad.New(keypad.Rules{Key: []byte("k"), EndKey: '#', TriesPerHour: 1}, o.locked.state, "sip:101@pbx.example")}
	o.key(callflow.Key{Leg: 1, Key: '1'})
	o.key(callflow.Key{Leg: 1, Key: '#'})
	if kept := openLockout(dir, o.log); kept.state.Blocked(time.Now(), "sip:101@pbx.example") == 0 {
		t.Error("after a power cut the callee would have his try back")
	}
}

// A lock-out that cannot be read does not keep the panel from starting.
func TestDamagedLockout(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "lockout.json"), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if l := openLockout(dir, slog.New(slog.DiscardHandler)); l.state.Blocked(time.Now(), "x") != 0 {
		t.Error("somebody is blocked")
	}
}
