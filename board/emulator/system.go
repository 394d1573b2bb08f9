package emulator

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// SystemSize is the size of a disk with Debian's init, in bytes: a power of two,
// as SD cards must have here.
const SystemSize = 256 << 20

// systemFolder is where the RAM disk has the files for the system.
const systemFolder = "system"

// systemPackages are what a guest with Debian's init has, besides what they
// depend on.
var systemPackages = []string{"systemd", "udev", "busybox-static", "libasound2"}

var (
	//go:embed guest/console
	consoleScript []byte
	//go:embed guest/console.service
	consoleUnit []byte
	//go:embed guest/journal.service
	journalUnit []byte
)

// systemFiles are what an installation leaves behind besides packages.
var systemFiles = []File{
	{Path: "usr/local/bin/console", Content: consoleScript, Perm: 0o755},
	{Path: "etc/systemd/system/console.service", Content: consoleUnit},
	{Path: "etc/systemd/system/journal.service", Content: journalUnit},
	// A machine that has an identity does not start for the first time.
	{Path: "etc/machine-id", Content: []byte("d0045d0045d0045d0045d0045d0045d0\n")},
	{Path: "etc/hostname", Content: []byte("panel\n")},
}

// systemLinks are symbolic links of the system and their targets.
var systemLinks = map[string]string{
	"usr/bin/sh": "busybox",
	"etc/systemd/system/multi-user.target.wants/console.service": "/etc/systemd/system/console.service",
	"etc/systemd/system/multi-user.target.wants/journal.service": "/etc/systemd/system/journal.service",
	"etc/systemd/system/getty.target":                            "/dev/null", // the console is taken
	"etc/systemd/system/serial-getty@.service":                   "/dev/null",
}

// unused are folders of packages that no program of the guest reads.
var unused = []string{"usr/share/doc", "usr/share/man", "usr/share/locale", "usr/share/lintian", "usr/lib/udev/hwdb.d"}

// FetchSystem gives the path of an image of a disk with Debian's init, for Boot to
// copy. The first time it downloads about 20 MB, as Fetch does; later calls use
// the cache and no network.
func FetchSystem(ctx context.Context, arch string) (string, error) {
	parts := append([]string{arch, suite, fmt.Sprint(systemFiles, systemLinks, unused, SystemSize)}, systemPackages...)
	return cached("system-"+arch+"-"+keyOf(parts...), func(aside string) error {
		root, err := os.MkdirTemp("", "doorstation-system-")
		if err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
		defer os.RemoveAll(root)
		if err := os.Chmod(root, 0o755); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
		for _, step := range []func() error{
			func() error { return unpackSystem(ctx, arch, root) },
			func() error { return mergeUsr(ctx, root) },
			func() error { return arrangeSystem(root) },
		} {
			if err := step(); err != nil {
				return err
			}
		}
		return makeFileSystem(ctx, aside, SystemSize, "-d", root)
	})
}

// unpackSystem puts the packages, and all that they depend on, below root.
func unpackSystem(ctx context.Context, arch, root string) error {
	apt, err := openAptRoot(ctx, arch)
	if err != nil {
		return err
	}
	defer apt.close()
	words := []string{"install", "-q", "-y", "--no-install-recommends", "--download-only"}
	if _, err := apt.run(ctx, "apt-get", append(words, systemPackages...)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(apt.dir, "cache/archives/*.deb"))
	if err != nil || len(debs) < len(systemPackages) {
		return fmt.Errorf("emulator: apt downloaded %d packages, want at least %d", len(debs), len(systemPackages))
	}
	for _, deb := range debs {
		if _, err := command(ctx, "dpkg-deb", "-x", deb, root); err != nil {
			return err
		}
	}
	return nil
}

// mergeUsr moves what packages still have outside of /usr to where Debian has
// it.
func mergeUsr(ctx context.Context, root string) error {
	for _, name := range []string{"bin", "sbin", "lib"} {
		from, to := filepath.Join(root, name), filepath.Join(root, "usr", name)
		if err := os.MkdirAll(to, 0o755); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
		if _, err := command(ctx, "cp", "-a", from+"/.", to); err != nil {
			return err
		}
		if err := errors.Join(os.RemoveAll(from), os.Symlink("usr/"+name, from)); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
	}
	return nil
}

// arrangeSystem adds what installations do besides unpacking.
func arrangeSystem(root string) error {
	for _, name := range unused {
		if err := os.RemoveAll(filepath.Join(root, name)); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
	}
	for _, name := range []string{"dev", "proc", "sys", "run", "tmp", "root", "home"} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
	}
	for _, f := range systemFiles {
		path := filepath.Join(root, f.Path)
		perm := f.Perm
		if perm == 0 {
			perm = 0o644
		}
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, f.Content, perm)); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
	}
	for name, target := range systemLinks {
		path := filepath.Join(root, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.Symlink(target, path)); err != nil {
			return fmt.Errorf("emulator: %w", err)
		}
	}
	return nil
}

// makeSystem makes a disk with Debian's init at path, unless there is one.
func (m *model) makeSystem(ctx context.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	image, err := FetchSystem(ctx, m.arch)
	if err != nil {
		return err
	}
	_, err = command(ctx, "cp", "--sparse=always", image, path)
	return err
}

// below puts files into a folder.
func below(folder string, files []File) []File {
	moved := slices.Clone(files)
	for i := range moved {
		moved[i].Path = filepath.Join(folder, moved[i].Path)
	}
	return moved
}
