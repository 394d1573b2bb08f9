package main

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
)

// notices collect what must be handed on with the programs: a list of the
// parts and their licences, and the texts.
type notices struct {
	parts map[string]part
}

func (n *notices) add(parts []part) {
	if n.parts == nil {
		n.parts = map[string]part{}
	}
	for _, p := range parts {
		n.parts[p.name+" "+p.version] = p
	}
}

func (n *notices) write(file string) error {
	var out strings.Builder
	keys := slices.Sorted(maps.Keys(n.parts))
	for _, key := range keys {
		fmt.Fprintf(&out, "%-60s %s\n", key, n.parts[key].licence)
	}
	for _, key := range keys {
		for _, name := range slices.Sorted(maps.Keys(n.parts[key].texts)) {
			fmt.Fprintf(&out, "\n==== %s: %s\n\n%s\n", key, name, strings.TrimSpace(n.parts[key].texts[name]))
		}
	}
	return os.WriteFile(file, []byte(out.String()), 0o666)
}
