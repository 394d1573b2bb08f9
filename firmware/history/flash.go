package history

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"doorstation/callflow/timeline"
)

// perFile is what one of the two files may hold.
func (s *Store) perFile() int64 { return s.opt.Budget / 2 }

// load takes the records of one file. A file that is not there holds none; one
// that is longer than its share, which no store has written, is read up to it.
func (s *Store) load(name string) error {
	file, err := os.Open(s.path(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	defer file.Close()
	raw, err := io.ReadAll(io.LimitReader(file, s.perFile()))
	if err != nil {
		return fmt.Errorf("history: %s: %w", name, err)
	}
	for line := range bytes.Lines(raw) {
		s.loadLine(bytes.TrimSpace(line))
	}
	return nil
}

func (s *Store) loadLine(line []byte) {
	if len(line) == 0 {
		return
	}
	var rec timeline.Record
	if err := json.Unmarshal(line, &rec); err != nil || rec.ID == "" || len(rec.Marks) > timeline.MaxMarks {
		s.skipped++
		return
	}
	s.remember(rec)
}

// openCurrent opens the current file for appending. After a torn line it
// begins a new one, so that the next record is not lost with it.
func (s *Store) openCurrent() error {
	file, err := os.OpenFile(s.path(currentName), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("history: %w", err)
	}
	info, err := file.Stat()
	if err == nil {
		s.file, s.size = file, info.Size()
		err = s.mend()
	}
	if err != nil {
		file.Close()
		s.file = nil
		return fmt.Errorf("history: %w", err)
	}
	return syncDir(s.dir)
}

func (s *Store) mend() error {
	if s.size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := s.file.ReadAt(last[:], s.size-1); err != nil {
		return err
	}
	if last[0] == '\n' {
		return nil
	}
	n, err := s.file.WriteString("\n")
	s.size += int64(n)
	return err
}

// encode gives rec as one line that fits into a file. Of a record too large
// for that, the later half of the marks but the last goes, as often as needed.
func (s *Store) encode(rec timeline.Record) ([]byte, error) {
	for {
		line, err := json.Marshal(rec)
		if err != nil {
			return nil, err
		}
		line = append(line, '\n')
		if int64(len(line)) <= s.perFile() {
			return line, nil
		}
		n := len(rec.Marks)
		if n < 2 {
			return nil, fmt.Errorf("it needs %d bytes on flash, and the budget leaves %d", len(line), s.perFile())
		}
		kept := append([]timeline.Mark(nil), rec.Marks[:n/2]...)
		if n > 2 {
			kept = append(kept[:n/2-1], rec.Marks[n-1])
		}
		rec.Dropped += n - len(kept)
		rec.Marks = kept
	}
}

func (s *Store) write(line []byte) error {
	if s.file == nil {
		return ErrClosed
	}
	if s.size+int64(len(line)) > s.perFile() {
		if err := s.rotate(); err != nil {
			return err
		}
	}
	n, err := s.file.Write(line)
	s.size += int64(n)
	if err != nil {
		return errors.Join(err, s.mend()) // a full disk tears a line, too
	}
	return s.file.Sync()
}

// rotate lets the full file take the place of the one before.
func (s *Store) rotate() error {
	if err := os.Rename(s.path(currentName), s.path(previousName)); err != nil {
		return err
	}
	old := s.file
	if err := s.openCurrent(); err != nil {
		return errors.Join(err, old.Close())
	}
	return old.Close()
}

// syncDir makes a name in dir survive a power cut.
func syncDir(dir string) error {
	d, err := os.Open(filepath.Clean(dir))
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
