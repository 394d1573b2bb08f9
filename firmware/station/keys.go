package station

import (
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"path/filepath"
	"time"

	"doorstation/callflow/keypad"
	"doorstation/firmware/history"
)

// keySize is the length of the key of the codes, in bytes.
const keySize = 32

// codeKey reads the random key that the codes of this one panel are sealed
// under, and makes it at the first start. It never leaves the panel. A damaged
// one is replaced: the kept codes then open nothing until the configuration is
// fetched again, but the panel rings.
func codeKey(dir string, log *slog.Logger) ([]byte, error) {
	path := filepath.Join(dir, keyFile)
	key, err := history.LoadState(path)
	switch {
	case err != nil:
		return nil, err
	case len(key) == keySize:
		return key, nil
	case key != nil:
		log.Error("the key of the codes is damaged and made anew", "path", path, "bytes", len(key), "want", keySize)
	}
	key = make([]byte, keySize)
	if _, err := rand.Read(key); err != nil {
		return nil, err
	}
	return key, history.SaveState(path, key)
}

// sealer gives the function that turns digits into what is kept of them.
func sealer(key []byte) func(digits string) string {
	return func(digits string) string {
		mac := keypad.Seal(key, digits)
		return hex.EncodeToString(mac[:])
	}
}

// A lockout is the keypad's lock-out on the data partition.
type lockout struct {
	log   *slog.Logger
	path  string
	state *keypad.Lockout
	kept  func(error) // told of each try to keep it
}

// openLockout reads the lock-out. One that cannot be read is begun anew, since
// a panel that nobody can open is worse than ten more tries.
func openLockout(dir string, log *slog.Logger) *lockout {
	l := &lockout{log: log, path: filepath.Join(dir, lockoutFile), state: keypad.NewLockout(), kept: func(error) {}}
	raw, err := history.LoadState(l.path)
	if err == nil && raw != nil {
		err = l.state.Unmarshal(raw, time.Now())
	}
	if err != nil {
		log.Error("lock-out begins anew", "path", l.path, "err", err)
	}
	return l
}

// keep stores the lock-out if it has changed, before anyone hears the verdict:
// cutting the power gives no try back.
func (l *lockout) keep() {
	if !l.state.Dirty() {
		return
	}
	raw, err := l.state.Marshal()
	if err == nil {
		err = history.SaveState(l.path, raw)
	}
	l.kept(err)
	if err != nil {
		l.log.Error("lock-out not kept", "path", l.path, "err", err)
		return
	}
	l.state.Stored()
}
