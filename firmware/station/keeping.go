package station

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"doorstation/firmware/history"
	"doorstation/provisioning"
)

// What a panel keeps, below its data folder.
const (
	keyFile     = "codes.key"
	lockoutFile = "lockout.json"
	clockFile   = "clock"
	recordsDir  = "records"
	configDir   = "config"
)

// keptFiles are the patterns of all of it.
var keptFiles = []string{keyFile, lockoutFile, clockFile, ladderFile, recordsDir + "/*.jsonl", configDir + "/*.yaml"}

// asideDir is where the data lie while their folder cannot be used, below the
// folder of the sockets, which a panel has in memory.
const asideDir = "data-in-memory"

// A keeping is what outlives a restart of the panel.
type keeping struct {
	dir     string
	trouble string // why it is not the data folder, for people; empty: it is
	key     []byte // of the codes
	locked  *lockout
	records *history.Store
	store   *provisioning.Store
	faults  faults // of what could not be kept lately
}

// faults are the last failures, by what could not be kept.
type faults struct {
	mu  sync.Mutex
	err map[string]error
}

// of gives the function that is told how keeping something went.
func (f *faults) of(what string) func(error) {
	return func(err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if f.err == nil {
			f.err = make(map[string]error)
		}
		if delete(f.err, what); err != nil {
			f.err[what] = err
		}
	}
}

// list tells all of them, for people.
func (f *faults) list() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	var all []string
	for _, what := range slices.Sorted(maps.Keys(f.err)) {
		all = append(all, fmt.Sprintf("%s cannot be kept and would be lost with the power: %v", what, f.err[what]))
	}
	return all
}

// openKeeping reads the panel's data. A data folder that is read-only, full or
// broken keeps no panel from starting: what can be read of it is copied into
// memory, and kept there. A second daemon on the same data is refused with an
// *InUseError.
func openKeeping(opt Options) (*keeping, error) {
	aside := filepath.Join(opt.Run, asideDir)
	k, err := readKeeping(opt, opt.Data, nothing)
	var used *InUseError
	switch {
	case errors.As(err, &used):
		return nil, err
	case err == nil:
		if err := bringBack(aside, opt.Data); err != nil {
			opt.Log.Error("what was kept in memory is lost", "path", aside, "err", err)
		}
	default:
		opt.Log.Error("data folder cannot be used, keeping all in memory", "path", opt.Data, "err", err)
		if k, err = readAside(opt, aside, err); err != nil {
			return nil, err
		}
	}
	k.locked = openLockout(k.dir, opt.Log)
	k.locked.kept = k.faults.of("wrong tries")
	return k, nil
}

// readAside copies the data folder, which cannot be used because of why, and reads
// the copy.
func readAside(opt Options, aside string, why error) (*keeping, error) {
	k, err := readKeeping(opt, aside, func() error { return rescue(opt.Data, aside, opt.Log) })
	if err != nil {
		return nil, errors.Join(why, err)
	}
	k.trouble = fmt.Sprintf("the data folder %s cannot be used (%v): configuration, records and wrong tries are kept in memory and lost with the power", opt.Data, why)
	return k, nil
}

func nothing() error { return nil }

// readKeeping makes this process the only daemon on dir, prepares the folder, and
// reads what it holds, but for the lock-out.
func readKeeping(opt Options, dir string, prepare func() error) (*keeping, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	if err := lockData(dir); err != nil {
		return nil, err
	}
	if err := writable(dir); err != nil {
		return nil, err
	}
	if err := prepare(); err != nil {
		return nil, err
	}
	k := &keeping{dir: dir}
	var err error
	if k.key, err = codeKey(dir, opt.Log); err != nil {
		return nil, err
	}
	if k.records, err = history.Open(filepath.Join(dir, recordsDir), history.Options{}); err != nil {
		return nil, err
	}
	k.store, err = provisioning.OpenStore(filepath.Join(dir, configDir), limits(opt.Board), sealer(k.key), opt.Log)
	if err != nil {
		return nil, errors.Join(err, k.records.Close())
	}
	return k, nil
}

// writable tries whether dir takes a file. Nothing is synced: it costs the flash
// nothing.
func writable(dir string) error {
	file, err := os.CreateTemp(dir, ".writable*")
	if err == nil {
		_, err = file.Write(make([]byte, os.Getpagesize()))
		err = errors.Join(err, file.Close(), os.Remove(file.Name()))
	}
	var at *fs.PathError
	if errors.As(err, &at) { // the name of the file tells a person nothing
		return fmt.Errorf("it does not take a file: %w", at.Err)
	}
	return err
}

// rescue copies what can be read of a data folder. What is aside already is
// newer: the daemon has only been started again.
func rescue(from, aside string, log *slog.Logger) error {
	for _, name := range kept(from) {
		to := filepath.Join(aside, name)
		if _, err := os.Lstat(to); err == nil {
			continue
		}
		raw, err := history.LoadState(filepath.Join(from, name))
		if err != nil {
			log.Error("data cannot be read", "err", err)
			continue
		}
		if err := history.SaveState(to, raw); err != nil {
			return err
		}
	}
	return nil
}

// kept lists the files of a data folder, as far as it can be read.
func kept(dir string) []string {
	var names []string
	for _, pattern := range keptFiles {
		found, err := fs.Glob(os.DirFS(dir), pattern)
		if err == nil { // the only error is of the pattern
			names = append(names, found...)
		}
	}
	return names
}

// bringBack takes the tries that were counted while the data folder could not be
// used, and forgets all else that was kept aside: it would be old the next time.
func bringBack(aside, to string) error {
	raw, err := history.LoadState(filepath.Join(aside, lockoutFile))
	if err == nil && raw != nil {
		err = history.SaveState(filepath.Join(to, lockoutFile), raw)
	}
	return errors.Join(err, os.RemoveAll(aside))
}

// lockData makes this process the only daemon on dir, until it ends. A read-only
// folder can be locked too, if it has been before.
func lockData(dir string) error {
	path := filepath.Join(dir, "lock")
	fd, err := unix.Open(path, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err != nil {
		fd, err = unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	if err := unix.Flock(fd, unix.LOCK_EX|unix.LOCK_NB); err != nil {
		unix.Close(fd)
		return &InUseError{Path: path}
	}
	return nil
}
