package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// A part is something of others that a program contains.
type part struct {
	name, version string
	purl          string
	licence       string            // an SPDX expression
	texts         map[string]string // licence texts by file name
	module        bool              // of Go, not of C
	needs         []string          // names of other parts
}

// listed is what go list tells of a package.
type listed struct {
	ImportPath, Dir    string
	Standard           bool
	Module             *struct{ Path, Version, Dir string }
	Imports            []string
	CgoFiles, CXXFiles []string
}

// partsOf lists what bin contains: Go's library, the modules with a package in
// it, and what came in through cgo; sorted by name.
func partsOf(bin *binary) ([]part, error) {
	packages, err := list(bin)
	if err != nil {
		return nil, err
	}
	parts, err := modules(packages)
	if err != nil {
		return nil, err
	}
	if err := agree(bin.modules, parts); err != nil {
		return nil, err
	}
	std, err := standardLibrary(bin.goVersion)
	if err != nil {
		return nil, err
	}
	parts = append(parts, std)
	foreign, err := foreignParts(bin, packages)
	if err != nil {
		return nil, err
	}
	parts = append(parts, foreign...)
	slices.SortFunc(parts, func(a, b part) int { return cmp.Compare(a.name, b.name) })
	return parts, nil
}

// list asks go for the packages of the program, in the setting it was built in.
func list(bin *binary) ([]listed, error) {
	cmd := exec.Command("go", "list", "-deps", "-json=ImportPath,Dir,Standard,Module,Imports,CgoFiles,CXXFiles", bin.pkg)
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	for _, key := range []string{"CGO_ENABLED", "GOOS", "GOARCH", "GOARM", "GOARM64"} {
		cmd.Env = append(cmd.Env, key+"="+bin.settings[key])
	}
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w\n%s", err, &stderr)
	}
	var all []listed
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listed
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return all, nil
		} else if err != nil {
			return nil, fmt.Errorf("output of go list: %w", err)
		}
		all = append(all, p)
	}
}

// modules groups packages by the module of others that they are from.
func modules(packages []listed) ([]part, error) {
	home := map[string]string{} // package to module
	for _, p := range packages {
		if foreignModule(p) {
			home[p.ImportPath] = p.Module.Path
		}
	}
	parts := map[string]*part{}
	needs := map[string]map[string]bool{}
	for _, p := range packages {
		if !foreignModule(p) {
			continue
		}
		m := p.Module
		if parts[m.Path] == nil {
			texts, err := licenceFiles(m.Dir)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Path, err)
			}
			licence, err := recognise(texts)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Path, err)
			}
			parts[m.Path] = &part{
				name: m.Path, version: m.Version, licence: licence, texts: texts, module: true,
				purl: "pkg:golang/" + m.Path + "@" + m.Version,
			}
			needs[m.Path] = map[string]bool{}
		}
		for _, imported := range p.Imports {
			if to := home[imported]; to != "" && to != m.Path {
				needs[m.Path][to] = true
			}
		}
	}
	all := make([]part, 0, len(parts))
	for path, p := range parts {
		p.needs = slices.Sorted(maps.Keys(needs[path]))
		all = append(all, *p)
	}
	return all, nil
}

func foreignModule(p listed) bool { return p.Module != nil && p.Module.Version != "" }

// agree says that the tree, which names the parts, is the one bin was built from.
func agree(linked map[string]string, parts []part) error {
	named := map[string]string{}
	for _, p := range parts {
		named[p.name] = p.version
	}
	if !maps.Equal(linked, named) {
		return fmt.Errorf("built from other modules than the tree has now: in the program %v, in the tree %v", linked, named)
	}
	return nil
}

func standardLibrary(goVersion string) (part, error) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		return part{}, fmt.Errorf("go env: %w", err)
	}
	texts, err := licenceFiles(strings.TrimSpace(string(root)))
	if err != nil {
		return part{}, err
	}
	licence, err := recognise(texts)
	if err != nil {
		return part{}, fmt.Errorf("go: %w", err)
	}
	version := strings.TrimPrefix(goVersion, "go")
	return part{
		name: "std", version: version, licence: licence, texts: texts,
		purl: "pkg:golang/std@" + version,
	}, nil
}

// licenceFiles reads the licence and notice files of one folder.
func licenceFiles(dir string) (map[string]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	texts := map[string]string{}
	for _, e := range entries {
		upper := strings.ToUpper(e.Name())
		if !e.Type().IsRegular() || !(strings.HasPrefix(upper, "LICENSE") || strings.HasPrefix(upper, "LICENCE") ||
			strings.HasPrefix(upper, "COPYING") || strings.HasPrefix(upper, "NOTICE")) {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return nil, err
		}
		texts[e.Name()] = string(raw)
	}
	return texts, nil
}
