package emulator

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

const (
	suite   = "bookworm"
	keyring = "/usr/share/keyrings/debian-archive-keyring.gpg"
)

// mirrorOf is where this machine gets Debian from, by its own apt sources.
func mirrorOf(ctx context.Context) (string, error) {
	out, err := command(ctx, "apt-get", "indextargets",
		"--format", "$(RELEASE) $(COMPONENT) $(REPO_URI)", "Identifier: Packages")
	if err != nil {
		return "", err
	}
	return mirrorIn(out)
}

// mirrorIn finds the suite's main component in a list of "release component
// URI".
func mirrorIn(targets string) (string, error) {
	for line := range strings.Lines(targets) {
		if uri, ok := strings.CutPrefix(strings.TrimSpace(line), suite+" main "); ok {
			return uri, nil
		}
	}
	return "", fmt.Errorf("emulator: this machine's apt knows no source of Debian %s main: add one to its sources", suite)
}

// An aptRoot is a configuration and state of apt apart from the machine's own.
type aptRoot struct{ dir string }

// openAptRoot makes one that knows what the mirror of this machine has for an
// architecture. It is to be closed.
func openAptRoot(ctx context.Context, arch string) (*aptRoot, error) {
	mirror, err := mirrorOf(ctx)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "doorstation-apt-")
	if err != nil {
		return nil, fmt.Errorf("emulator: %w", err)
	}
	a := &aptRoot{dir: dir}
	err = a.configure(arch, mirror)
	if err == nil {
		_, err = a.run(ctx, "apt-get", "update", "-q")
	}
	if err != nil {
		a.close()
		return nil, err
	}
	return a, nil
}

func (a *aptRoot) close() { _ = os.RemoveAll(a.dir) }

// configure makes its folders and settings.
func (a *aptRoot) configure(arch, mirror string) error {
	for _, sub := range []string{"etc/preferences.d", "etc/trusted.gpg.d", "etc/apt.conf.d", "state/lists/partial", "cache/archives/partial", "log"} {
		if err := os.MkdirAll(filepath.Join(a.dir, sub), 0o755); err != nil {
			return err
		}
	}
	files := map[string]string{
		"state/status":     "",
		"etc/sources.list": fmt.Sprintf("deb [signed-by=%s] %s %s main\n", keyring, mirror, suite),
		"apt.conf": fmt.Sprintf(`APT::Architecture "%s";
APT::Architectures { "%s"; };
APT::Sandbox::User "";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Etc "%[3]s/etc/";
Dir::Etc::sourcelist "%[3]s/etc/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::State "%[3]s/state/";
Dir::State::status "%[3]s/state/status";
Dir::Cache "%[3]s/cache/";
Dir::Log "%[3]s/log/";
`, arch, arch, a.dir),
	}
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(a.dir, name), []byte(content), 0o644); err != nil {
			return err
		}
	}
	return nil
}

func (a *aptRoot) run(ctx context.Context, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = a.dir
	cmd.Env = append(os.Environ(), "APT_CONFIG="+filepath.Join(a.dir, "apt.conf"), "LC_ALL=C.UTF-8")
	return output(cmd)
}

// dependency finds the package that a metapackage stands for.
func (a *aptRoot) dependency(ctx context.Context, meta, prefix string) (string, error) {
	out, err := a.run(ctx, "apt-cache", "depends", "--important", meta)
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		name, found := strings.CutPrefix(strings.TrimSpace(line), "Depends: "+prefix)
		if found {
			return prefix + name, nil
		}
	}
	return "", fmt.Errorf("emulator: package %s depends on no %s…: its mirror has changed", meta, prefix)
}
