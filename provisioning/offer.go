package provisioning

import (
	"fmt"
	"time"
)

// Offer checks a document as a whole and, only if all of it is good, keeps it
// as trial and puts it in force. from says where it came from: "server",
// "file", or a file's path, which then stands in messages.
//
// The document in force, offered again, changes nothing; the last good one,
// offered while another is on trial, ends that trial. The error is a
// *RefusedError, and the document that was in force stays.
func (s *Store) Offer(raw []byte, from string) (*Snapshot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	hash := hashOf(raw)
	if now := s.current.Load(); now != nil && now.Hash == hash {
		s.lastErr = ""
		return now, nil
	}
	if hash == s.refused.Hash {
		return nil, s.refuse(hash, fmt.Errorf("revision %s was tried on %s and refused (%s); it is not tried again until it changes",
			s.refused.Revision, s.refused.At.Format(time.DateTime), s.refused.Why))
	}
	if s.good != nil && s.good.Hash == hash {
		return s.endTrial(), nil
	}
	doc, err := Decode(raw, from, s.lim, s.seal)
	if err != nil {
		return nil, s.refuse(hash, err)
	}
	return s.try(&kept{Hash: hash, From: from, At: time.Now(), KeyCheck: s.seal(keyLabel), Document: doc})
}

// try keeps a good document as trial and puts it in force. What cannot be kept
// is refused, unless there is nothing else: a panel with broken flash still rings.
func (s *Store) try(k *kept) (*Snapshot, error) {
	err := s.save(trialFile, k)
	if err != nil && s.current.Load() != nil {
		return nil, s.refuse(k.Hash, fmt.Errorf("revision %s cannot be kept: %w", k.Document.Revision, err))
	}
	s.note("trial", err)
	delete(s.notes, "key")
	s.trial, s.lastErr = k, ""
	s.log.Info("configuration on trial", "revision", k.Document.Revision, "hash", short(k.Hash), "from", k.From)
	return s.inForce(k, k.From, true), nil
}

// Confirm makes the document with this hash the last good one: the panel has
// registered with it. It does nothing unless that document is the one on trial:
// another may have been offered since the panel put this one in force.
func (s *Store) Confirm(hash string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trial == nil || s.trial.Hash != hash {
		return
	}
	s.note("keep", s.promote())
	s.good, s.goodIn, s.trial = s.trial, currentFile, nil
	s.forgive()
	s.log.Info("configuration confirmed", "revision", s.good.Document.Revision, "hash", short(s.good.Hash))
	s.inForce(s.good, s.good.From, false)
}

// promote moves the files up by one generation. A power cut between the two
// renames leaves the previous one as last good, and the trial. A current file
// that could not be used is written over, and the previous one stays.
func (s *Store) promote() error {
	if s.goodIn == currentFile {
		if err := s.disk.rename(currentFile, previousFile); err != nil {
			return err
		}
	}
	if err := s.disk.rename(trialFile, currentFile); err != nil {
		return err
	}
	return s.disk.sync()
}

// Rollback ends the failed trial of the document with this hash: the last good
// document is in force again, and the refused one is not tried again until it
// changes. why is for people. It returns the document in force after it.
//
// Without a last good one there is nothing better than the trial: it stays, and
// is returned with Trial set. Rollback does nothing unless the document with
// this hash is the one on trial.
func (s *Store) Rollback(hash, why string) *Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.trial == nil || s.trial.Hash != hash {
		return s.current.Load()
	}
	if s.good == nil {
		s.lastErr = fmt.Sprintf("provisioning: revision %s: %s; staying on it, because there is no other", s.trial.Document.Revision, why)
		s.log.Warn("trial failed, staying on it because there is no other", "revision", s.trial.Document.Revision, "reason", why)
		return s.current.Load()
	}
	return s.rollback(why)
}

// rollback is Rollback with a trial and a last good one. The refusal is kept
// before the trial is removed, so that a power cut between cannot lose both.
func (s *Store) rollback(why string) *Snapshot {
	bad := s.trial
	s.refused = refused{Hash: bad.Hash, Revision: bad.Document.Revision, Why: why, At: time.Now()}
	data, err := encodeChecked(s.refused)
	if err == nil {
		err = s.disk.write(refusedFile, data)
	}
	s.note("refused", err)
	s.lastErr = fmt.Sprintf("provisioning: revision %s: %s; back on revision %s", bad.Document.Revision, why, s.good.Document.Revision)
	s.log.Warn("trial failed, back on the last good configuration",
		"revision", bad.Document.Revision, "reason", why, "back_on", s.good.Document.Revision)
	return s.endTrial()
}

// endTrial removes the trial and puts the last good document in force.
func (s *Store) endTrial() *Snapshot {
	err := s.disk.remove(trialFile)
	if err == nil {
		err = s.disk.sync()
	}
	s.note("trial", err)
	s.trial = nil
	return s.inForce(s.good, "last good", false)
}

// forgive forgets what was refused, once another document has proved itself.
func (s *Store) forgive() {
	if s.refused.Hash == "" {
		return
	}
	s.refused = refused{}
	s.note("refused", s.disk.remove(refusedFile))
}

// refuse notes a refusal and wraps it.
func (s *Store) refuse(hash string, err error) error {
	refusal := &RefusedError{Hash: hash, Staying: s.staying(), Err: err}
	s.lastErr = refusal.Error()
	return refusal
}

// note keeps or clears a lasting fault of the disk.
func (s *Store) note(subject string, err error) {
	delete(s.notes, subject)
	if err == nil {
		return
	}
	s.notes[subject] = "the configuration cannot be kept: " + err.Error() + "; a restart may bring back an older one"
	s.log.Error("the configuration cannot be kept; a restart may bring back an older one", "err", err)
}

// short is enough of a hash for people.
func short(hash string) string { return hash[:min(len(hash), 8)] }
