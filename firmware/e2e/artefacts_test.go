package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// Folders of the tests that run, by test.
var folders sync.Map

// artefacts is the folder of this test's logs, captures and recordings. It stays
// when the test fails.
func artefacts(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(artefactsRoot(t), strings.ReplaceAll(t.Name(), "/", "."))
	if _, known := folders.LoadOrStore(t, dir); known {
		return dir
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		folders.Delete(t)
		if t.Failed() {
			t.Logf("logs and recordings: %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	return dir
}

func artefactsRoot(t testing.TB) string {
	t.Helper()
	root := os.Getenv("DOORSTATION_ARTEFACTS")
	if root == "" {
		root = "../../dist/artefacts"
	}
	root, err := filepath.Abs(filepath.Join(root, "e2e"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(root, 0o755); err != nil {
		t.Fatal(err)
	}
	return root
}

// scratch is a folder for a peer's own files, beside its log.
func scratch(t testing.TB, name string) string {
	t.Helper()
	dir := filepath.Join(artefacts(t), name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// write puts a file of a peer's configuration into dir and returns its path.
func write(t testing.TB, dir, name string, lines ...string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}
