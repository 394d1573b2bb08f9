package emulator

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

//go:embed guest/init
var guestInit []byte

// layout names what pack does; a change of it makes new RAM disks.
const layout = "4"

// libraries of the guest for programs that are linked dynamically.
var libraries = []string{"ld-linux*.so*", "libc.so.*", "libm.so.*", "libdl.so.*", "libpthread.so.*", "librt.so.*", "libasound.so.*"}

// The daemon's user in the guest may use its camera, its sound card and its GPIO
// lines, and has /data/station.
const (
	user   = "doorstation"
	userID = 990
)

// Services is the file by which the guest's init keeps a panel running: the
// guard as root, with its state in /data/guard, and the daemon as a user of its
// own. The programs are expected in /bin, the board's file at
// /etc/doorstation/board.json. Flags are the daemon's further ones.
func Services(flags string) File {
	const common = "-board /etc/doorstation/board.json -run /run/doorstation"
	return File{Path: "etc/services", Content: fmt.Appendf(nil,
		"doorguard /bin/doorguard %s -state /data/guard -client-uid %d\n"+
			"doorstationd su -s /bin/sh %s -c 'exec /bin/doorstationd %s -data /data/station %s'\n",
		common, userID, user, common, flags)}
}

// deviceRules say who may use which device, as udev's do on a real panel.
const deviceRules = `gpiochip[0-9]+ root:gpio 660
video[0-9]+ root:video 660
snd/.* root:audio 660
`

// Build gives the initial RAM disk of a board: busybox, C library, the modules
// that the board needs, and an init. It is made once for each content and kept
// in the cache; the programs under test are added by Boot.
func Build(ctx context.Context, board string) (string, error) {
	m, err := modelOf(board)
	if err != nil {
		return "", err
	}
	kit, err := Fetch(ctx, m.arch)
	if err != nil {
		return "", err
	}
	key := keyOf(append([]string{kit.key, string(guestInit), deviceRules, layout}, m.modules...)...)
	return cached("initramfs-"+board+"-"+key, func(aside string) error { return pack(ctx, kit, m.modules, aside) })
}

func pack(ctx context.Context, kit *Kit, modules []string, to string) error {
	stage, err := os.MkdirTemp("", "doorstation-initramfs-")
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	defer os.RemoveAll(stage)
	if err := stageModules(ctx, kit, modules, stage); err != nil {
		return err
	}
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	defer out.Close()
	w := bufio.NewWriterSize(out, 1<<20)
	a := newArchive(w)
	for _, dir := range []string{"dev", "proc", "sys", "run", "tmp", "data", "etc"} {
		a.folder(dir)
	}
	a.file("init", 0o755, guestInit)
	a.file("etc/passwd", 0o644, fmt.Appendf(nil, "root:x:0:0:root:/:/bin/sh\n%s:x:%d:%[2]d:door station:/data/station:/bin/sh\n", user, userID))
	a.file("etc/group", 0o644, fmt.Appendf(nil, "root:x:0:\naudio:x:29:%[1]s\nvideo:x:44:%[1]s\ngpio:x:989:%[1]s\n%[1]s:x:%[2]d:\n", user, userID))
	a.file("etc/mdev.conf", 0o644, []byte(deviceRules))
	a.file("etc/modules", 0o644, []byte(strings.Join(modules, "\n")+"\n"))
	if err := a.tree(stage, "."); err != nil {
		return err
	}
	for _, name := range []string{"bin/busybox", "usr/bin/aplay"} {
		if err := a.copy(name, filepath.Join(kit.Root, name)); err != nil {
			return err
		}
	}
	a.link("usr/bin/arecord", "aplay")
	if err := addLibraries(a, kit.Root); err != nil {
		return err
	}
	if err := a.close(); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return out.Close()
}

// addLibraries copies the libraries to the folder where they are in Debian.
func addLibraries(a *archive, root string) error {
	for _, folder := range []string{"lib", "lib/*-linux-*", "usr/lib/*-linux-*"} {
		for _, pattern := range libraries {
			found, err := filepath.Glob(filepath.Join(root, folder, pattern))
			if err != nil {
				return err
			}
			for _, path := range found {
				rel, err := filepath.Rel(root, path)
				if err != nil {
					return err
				}
				if target, err := os.Readlink(path); err == nil {
					a.link(rel, target)
				} else if err := a.copy(rel, path); err != nil {
					return err
				}
			}
		}
	}
	return a.tree(filepath.Join(root, "usr/share/alsa"), "usr/share/alsa")
}

// stageModules copies the modules and all they need to stage.
func stageModules(ctx context.Context, kit *Kit, modules []string, stage string) error {
	var files []string
	for _, name := range modules {
		out, err := command(ctx, "/sbin/modprobe", "-d", kit.Root, "-S", kit.Release, "--show-depends", name)
		if err != nil {
			return err
		}
		for line := range strings.Lines(out) {
			if words := strings.Fields(line); len(words) > 1 && words[0] == "insmod" && !slices.Contains(files, words[1]) {
				files = append(files, words[1])
			}
		}
	}
	for _, f := range files {
		if err := stageFile(kit.Root, f, stage); err != nil {
			return err
		}
	}
	for _, name := range []string{"modules.builtin", "modules.order", "modules.builtin.modinfo"} {
		if err := stageFile(kit.Root, filepath.Join(kit.Root, "lib/modules", kit.Release, name), stage); err != nil {
			return err
		}
	}
	_, err := command(ctx, "/sbin/depmod", "-b", stage, kit.Release)
	return err
}

func stageFile(root, path, stage string) error {
	rel, err := filepath.Rel(root, path)
	if err != nil {
		return err
	}
	content, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	to := filepath.Join(stage, rel)
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}

// A File is one that Boot adds to the guest.
type File struct {
	Path    string // in the guest
	From    string // on this machine; empty: Content counts
	Content []byte
	Perm    fs.FileMode // with Content; 0 means 0644
}

// layer packs files as an archive of its own.
func layer(files []File, to string) error {
	out, err := os.Create(to)
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	defer out.Close()
	a := newArchive(out)
	for _, f := range files {
		if f.From != "" {
			if err := a.copy(f.Path, f.From); err != nil {
				return fmt.Errorf("emulator: %w", err)
			}
			continue
		}
		perm := f.Perm
		if perm == 0 {
			perm = 0o644
		}
		a.file(f.Path, perm, f.Content)
	}
	if err := a.close(); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	return out.Close()
}
