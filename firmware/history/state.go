package history

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/google/renameio/v2"
)

// MaxState is the largest state that SaveState keeps and LoadState reads.
const MaxState = 1 << 20

// SaveState replaces the file at path by data, at once or not at all, also
// through a power cut: written aside, synced, renamed, its folder synced. The
// file is the owner's alone.
func SaveState(path string, data []byte) error {
	if len(data) > MaxState {
		return fmt.Errorf("history: %s not stored: %d bytes, at most %d are kept", path, len(data), MaxState)
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("history: %s not stored: %w", path, err)
	}
	// The file aside lies in the same folder: another one may be another file
	// system, where a rename is no replacement.
	if err := renameio.WriteFile(path, data, 0o600, renameio.WithTempDir(dir), renameio.IgnoreUmask()); err != nil {
		return fmt.Errorf("history: %s not stored: %w", path, err)
	}
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("history: %s stored, its folder not synced: %w", path, err)
	}
	return nil
}

// LoadState gives what SaveState kept, or nil without an error if there is
// nothing yet.
func LoadState(path string) ([]byte, error) {
	file, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("history: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, MaxState+1))
	if err != nil {
		return nil, fmt.Errorf("history: %s not read: %w", path, err)
	}
	if len(data) > MaxState {
		return nil, fmt.Errorf("history: %s not read: more than %d bytes", path, MaxState)
	}
	return data, nil
}
