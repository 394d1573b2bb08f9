package provisioning

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

const (
	dirMode  = 0o700
	fileMode = 0o600
	asideExt = ".new"
)

// A disk keeps small files in one folder so that a power cut at any point
// leaves each of them old or new.
type disk struct {
	dir string
	// before, when set, is called ahead of each single step with its name, and
	// an error from it ends the work there. Tests cut the power with it.
	before func(step string) error
}

func openDisk(dir string) (*disk, error) {
	if err := os.MkdirAll(dir, dirMode); err != nil {
		return nil, err
	}
	// MkdirAll leaves the mode of a folder that was there.
	if err := os.Chmod(dir, dirMode); err != nil {
		return nil, err
	}
	return &disk{dir: dir}, nil
}

func (d *disk) path(name string) string { return filepath.Join(d.dir, name) }

// write replaces a file: aside, sync, rename, sync the folder.
func (d *disk) write(name string, data []byte) error {
	aside := d.path(name + asideExt)
	if err := d.fill(aside, data); err != nil {
		return err
	}
	if err := d.step("rename " + name); err != nil {
		return err
	}
	if err := os.Rename(aside, d.path(name)); err != nil {
		return err
	}
	return d.sync()
}

// fill writes and syncs a file that nobody reads yet.
func (d *disk) fill(path string, data []byte) error {
	if err := d.step("create"); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, fileMode)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := f.Chmod(fileMode); err != nil { // a leftover may have another
		return err
	}
	half := len(data) / 2
	if _, err := f.Write(data[:half]); err != nil {
		return err
	}
	if err := d.step("write"); err != nil {
		return err
	}
	if _, err := f.Write(data[half:]); err != nil {
		return err
	}
	if err := d.step("sync"); err != nil {
		return err
	}
	if err := f.Sync(); err != nil {
		return err
	}
	return f.Close()
}

// rename moves a file over another. A missing one is no error.
func (d *disk) rename(from, to string) error {
	if err := d.step("rename " + from); err != nil {
		return err
	}
	return ignoreMissing(os.Rename(d.path(from), d.path(to)))
}

// remove deletes a file. A missing one is no error.
func (d *disk) remove(name string) error {
	if err := d.step("remove " + name); err != nil {
		return err
	}
	return ignoreMissing(os.Remove(d.path(name)))
}

// sync makes renames and removals last.
func (d *disk) sync() error {
	if err := d.step("sync folder"); err != nil {
		return err
	}
	f, err := os.Open(d.dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// read returns a file's content. A missing file is fs.ErrNotExist.
func (d *disk) read(name string) ([]byte, error) { return os.ReadFile(d.path(name)) }

func (d *disk) step(name string) error {
	if d.before == nil {
		return nil
	}
	return d.before(name)
}

func ignoreMissing(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
