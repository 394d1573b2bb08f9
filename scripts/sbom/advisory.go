package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// An advisory is a published fault in a module that we cannot leave out, and
// the code it is about. It is no concern of ours while that code is not in the
// program, which judge looks up in the program.
type advisory struct {
	id, url, title string
	affected       []affected
}

type affected struct {
	module string
	fixed  []string // the first version with the mend, on each line of versions; none: all are affected
	code   string   // beginning of the names of the faulty functions
}

var advisories = []advisory{{
	id:    "GHSA-9f3f-wv7r-qc8r",
	url:   "https://github.com/advisories/GHSA-9f3f-wv7r-qc8r",
	title: "DTLS with AES-GCM makes its nonces at random",
	affected: []affected{
		{module: "github.com/pion/dtls/v2", code: "github.com/pion/dtls/v2/pkg/crypto/ciphersuite.(*GCM)"},
		{module: "github.com/pion/dtls/v3", code: "github.com/pion/dtls/v3/pkg/crypto/ciphersuite.(*GCM)", fixed: []string{"v3.0.11", "v3.1.1"}},
	},
}}

// A finding says what an advisory means for one part.
type finding struct {
	advisory advisory
	part     part
	detail   string
}

// judge returns what the advisories mean for a program of these parts and
// functions. An advisory whose code was linked is an error.
func judge(all []advisory, parts []part, functions []string) ([]finding, error) {
	var findings []finding
	for _, adv := range all {
		for _, a := range adv.affected {
			i := slices.IndexFunc(parts, func(p part) bool { return p.module && p.name == a.module })
			if i < 0 || a.mended(parts[i].version) {
				continue
			}
			at := slices.IndexFunc(functions, func(f string) bool { return strings.HasPrefix(f, a.code) })
			if at >= 0 {
				return nil, fmt.Errorf("%s %s has %s (%s), and the faulty code is linked: %s",
					a.module, parts[i].version, adv.id, adv.title, functions[at])
			}
			findings = append(findings, finding{adv, parts[i], fmt.Sprintf(
				"Of the %d functions linked from this module none is %s: nothing in the program can make or take such a connection.",
				count(functions, a.module), a.code)})
		}
	}
	return findings, nil
}

func count(functions []string, module string) int {
	n := 0
	for _, f := range functions {
		if rest, ok := strings.CutPrefix(f, module); ok && (rest[0] == '.' || rest[0] == '/') {
			n++
		}
	}
	return n
}

// mended says whether version is at or after the mend of its line: the lines
// are those of the major and minor numbers, and after the last all are mended.
func (a affected) mended(version string) bool {
	v := numbers(version)
	for i, fixed := range a.fixed {
		f := numbers(fixed)
		sameLine := v[0] == f[0] && v[1] == f[1]
		last := i == len(a.fixed)-1
		if (sameLine || last) && slices.Compare(v, f) >= 0 {
			return true
		}
	}
	return false
}

// numbers reads the three numbers of a version such as v3.0.8.
func numbers(version string) []int {
	version, _, _ = strings.Cut(strings.TrimPrefix(version, "v"), "-")
	all := make([]int, 3)
	for i, s := range strings.SplitN(version, ".", 3) {
		all[i], _ = strconv.Atoi(s)
	}
	return all
}
