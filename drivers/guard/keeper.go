package guard

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// keeper writes the state, beside the loop: flash may take long.
type keeper struct {
	path  string // "": nothing is kept
	say   func(string)
	todo  chan State
	write sync.Mutex
}

func newKeeper(path string, say func(string)) *keeper {
	return &keeper{path: path, say: say, todo: make(chan State, 1)}
}

// read is the state as it was kept; the zero one if there is none.
func (k *keeper) read() State {
	if k.path == "" {
		return State{}
	}
	raw, err := os.ReadFile(k.path)
	if errors.Is(err, fs.ErrNotExist) {
		return State{}
	}
	s := State{}
	if err == nil {
		s, err = parseState(raw)
	}
	if err != nil {
		k.say("state " + k.path + ": begins anew: " + err.Error())
	}
	return s
}

// keep has s written, in the place of one that still waits. It never waits.
func (k *keeper) keep(s State) {
	select {
	case <-k.todo:
	default:
	}
	k.todo <- s // only the loop puts in: there is room
}

// run writes until ctx ends.
func (k *keeper) run(ctx context.Context) error {
	for {
		select {
		case s := <-k.todo:
			k.store(s)
		case <-ctx.Done():
			return nil
		}
	}
}

// close writes what still waits, and gives the flash a moment for it.
func (k *keeper) close() {
	done := make(chan struct{})
	go func() {
		defer close(done)
		select {
		case s := <-k.todo:
			k.store(s)
		default:
		}
	}()
	select {
	case <-done:
	case <-time.After(logFlush):
	}
}

func (k *keeper) store(s State) {
	k.write.Lock()
	defer k.write.Unlock()
	if k.path == "" {
		return
	}
	if err := replace(k.path, s.append(nil)); err != nil {
		k.say("state is not kept: " + err.Error())
	}
}

// replace writes a file aside, and puts it in the place of the old one: after a
// power cut there is the old one or the new one.
func replace(path string, raw []byte) error {
	aside := path + ".new"
	f, err := os.OpenFile(aside, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(raw)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(aside, path)
	}
	if err != nil {
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
