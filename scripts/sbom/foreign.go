package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
)

// A bundle is a C library that a Go package brings along, compiled or as source.
type bundle struct {
	pkg     string // the Go package
	name    string
	purl    string         // without version
	header  string         // in the folder of the package, with the version
	version *regexp.Regexp // finds its numbers in the header
}

var bundles = []bundle{{
	pkg:     "github.com/pion/mediadevices/pkg/codec/openh264",
	name:    "openh264",
	purl:    "pkg:github/cisco/openh264",
	header:  "include/openh264/codec_ver.h",
	version: regexp.MustCompile(`#define OPENH264_(?:MAJOR|MINOR|REVISION) \(([0-9]+)\)`),
}}

// foreignParts are those that came in through cgo. The C library is not among
// them: it is on the board, and a property names it.
func foreignParts(bin *binary, packages []listed) ([]part, error) {
	if bin.settings["CGO_ENABLED"] != "1" {
		return nil, nil
	}
	var parts []part
	for _, p := range packages {
		i := slices.IndexFunc(bundles, func(b bundle) bool { return b.pkg == p.ImportPath })
		if i < 0 || len(p.CgoFiles) == 0 {
			continue
		}
		found, err := bundles[i].part(p.Dir)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", bundles[i].name, err)
		}
		parts = append(parts, found)
	}
	if bin.gcc != "" {
		parts = append(parts, runtimePart("libgcc", bin.gcc))
		if slices.ContainsFunc(packages, func(p listed) bool { return len(p.CXXFiles) > 0 }) {
			parts = append(parts, runtimePart("libstdc++", bin.gcc))
		}
	}
	return parts, nil
}

func (b bundle) part(dir string) (part, error) {
	header, err := os.ReadFile(filepath.Join(dir, b.header))
	if err != nil {
		return part{}, err
	}
	version := ""
	for _, m := range b.version.FindAllSubmatch(header, -1) {
		if version != "" {
			version += "."
		}
		version += string(m[1])
	}
	if version == "" {
		return part{}, fmt.Errorf("%s tells no version", b.header)
	}
	found := part{name: b.name, version: version, purl: b.purl + "@" + version}
	if found.texts, err = licenceFiles(dir); err != nil {
		return part{}, err
	}
	found.licence, err = recognise(found.texts)
	return found, err
}

// runtimePart is a piece of the compiler's runtime, linked statically. Its
// exception lets the result be under any licence.
func runtimePart(name, gcc string) part {
	return part{
		name: name, version: gcc, purl: "pkg:generic/" + name + "@" + gcc,
		licence: "GPL-3.0-or-later WITH GCC-exception-3.1",
	}
}
