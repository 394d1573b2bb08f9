package station

import (
	"encoding/json"
	"log/slog"
	"maps"
	"path/filepath"
	"time"

	"doorstation/firmware/history"
)

// What the panel has learnt of phones outlives a restart, but not for ever: a
// phone may be replaced by one that shows the door.
const (
	ladderFile = "phones.json"
	ladderFor  = 30 * 24 * time.Hour
	ladderMost = 1000 // phones
)

// A ladder remembers how much each phone takes while it rings: whoever failed
// over a picture, and rang without it, is rung without it the next time. It
// belongs to the owner's goroutine.
type ladder struct {
	log    *slog.Logger
	path   string
	phones map[string]time.Time // since when a target is rung with sound alone
}

// openLadder reads what was learnt. What cannot be read is learnt again.
func openLadder(dir string, log *slog.Logger) *ladder {
	l := &ladder{log: log, path: filepath.Join(dir, ladderFile), phones: make(map[string]time.Time)}
	raw, err := history.LoadState(l.path)
	if err == nil && raw != nil {
		err = json.Unmarshal(raw, &l.phones)
	}
	if err != nil || l.phones == nil {
		log.Warn("what the phones take is learnt anew", "path", l.path, "err", err)
		l.phones = make(map[string]time.Time)
	}
	return l
}

// soundOnly reports whether a target is rung without a picture. A clock that was
// set back makes nothing older.
func (l *ladder) soundOnly(target string, now time.Time) bool {
	since, known := l.phones[target]
	return known && now.Before(since.Add(ladderFor))
}

// learn notes that a target rang with sound alone, after it had failed with a
// picture.
func (l *ladder) learn(target string, now time.Time) {
	if l.soundOnly(target, now) {
		return
	}
	maps.DeleteFunc(l.phones, func(_ string, since time.Time) bool { return !now.Before(since.Add(ladderFor)) })
	if len(l.phones) >= ladderMost {
		clear(l.phones)
	}
	l.phones[target] = now
	l.log.Info("phone is rung with sound alone from now on", "target", target, "for", ladderFor)
	raw, err := json.Marshal(l.phones)
	if err == nil {
		err = history.SaveState(l.path, raw)
	}
	if err != nil {
		l.log.Error("what a phone takes is not kept", "path", l.path, "err", err)
	}
}
