package emulator

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// An archive writes a cpio archive of the kernel's "newc" format
// (Documentation/driver-api/early-userspace/buffer-format.rst). The kernel
// unpacks several of them, one after the other, into one tree.
type archive struct {
	w    io.Writer
	made map[string]bool // folders
	size int
	err  error // the first one; later writes do nothing
}

func newArchive(w io.Writer) *archive { return &archive{w: w, made: map[string]bool{".": true}} }

// folder adds a folder and those above it.
func (a *archive) folder(name string) {
	name = path.Clean(strings.TrimPrefix(name, "/"))
	if a.made[name] {
		return
	}
	a.made[name] = true
	a.folder(path.Dir(name))
	a.entry(name, 0o40755, nil)
}

// file adds a regular file, and its folder.
func (a *archive) file(name string, perm fs.FileMode, content []byte) {
	name = path.Clean(strings.TrimPrefix(name, "/"))
	a.folder(path.Dir(name))
	a.entry(name, 0o100000|uint32(perm.Perm()), content)
}

// link adds a symbolic link, and its folder.
func (a *archive) link(name, target string) {
	a.folder(path.Dir(name))
	a.entry(name, 0o120777, []byte(target))
}

// tree adds what is below dir on this machine as folder prefix.
func (a *archive) tree(dir, prefix string) error {
	return filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(dir, p)
		if err != nil {
			return err
		}
		name := path.Join(prefix, rel)
		switch d.Type() {
		case fs.ModeDir:
			a.folder(name)
		case fs.ModeSymlink:
			target, err := os.Readlink(p)
			if err != nil {
				return err
			}
			a.link(name, target)
		case 0:
			return a.copy(name, p)
		}
		return a.err
	})
}

// copy adds a file of this machine with its permissions.
func (a *archive) copy(name, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	a.file(name, info.Mode(), content)
	return a.err
}

// close ends the archive.
func (a *archive) close() error {
	a.entry("TRAILER!!!", 0, nil)
	a.pad(512)
	return a.err
}

func (a *archive) entry(name string, mode uint32, content []byte) {
	fields := []uint32{
		0, mode, 0, 0, 1, 0, uint32(len(content)), 0, 0, 0, 0, uint32(len(name) + 1), 0,
	}
	header := make([]byte, 0, 110+len(name)+1)
	header = append(header, "070701"...)
	for _, f := range fields {
		header = fmt.Appendf(header, "%08X", f)
	}
	a.write(append(append(header, name...), 0))
	a.pad(4)
	a.write(content)
	a.pad(4)
}

func (a *archive) pad(to int) { a.write(slices.Repeat([]byte{0}, (to-a.size%to)%to)) }

func (a *archive) write(b []byte) {
	if a.err != nil {
		return
	}
	n, err := a.w.Write(b)
	a.size += n
	a.err = err
}
