package provisioning

import (
	"maps"
	"slices"
	"time"
)

// State is what status pages show. It holds no secret.
type State struct {
	Revision string    // in force; empty when there is none
	Hash     string    // SHA-256 of the document as it was offered, hex
	From     string    // "server", "file" or "last good"
	Trial    bool      // not yet confirmed by a registration
	At       time.Time // when the document in force was offered

	RefusedRevision string // what the last roll-back refused; empty when nothing
	LastError       string // why the last document was refused; empty when it was not

	LastFetch  time.Time // last attempt to fetch; zero: none yet
	LastResult string    // its outcome, for people
	FetchError string    // why the last attempt failed; empty when it did not
	NextFetch  time.Time // when the next attempt is due; zero: no fetcher runs

	Warnings []string // what is wrong for longer, such as plain HTTP
}

// fetchState is what the Fetcher reports.
type fetchState struct {
	at, next time.Time
	result   string
	err      string
}

// State returns a copy of the present state.
func (s *Store) State() State {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := State{
		RefusedRevision: s.refused.Revision,
		LastError:       s.lastErr,
		LastFetch:       s.fetch.at,
		LastResult:      s.fetch.result,
		FetchError:      s.fetch.err,
		NextFetch:       s.fetch.next,
	}
	for _, subject := range slices.Sorted(maps.Keys(s.notes)) {
		st.Warnings = append(st.Warnings, s.notes[subject])
	}
	if now := s.current.Load(); now != nil {
		st.Revision, st.Hash, st.From, st.Trial, st.At = now.Revision, now.Hash, now.From, now.Trial, now.At
	}
	return st
}

// fetched notes an attempt to fetch.
func (s *Store) fetched(at, next time.Time, result string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fetch = fetchState{at: at, next: next, result: result}
	if err != nil {
		s.fetch.err = err.Error()
	}
}

// warn notes something that is wrong for as long as the panel runs.
func (s *Store) warn(subject, text string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[subject] = text
}
