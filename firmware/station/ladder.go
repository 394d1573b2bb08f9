package station

import (
	"encoding/json"
	"log/slog"
	"path/filepath"
	"time"

	"doorstation/firmware/control"
	"doorstation/firmware/history"
)

// What the panel has learnt of phones outlives a restart, but not for ever: a
// phone may be replaced by another.
const (
	ladderFile = "phones.json"
	ladderFor  = 30 * 24 * time.Hour
	ladderMost = 1000 // phones
)

// A phone that has taken nothing in so many calls takes nothing. Shorter ringing
// than ladderRing counts in no way: it had no time to.
const (
	ladderBlind = 3
	ladderRing  = 3 * time.Second
)

// A ladder remembers, by target, how a phone shows the visitor while it rings:
// the best that it has taken, and whether it fails over a picture. It belongs to
// the owner's goroutine.
type ladder struct {
	log   *slog.Logger
	path  string
	known map[string]phone // never changed, but replaced: others may read it
	dirty bool             // known has what the file has not
}

// openLadder reads what was learnt. What cannot be read is learnt again.
func openLadder(dir string, log *slog.Logger) *ladder {
	l := &ladder{log: log, path: filepath.Join(dir, ladderFile)}
	raw, err := history.LoadState(l.path)
	if err == nil && raw != nil {
		l.known, err = readPhones(raw)
	}
	if err != nil {
		log.Warn("what the phones take is learnt anew", "path", l.path, "err", err)
	}
	return l
}

// keep stores what has been learnt since the last time. The flash is slow: it is
// not called while a phone rings.
func (l *ladder) keep() {
	if !l.dirty {
		return
	}
	raw, err := json.Marshal(l.known)
	if err == nil {
		err = history.SaveState(l.path, raw)
	}
	if err != nil {
		l.log.Error("what a phone takes is not kept", "path", l.path, "err", err)
		return
	}
	l.dirty = false
}

// soundOnly reports whether a target is rung without a picture.
func (l *ladder) soundOnly(target string, now time.Time) bool {
	return !l.known[target].at(now).Sound.IsZero()
}

// asks reports whether a target may be told where a picture of the visitor lies:
// whoever sees more, and whoever was told often and never came for it, is not.
func (l *ladder) asks(target string, now time.Time) bool {
	p := l.known[target].at(now)
	return p.Takes == rungStill || p.Takes == rungUnknown && p.Told < ladderBlind
}

// failed notes that a target rang with sound alone, after it had failed with a
// picture. It reports whether that is new.
func (l *ladder) failed(target string, now time.Time) bool {
	p := l.known[target].at(now)
	if !p.Sound.IsZero() {
		return false
	}
	if p.Takes > rungStill { // it was another phone that took pictures
		p = phone{}
	}
	p.Sound = now
	l.learn(target, p, now)
	l.log.Info("phone is rung with sound alone from now on", "target", target, "for", ladderFor)
	return true
}

// takes notes what a target has taken before it was answered. It reports whether
// that is better than what was known.
func (l *ladder) takes(target string, r rung, now time.Time) bool {
	p := l.known[target].at(now)
	if p.Takes >= r {
		return false
	}
	l.learn(target, phone{Takes: r, Since: now, Sound: p.Sound}, now)
	l.log.Info("phone shows the visitor while it rings", "target", target, "takes", control.PreviewWords(r.String()), "for", ladderFor)
	return true
}

// blind notes a call in which a target rang and took nothing; told: it knew where
// a picture lies. It reports whether the target counts as one that takes nothing
// from now on.
func (l *ladder) blind(target string, told bool, now time.Time) bool {
	p := l.known[target].at(now)
	if p.Takes != rungUnknown || p.Told >= ladderBlind || !told && p.Blind >= ladderBlind {
		return false // nothing new
	}
	was := p.sees()
	p.Since, p.Blind = now, min(p.Blind+1, ladderBlind)
	if told {
		p.Told++
	}
	l.learn(target, p, now)
	if p.sees() == was {
		return false
	}
	l.log.Info("phone shows no visitor while it rings", "target", target, "calls", ladderBlind, "for", ladderFor)
	return true
}

// learn puts p in force, and forgets what is too old, or the oldest of too many.
func (l *ladder) learn(target string, p phone, now time.Time) {
	next := make(map[string]phone, len(l.known)+1)
	for name, p := range l.known {
		if p = p.at(now); p != (phone{}) {
			next[name] = p
		}
	}
	next[target] = p
	for len(next) > ladderMost {
		forget := target
		for name, p := range next {
			if name != target && (forget == target || p.latest().Before(next[forget].latest())) {
				forget = name
			}
		}
		delete(next, forget)
	}
	l.known, l.dirty = next, true
}

// phonesShown lists what the phones of the flats have shown to take, in the order of
// the flats.
func (s *setup) phonesShown(known map[string]phone, now time.Time) []control.Phone {
	var all []control.Phone
	for _, target := range s.phones() {
		p := known[target].at(now)
		shown := control.Phone{Target: target, Takes: p.sees(), Sound: p.Sound}
		if shown.Takes != "" {
			shown.Since = p.Since
		}
		if shown.Takes != "" || !shown.Sound.IsZero() {
			all = append(all, shown)
		}
	}
	return all
}
