// Package history keeps the records of the last calls in memory and on flash.
//
// Records lie as JSON lines in two files inside one folder: the one that is
// written, and the one before. When the written one is full it takes the other
// one's place, so that the two never exceed the budget. Each record is one
// append and one fsync. A line that was torn by a power cut, or that is
// damaged, is skipped and counted; it never keeps the others from being read.
//
// SaveState and LoadState keep small states such as the keypad's lock-out.
package history

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"doorstation/callflow/timeline"
)

// Options bound a Store.
type Options struct {
	Records int   // in memory; 0: DefaultRecords
	Budget  int64 // bytes on flash, both files together; 0: DefaultBudget
}

// The defaults that a zero in Options stands for.
const (
	DefaultRecords = 200
	DefaultBudget  = 256 << 10
)

// minBudget leaves each file room for a record with a few marks.
const minBudget = 4 << 10

// The files of a Store, in its folder.
const (
	currentName  = "calls.jsonl"
	previousName = "calls.1.jsonl"
)

// ErrClosed means that the store was closed, or that its file was lost and
// could not be opened again.
var ErrClosed = errors.New("the history's file is closed")

// A Store keeps records. It may be used from several goroutines.
type Store struct {
	dir string
	opt Options

	mu      sync.Mutex
	records []timeline.Record // oldest first
	skipped int
	file    *os.File // the current file, open for appending; nil when closed
	size    int64    // its length in bytes
}

// Open reads what dir holds and makes it ready for writing. dir is created if
// it is missing.
func Open(dir string, opt Options) (*Store, error) {
	if opt.Records <= 0 {
		opt.Records = DefaultRecords
	}
	if opt.Budget <= 0 {
		opt.Budget = DefaultBudget
	}
	if opt.Budget < minBudget {
		return nil, fmt.Errorf("history: a budget of %d bytes, at least %d are needed", opt.Budget, minBudget)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	s := &Store{dir: dir, opt: opt}
	for _, name := range []string{previousName, currentName} {
		if err := s.load(name); err != nil {
			return nil, err
		}
	}
	if err := s.openCurrent(); err != nil {
		return nil, err
	}
	return s, nil
}

// Append keeps rec in memory, and then on flash. An error concerns the flash
// alone: the record is in memory all the same. rec's marks belong to the store
// from here on.
func (s *Store) Append(rec timeline.Record) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.remember(rec)
	line, err := s.encode(rec)
	if err == nil {
		err = s.write(line)
	}
	if err != nil {
		return fmt.Errorf("history: call %s is kept in memory only: %w", rec.ID, err)
	}
	return nil
}

// remember puts rec in memory, in place of an older one of the same id.
func (s *Store) remember(rec timeline.Record) {
	s.records = slices.DeleteFunc(s.records, func(old timeline.Record) bool { return old.ID == rec.ID })
	s.records = append(s.records, rec)
	if extra := len(s.records) - s.opt.Records; extra > 0 {
		s.records = slices.Delete(s.records, 0, extra)
	}
}

// Records gives the records, newest first. Their marks are shared and not to
// be changed.
func (s *Store) Records() []timeline.Record {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := slices.Clone(s.records)
	slices.Reverse(all)
	return all
}

// Find gives the record with this id.
func (s *Store) Find(id string) (timeline.Record, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, rec := range s.records {
		if rec.ID == id {
			return rec, true
		}
	}
	return timeline.Record{}, false
}

// Skipped counts the lines that could not be read when the store was opened.
func (s *Store) Skipped() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.skipped
}

// Close gives the file back. Records stay readable, and Append fails from here
// on.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file == nil {
		return nil
	}
	file := s.file
	s.file = nil
	if err := file.Close(); err != nil {
		return fmt.Errorf("history: %w", err)
	}
	return nil
}

func (s *Store) path(name string) string { return filepath.Join(s.dir, name) }
