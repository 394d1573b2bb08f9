package provisioning

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// maxTrialRestarts is how often a panel may restart while a document is on
// trial before it goes back to the last good one.
const maxTrialRestarts = 3

// A Snapshot is one document in force. It never changes and may be shared; its
// users must not write to the Document.
type Snapshot struct {
	*Document
	Hash  string    // SHA-256 of the document as it was offered, hex
	From  string    // "server", "file" or "last good"
	Trial bool      // not yet confirmed by a registration
	At    time.Time // when it was offered
}

// A Store holds the document in force and keeps it through power cuts: the
// last good one and the one before it, and one on trial. Its methods may be
// called from any goroutine.
type Store struct {
	disk *disk
	lim  Limits
	seal Seal
	log  *slog.Logger

	current atomic.Pointer[Snapshot]

	mu      sync.Mutex // guards what follows, and the disk
	good    *kept      // last good; nil when there is none
	goodIn  string     // the file that holds it
	trial   *kept      // nil when none is on trial
	refused refused
	changed chan struct{}
	fetch   fetchState
	lastErr string
	notes   map[string]string // what is wrong for longer, by subject
}

// OpenStore reads what is kept in dir (made with mode 0700 if missing). A
// damaged file is reported and the one before it used; no file at all leaves
// Current nil. A document that was on trial when the panel stopped is on trial
// again, at most three times. The error is of the folder itself.
func OpenStore(dir string, lim Limits, seal Seal, log *slog.Logger) (*Store, error) {
	if seal == nil {
		return nil, errors.New("provisioning: a store needs a seal for its codes")
	}
	d, err := openDisk(dir)
	if err != nil {
		return nil, fmt.Errorf("provisioning: folder of the kept configuration: %w", err)
	}
	s := newStore(d, lim, seal, log)
	s.open()
	return s, nil
}

func newStore(d *disk, lim Limits, seal Seal, log *slog.Logger) *Store {
	return &Store{disk: d, lim: lim, seal: seal, log: log, changed: make(chan struct{}), notes: map[string]string{}}
}

// open puts in force what is kept.
func (s *Store) open() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refused = s.loadRefused()
	s.good, s.goodIn = s.loadFirst(currentFile, previousFile)
	s.trial, _ = s.loadFirst(trialFile)
	if s.trial == nil {
		s.inForce(s.good, "last good", false)
		return
	}
	if s.trial.Hash == s.refused.Hash && s.good != nil { // the power went while it was rolled back
		s.endTrial()
		return
	}
	s.trial.Restarts++
	if s.trial.Restarts > maxTrialRestarts && s.good != nil {
		s.rollback(fmt.Sprintf("the panel restarted %d times while it was on trial", s.trial.Restarts))
		return
	}
	s.note("trial", s.save(trialFile, s.trial))
	s.inForce(s.trial, s.trial.From, true)
}

// loadFirst returns the first of the files that can be used, and its name.
func (s *Store) loadFirst(names ...string) (*kept, string) {
	for _, name := range names {
		k, err := s.load(name)
		if err != nil {
			s.lastErr = strings.TrimPrefix(fmt.Sprintf("%s; kept configuration: %v; using the one before it", s.lastErr, err), "; ")
			s.log.Error("kept configuration cannot be used, trying the one before it", "file", name, "err", err)
			continue
		}
		if k != nil {
			s.checkKey(k)
			return k, name
		}
	}
	return nil, ""
}

// checkKey gives a document whose codes were sealed under another key a hash
// that no offer has, so that the same document is taken again and sealed anew.
func (s *Store) checkKey(k *kept) {
	if k.KeyCheck == s.seal(keyLabel) {
		return
	}
	k.Hash = hashOf([]byte("sealed under another key " + k.Hash))
	s.notes["key"] = "the panel's key is new: the kept codes open nothing until the configuration is fetched again"
	s.log.Error("kept codes were sealed under another key and open nothing until the configuration is fetched again", "revision", k.Document.Revision)
}

// Current is the document in force; nil when there is none.
func (s *Store) Current() *Snapshot { return s.current.Load() }

// Changed is closed when another document, or the same one with another Trial,
// is in force. Take it first, then read Current, then wait; for the next
// change take it again:
//
//	for {
//		changed := store.Changed()
//		apply(store.Current())
//		<-changed
//	}
func (s *Store) Changed() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.changed
}

// inForce publishes k, which may be nil. The caller holds mu.
func (s *Store) inForce(k *kept, from string, trial bool) *Snapshot {
	var next *Snapshot
	if k != nil {
		next = &Snapshot{Document: k.Document, Hash: k.Hash, From: from, Trial: trial, At: k.At}
	}
	s.current.Store(next)
	close(s.changed)
	s.changed = make(chan struct{})
	return next
}

// staying is the revision in force, or empty.
func (s *Store) staying() string {
	if now := s.current.Load(); now != nil {
		return now.Revision
	}
	return ""
}
