package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestVersionOfABundle(t *testing.T) {
	headers := map[string]string{
		"openh264": "#define OPENH264_MAJOR (2)\n#define OPENH264_MINOR (1)\n#define OPENH264_REVISION (1)\n#define OPENH264_RESERVED (2005)\n",
	}
	want := map[string]string{"openh264": "2.1.1"}
	for _, b := range bundles {
		t.Run(b.name, func(t *testing.T) {
			dir := t.TempDir()
			put(t, filepath.Join(dir, b.header), headers[b.name])
			put(t, filepath.Join(dir, "LICENSE"), bsdSource+" "+bsdBinary)
			found, err := b.part(dir)
			if err != nil || found.version != want[b.name] {
				t.Errorf("version %q, %v, want %q", found.version, err, want[b.name])
			}
		})
	}
}

func TestBundleWithoutLicenceIsRefused(t *testing.T) {
	dir := t.TempDir()
	b := bundles[0]
	put(t, filepath.Join(dir, b.header), "#define OPENH264_MAJOR (2)\n")
	if _, err := b.part(dir); !errors.Is(err, errUnknownLicence) {
		t.Errorf("error %v, want %v", err, errUnknownLicence)
	}
}

func put(t *testing.T, file, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
