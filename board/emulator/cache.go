package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// cacheDir is where downloads and what is made of them are kept.
func cacheDir() (string, error) {
	base, err := os.UserCacheDir()
	if err != nil {
		return "", fmt.Errorf("emulator: no folder for downloads: %w", err)
	}
	dir := filepath.Join(base, "doorstation", "emulator")
	return dir, os.MkdirAll(dir, 0o755)
}

// cached returns the path of an entry of the cache, and makes it when it is not
// there: fill writes to a path aside, which becomes the entry when fill is done.
// Processes that want the same entry at once make it once.
func cached(name string, fill func(aside string) error) (string, error) {
	dir, err := cacheDir()
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, name)
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	lock, err := os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	defer lock.Close() // ends the lock
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX); err != nil {
		return "", fmt.Errorf("emulator: lock %s: %w", lock.Name(), err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	aside := path + ".aside"
	if err := os.RemoveAll(aside); err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	if err := fill(aside); err != nil {
		os.RemoveAll(aside)
		return "", err
	}
	if err := os.Rename(aside, path); err != nil {
		return "", fmt.Errorf("emulator: %w", err)
	}
	return path, nil
}

// keyOf shortens what an entry is made from to a part of its name.
func keyOf(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:16]
}
