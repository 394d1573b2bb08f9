package building

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"doorstation/provisioning"
)

func testSite(t *testing.T) *site {
	t.Helper()
	s, err := newSite(filepath.Join("..", "..", "..", "board", "sim.yaml"), netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.remove(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// What the building provisions is what a panel accepts.
func TestDocument(t *testing.T) {
	s := testSite(t)
	lim := provisioning.Limits{Board: s.board.Name, Relays: map[string]time.Duration{}}
	for _, r := range s.board.Relays {
		lim.Relays[r.Name] = time.Duration(r.MaxPulse)
	}
	for _, in := range s.board.Inputs {
		lim.Buttons = append(lim.Buttons, in.Name)
	}
	doc, err := provisioning.Decode([]byte(s.document()), "document", lim, nil)
	if err != nil {
		t.Fatalf("%v\n%s", err, s.document())
	}
	if doc.Account.Registrar != s.flats[0].SIP.String() || doc.Account.Password != s.password {
		t.Errorf("account %q at %q", doc.Account.User, doc.Account.Registrar)
	}
	if len(doc.Flats) != 2 || doc.Doors[0].Codes[0].Digits != RightCode {
		t.Errorf("%d flats, doors %+v", len(doc.Flats), doc.Doors)
	}
	if strings.HasPrefix(RightCode, wrongCode) || len(wrongCode) != len(RightCode) {
		t.Error("the wrong code would not be judged as a whole code")
	}
}

func TestSecretsAreNewAndPrivate(t *testing.T) {
	a, b := testSite(t), testSite(t)
	if a.password == b.password || a.fetchWord == b.fetchWord || a.password == a.fetchWord {
		t.Error("two buildings share a secret")
	}
	err := filepath.Walk(a.dir, func(path string, info os.FileInfo, err error) error {
		if err == nil && info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s has mode %v, others may look", path, info.Mode())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestReadAccounts(t *testing.T) {
	for content, want := range map[string]int{
		"panel:secret\n": 1, "# people\n\npanel:a:b\nother:c\n": 2, "": 0, "panel\n": -1, ":secret\n": -1, "panel:\n": -1,
	} {
		name := filepath.Join(t.TempDir(), "accounts")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadAccounts(name)
		if (want < 0) != (err != nil) || err == nil && len(got) != want {
			t.Errorf("%q: %d accounts, %v; want %d", content, len(got), err, want)
		}
		if err != nil && strings.Contains(err.Error(), "secret") {
			t.Errorf("the error tells the line: %v", err)
		}
	}
}

// shell runs a process of one shell command.
func shell(command string, restart bool) *process {
	return &process{name: "part", program: "/bin/sh", args: []string{"-c", command}, restart: restart}
}

func TestProcessStartsAgain(t *testing.T) {
	var lines bytes.Buffer
	out := &output{to: &lines}
	file := filepath.Join(t.TempDir(), "starts")
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	p := shell("echo started >> "+file+"; [ $(wc -l < "+file+") -ge 3 ] && exec sleep 60; kill -KILL $$", true)
	done := make(chan error, 1)
	go func() { done <- p.run(ctx, out) }()
	for {
		raw, err := os.ReadFile(file)
		if err == nil && bytes.Count(raw, []byte("\n")) >= 3 {
			break
		}
		select {
		case err := <-done:
			t.Fatalf("ended: %v", err)
		case <-time.After(time.Millisecond):
		}
	}
	stop()
	if err := <-done; err != nil {
		t.Errorf("asked to end: %v", err)
	}
	out.wait.Wait()
	if got := strings.Count(lines.String(), "starting it again"); got != 2 {
		t.Errorf("told of %d new starts, want 2:\n%s", got, lines.String())
	}
}

func TestProcessThatCannotStart(t *testing.T) {
	for name, p := range map[string]*process{
		"once":           shell("exit 3", false),
		"again":          shell("exit 3", true),
		"not there":      {name: "part", program: "/nonexistent", restart: true},
		"ends by itself": shell("exit 0", false),
	} {
		t.Run(name, func(t *testing.T) {
			out := &output{to: new(bytes.Buffer)}
			err := p.run(t.Context(), out)
			if err == nil || !strings.HasPrefix(err.Error(), "part: ") {
				t.Errorf("%v, want a reason that names the process", err)
			}
			if errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "%!") {
				t.Errorf("%v hides the reason", err)
			}
		})
	}
}
