package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCounts(t *testing.T) {
	for name, c := range map[string]struct {
		in, counts, shows string
		ok                bool
	}{
		"pass": {
			in: `{"Action":"run","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Test":"A/sub"}
{"Action":"pass","Package":"p","Test":"A"}
{"Action":"pass","Package":"p","Elapsed":1.5}`,
			counts: "2 0", shows: "pass p 1.5s", ok: true,
		},
		"a failure shows its output": {
			in: `{"Action":"output","Package":"p","Test":"A","Output":"door stayed shut\n"}
{"Action":"fail","Package":"p","Test":"A"}
{"Action":"fail","Package":"p"}`,
			counts: "0 1", shows: "door stayed shut",
		},
		"a package that does not build": {
			in: `{"ImportPath":"p","Action":"build-output","Output":"p.go:1: wrong\n"}
{"Action":"fail","Package":"p","FailedBuild":"p"}`,
			counts: "0 1", shows: "p.go:1: wrong",
		},
		"a panic": {
			in: `{"Action":"output","Package":"p","Test":"A","Output":"panic: no\n"}
{"Action":"fail","Package":"p"}`,
			counts: "0 1", shows: "panic: no",
		},
		"a skipped test has not passed": {
			in: `{"Action":"skip","Package":"p","Test":"A"}
{"Action":"pass","Package":"p"}`,
			counts: "0 1", shows: "SKIPPED",
		},
		"a package without tests": {
			in: `{"Action":"skip","Package":"p"}`, counts: "0 0", ok: true,
		},
		"plain text goes through": {
			in: "go: no such package", counts: "0 0", shows: "no such package", ok: true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			counts := filepath.Join(t.TempDir(), "count")
			var out strings.Builder
			ok, err := run(strings.NewReader(c.in), &out, counts, "")
			if err != nil {
				t.Fatal(err)
			}
			written, err := os.ReadFile(counts)
			if err != nil {
				t.Fatal(err)
			}
			if got := strings.TrimSpace(string(written)); got != c.counts || ok != c.ok {
				t.Errorf("counted %q, ok %v; want %q, %v", got, ok, c.counts, c.ok)
			}
			if !strings.Contains(out.String(), c.shows) {
				t.Errorf("showed %q, want %q in it", out.String(), c.shows)
			}
		})
	}
}
