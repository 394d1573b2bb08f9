package emulator

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A Kit is what a guest of one architecture is made of: Debian packages,
// unpacked into one folder.
type Kit struct {
	Arch    string // Debian's name: armhf or arm64
	Root    string // the packages' files
	Release string // of the kernel, such as 6.1.0-9-armmp
	key     string // names this content
}

// Kernel is the path of the kernel image.
func (k *Kit) Kernel() string { return filepath.Join(k.Root, "boot", "vmlinuz-"+k.Release) }

// DeviceTree is the path of a device tree of the kernel package.
func (k *Kit) DeviceTree(name string) string {
	return filepath.Join(k.Root, "usr/lib/linux-image-"+k.Release, name)
}

// The kernel's metapackage: the name of the kernel package itself changes with
// every point release, and old ones are removed from the mirrors.
var kernels = map[string]string{"armhf": "linux-image-armmp", "arm64": "linux-image-arm64"}

// The userland of the guest: a shell, what programs linked dynamically need, and
// aplay, which speaks into the sound card's far side.
var userland = []string{"busybox-static", "libc6", "libasound2", "libasound2-data", "alsa-utils"}

// Fetch gives the kit of an architecture. The first time it downloads about
// 80 MB by an apt root of its own, which checks Debian's signatures and touches
// nothing of this machine's apt; later calls use the cache and no network.
func Fetch(ctx context.Context, arch string) (*Kit, error) {
	meta, ok := kernels[arch]
	if !ok {
		return nil, fmt.Errorf("emulator: no kernel for architecture %q: want armhf or arm64", arch)
	}
	key := keyOf(append([]string{arch, suite, meta}, userland...)...)
	root, err := cached("kit-"+arch+"-"+key, func(aside string) error { return download(ctx, arch, meta, aside) })
	if err != nil {
		return nil, err
	}
	found, err := filepath.Glob(filepath.Join(root, "boot", "vmlinuz-*"))
	if err != nil || len(found) != 1 {
		return nil, fmt.Errorf("emulator: %s has %d kernels, want 1: remove that folder and try again", root, len(found))
	}
	release := strings.TrimPrefix(filepath.Base(found[0]), "vmlinuz-")
	versions, err := os.ReadFile(filepath.Join(root, "packages"))
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	return &Kit{Arch: arch, Root: root, Release: release, key: keyOf(string(versions))}, nil
}

// download fills root with the unpacked packages, and with a file "packages"
// that lists their names and versions.
func download(ctx context.Context, arch, meta, root string) error {
	apt, err := openAptRoot(ctx, arch)
	if err != nil {
		return err
	}
	defer apt.close()
	image, err := apt.dependency(ctx, meta, "linux-image-")
	if err != nil {
		return err
	}
	if _, err := apt.run(ctx, "apt-get", append([]string{"download", "-q", image}, userland...)...); err != nil {
		return err
	}
	debs, err := filepath.Glob(filepath.Join(apt.dir, "*.deb"))
	if err != nil || len(debs) != 1+len(userland) {
		return fmt.Errorf("emulator: apt downloaded %d packages, want %d", len(debs), 1+len(userland))
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		return err
	}
	var names []string
	for _, deb := range debs {
		if _, err := command(ctx, "dpkg-deb", "-x", deb, root); err != nil {
			return err
		}
		names = append(names, filepath.Base(deb))
	}
	// Debian's package leaves the modules' index to its installation.
	if _, err := command(ctx, "/sbin/depmod", "-b", root, strings.TrimPrefix(image, "linux-image-")); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "packages"), []byte(strings.Join(names, "\n")+"\n"), 0o644)
}

// command runs a program and returns what it printed.
func command(ctx context.Context, name string, args ...string) (string, error) {
	return output(exec.CommandContext(ctx, name, args...))
}

func output(cmd *exec.Cmd) (string, error) {
	out, err := cmd.CombinedOutput()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("emulator: %w: run scripts/setup board", err)
	}
	if err != nil {
		return "", fmt.Errorf("emulator: %s: %w: %s", strings.Join(cmd.Args, " "), err, out)
	}
	return string(out), nil
}
