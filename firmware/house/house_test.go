package house

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "doorstation"

// A file is one Go source file and what it imports.
type file struct {
	path    string // relative to the module
	folder  string
	test    bool
	imports []string
}

// TestImportDirections parses every file inside the test process: the go tool,
// run as a command, would leave a stale pass in the test cache.
func TestImportDirections(t *testing.T) {
	files := parseAll(t)
	if len(files) < 10 {
		t.Fatalf("found %d Go files: this is not the whole module", len(files))
	}
	for _, f := range files {
		for _, path := range f.imports {
			if why := forbidden(f, path); why != "" {
				t.Errorf("%s imports %s: %s", f.path, path, why)
			}
		}
	}
}

// TestRules holds the rules themselves against imports that must not pass.
func TestRules(t *testing.T) {
	for _, c := range []struct {
		folder, path string
		allowed      bool
	}{
		{"callflow", "doorstation/callflow/keypad", false},
		{"callflow", "net", false},
		{"callflow", "time", true},
		{"callflow/sipua", "doorstation/callflow", true},
		{"callflow/sipua", "doorstation/media/sdp", false},
		{"callflow/sipua", "github.com/emiago/sipgo/sip", true},
		{"firmware/station", "github.com/emiago/sipgo/sip", false},
		{"media/session", "doorstation/media/h264", true},
		{"media/h264", "doorstation/media/sdp", false},
		{"media/audio", "net", false},
		{"firmware/doorguard", "doorstation/drivers/guard", true},
		{"firmware/doorguard", "doorstation/firmware/station", false},
		{"firmware/doorguard", "doorstation/provisioning", false},
		{"firmware/station", "doorstation/media/session", true},
		{"drivers/guard", "doorstation/board", false},
		{"board", "net", false},
		{"firmware/web", "html/template", false},
		{"newcomer", "doorstation/callflow", false},
	} {
		why := forbidden(file{folder: c.folder}, c.path)
		if (why == "") != c.allowed {
			t.Errorf("%s importing %s: allowed %v, want %v (%s)", c.folder, c.path, why == "", c.allowed, why)
		}
	}
}

// forbidden says why f may not import path, or "".
func forbidden(f file, path string) string {
	if own, ours := strings.CutPrefix(path, module+"/"); ours {
		return forbiddenOfOurs(f, own)
	}
	if f.test {
		return ""
	}
	if slices.Contains(pure, f.folder) && matchesAny(impure, path) {
		return f.folder + " decides and computes, and has no such means (rules_test.go, impure)"
	}
	for _, r := range foreign {
		if matches(r.path, path) && !matchesAny(r.users, f.folder) {
			return "only " + strings.Join(append(r.users, "tests"), ", ") + " may"
		}
	}
	return ""
}

// forbiddenOfOurs compares with the table. A test may also import the package
// that it tests, and what stands in for the real parts.
func forbiddenOfOurs(f file, own string) string {
	if own == f.folder {
		return ""
	}
	r, found := ruleOf(f.folder)
	if !found {
		return f.folder + " is not in the table of rules_test.go: say there what it may import"
	}
	if matchesAny(r.mayReach, own) || f.test && matchesAny(testsMayReach, own) {
		return ""
	}
	if len(r.mayReach) == 0 {
		return r.of + " imports nothing of ours"
	}
	return r.of + " imports only " + strings.Join(r.mayReach, ", ") + " of ours"
}

// ruleOf finds the rule with the longest path that matches folder.
func ruleOf(folder string) (best rule, found bool) {
	for _, r := range rules {
		if matches(r.of, folder) && (!found || len(r.of) > len(best.of)) {
			best, found = r, true
		}
	}
	return best, found
}

// matches says whether path is meant by pattern: itself, or with /... at its end
// the folder and all below it. "..." alone means everything.
func matches(pattern, path string) bool {
	if pattern == "..." {
		return true
	}
	root, all := strings.CutSuffix(pattern, "/...")
	return path == root || all && strings.HasPrefix(path, root+"/")
}

func matchesAny(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return matches(p, path) })
}

func parseAll(t *testing.T) []file {
	t.Helper()
	root, err := os.OpenRoot("../..")
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	var files []file
	err = fs.WalkDir(root.FS(), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if path != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" {
			return nil
		}
		f, err := parse(root, path)
		files = append(files, f)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func parse(root *os.Root, path string) (file, error) {
	f := file{path: path, folder: filepath.Dir(path), test: strings.HasSuffix(path, "_test.go")}
	source, err := root.ReadFile(path)
	if err != nil {
		return f, err
	}
	parsed, err := parser.ParseFile(token.NewFileSet(), path, source, parser.ImportsOnly)
	if err != nil {
		return f, err
	}
	for _, spec := range parsed.Imports {
		imported, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return f, err
		}
		f.imports = append(f.imports, imported)
	}
	return f, nil
}
