package emulator

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
)

// DiskSize is the size of a new data disk, in bytes: a power of two, as SD
// cards must have here.
const DiskSize = 64 << 20

// makeDisk makes an image with an empty ext4, unless there is one.
func makeDisk(ctx context.Context, path string) error {
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return makeFileSystem(ctx, path, DiskSize)
}

// makeFileSystem makes an image of an ext4 of size bytes. Words are further ones
// for mkfs.
func makeFileSystem(ctx context.Context, path string, size int64, words ...string) error {
	f, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	if err := errors.Join(f.Truncate(size), f.Close()); err != nil {
		return fmt.Errorf("emulator: %w", err)
	}
	_, err = command(ctx, "/sbin/mkfs.ext4", slices.Concat([]string{"-q", "-F"}, words, []string{path})...)
	return err
}

// AddTap makes a tap interface in a network namespace (empty: the caller's) and
// puts it on a bridge there. It needs root and /dev/net/tun.
func AddTap(ctx context.Context, namespace, tap, bridge string) error {
	if _, err := os.Stat("/dev/net/tun"); err != nil {
		return fmt.Errorf("emulator: no tap interface: %w; without it the guest has only QEMU's user network, where nobody can call it", err)
	}
	in := []string{}
	if namespace != "" {
		in = []string{"-n", namespace}
	}
	for _, words := range [][]string{
		{"tuntap", "add", "dev", tap, "mode", "tap"},
		{"link", "set", tap, "addrgenmode", "none", "master", bridge, "up"},
	} {
		if _, err := command(ctx, "ip", append(in[:len(in):len(in)], words...)...); err != nil {
			return err
		}
	}
	return nil
}
