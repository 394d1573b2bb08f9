package main

import (
	"crypto/sha256"
	"debug/buildinfo"
	"debug/elf"
	"debug/gosym"
	"encoding/hex"
	"errors"
	"os"
	"regexp"
)

// A binary is what a stripped program tells of itself.
type binary struct {
	pkg       string            // import path of its main package
	goVersion string            // as in go1.26.0
	settings  map[string]string // of the build: GOARCH, CGO_ENABLED …
	modules   map[string]string // version by module path, of all that were linked
	functions []string          // that the linker kept
	gcc       string            // version of the C compiler, empty in pure Go
	shared    []string          // libraries that it needs to run
	sha256    string
}

func readBinary(file string) (*binary, error) {
	raw, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	info, err := buildinfo.ReadFile(file)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(raw)
	b := &binary{
		pkg: info.Path, goVersion: info.GoVersion, sha256: hex.EncodeToString(sum[:]),
		settings: map[string]string{}, modules: map[string]string{},
	}
	for _, s := range info.Settings {
		b.settings[s.Key] = s.Value
	}
	for _, dep := range info.Deps {
		if dep.Replace != nil {
			dep = dep.Replace
		}
		b.modules[dep.Path] = dep.Version
	}
	exe, err := elf.Open(file)
	if err != nil {
		return nil, err
	}
	defer exe.Close()
	b.gcc = compiler(exe)
	if b.shared, err = exe.ImportedLibraries(); err != nil {
		return nil, err
	}
	b.functions, err = functions(exe)
	return b, err
}

// The table of functions by program counter stays when symbols are stripped:
// Go's own stack traces need it. In position-independent programs it moves.
var functionTables = []string{".gopclntab", ".data.rel.ro.gopclntab"}

func functions(exe *elf.File) ([]string, error) {
	text := exe.Section(".text")
	for _, name := range functionTables {
		section := exe.Section(name)
		if section == nil || text == nil {
			continue
		}
		raw, err := section.Data()
		if err != nil {
			return nil, err
		}
		table, err := gosym.NewTable(nil, gosym.NewLineTable(raw, text.Addr))
		if err != nil {
			return nil, err
		}
		if len(table.Funcs) == 0 {
			break
		}
		names := make([]string, len(table.Funcs))
		for i, f := range table.Funcs {
			names[i] = f.Name
		}
		return names, nil
	}
	return nil, errors.New("no table of functions in it, so nothing can be said about what was linked")
}

var gccMark = regexp.MustCompile(`GCC: \([^)]*\) ([0-9.]+)`)

// compiler is the version of the C compiler that left its mark, if one did.
func compiler(exe *elf.File) string {
	section := exe.Section(".comment")
	if section == nil {
		return ""
	}
	raw, err := section.Data()
	if err != nil {
		return ""
	}
	if m := gccMark.FindSubmatch(raw); m != nil {
		return string(m[1])
	}
	return ""
}
