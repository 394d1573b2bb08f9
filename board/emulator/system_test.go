package emulator

import (
	"slices"
	"strings"
	"testing"
)

func TestSystemNeedsADisk(t *testing.T) {
	_, err := Boot(t.Context(), Options{Board: "qemu-virt-arm64", System: true})
	if err == nil || !strings.Contains(err.Error(), "Data is empty") {
		t.Errorf("a system without a disk boots: %v", err)
	}
}

func TestFilesBelowAFolder(t *testing.T) {
	files := []File{{Path: "etc/a"}, {Path: "/usr/bin/b", From: "/bin/true"}}
	want := []string{"system/etc/a", "system/usr/bin/b"}
	var got []string
	for _, f := range below(systemFolder, files) {
		got = append(got, f.Path)
	}
	if !slices.Equal(got, want) || files[0].Path != "etc/a" {
		t.Errorf("moved to %q, from %q; want %q", got, files[0].Path, want)
	}
}
