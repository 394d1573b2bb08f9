package station

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"doorstation/board"
	"doorstation/board/compile"
	"doorstation/drivers/guard"
)

// hangVariable makes this test binary, started again, a panel in that folder
// whose loops can be hung.
const hangVariable = "STATION_TEST_HANG"

func TestMain(m *testing.M) {
	if dir := os.Getenv(hangVariable); dir != "" {
		if err := playPanel(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

// playPanel is a panel until its standard input ends. A line of it names the loop
// to hang.
func playPanel(dir string) error {
	file := filepath.Join("..", "..", "board", "sim.yaml")
	raw, err := os.ReadFile(file)
	if err == nil {
		raw, err = compile.Compile(file, raw)
	}
	if err != nil {
		return err
	}
	b, err := board.Parse(raw)
	if err != nil {
		return err
	}
	s, err := New(Options{
		Board: b, Run: dir, Data: filepath.Join(dir, "data"), File: filepath.Join(dir, "config.yaml"), Version: "test",
		Log: slog.New(slog.NewTextHandler(os.Stderr, nil)),
	})
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancelCause(context.Background())
	go s.obey(ctx, stop)
	if err := s.Run(ctx); !errors.Is(err, errOver) {
		return err
	}
	return nil
}

var errOver = errors.New("the test is over")

// obey tells when the panel is up, and hangs what it is told to.
func (s *Station) obey(ctx context.Context, stop context.CancelCauseFunc) {
	changed := s.Watch(ctx)
	for every := time.NewTicker(10 * time.Millisecond); !s.Status().Guard.Connected || s.line.agent() == nil; {
		select {
		case <-every.C:
		case <-changed:
		}
	}
	fmt.Println("up")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		hang := func() { select {} }
		switch in.Text() {
		case "call":
			s.owner.box.post(hang)
		case "line":
			s.line.agent().Turn(hang)
		}
	}
	stop(errOver)
}

// startHanging starts one, and waits until it is up.
func startHanging(t *testing.T, dir string) (cmd *exec.Cmd, tell func(word string), stderr *logBuffer) {
	t.Helper()
	cmd, stderr = exec.Command(os.Args[0]), new(logBuffer)
	cmd.Env = append(os.Environ(), hangVariable+"="+dir)
	cmd.Stderr = stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "up\n" {
		t.Fatalf("the panel says %q, %v\n%s", line, err, stderr)
	}
	return cmd, func(word string) {
		if word == "" {
			in.Close()
			return
		}
		fmt.Fprintln(in, word)
	}, stderr
}

// A panel of which one loop hangs is ended by the guard, with all its goroutines
// in the log, and can be started again.
func TestHungPanelIsEnded(t *testing.T) {
	for _, loop := range []string{"call", "line"} {
		t.Run(loop, func(t *testing.T) {
			t.Parallel()
			dir := shortDir(t)
			if err := os.WriteFile(filepath.Join(dir, "config.yaml"), []byte(hangConfig), 0o600); err != nil {
				t.Fatal(err)
			}
			var told logBuffer
			ctx, stop := context.WithCancel(context.Background())
			served := make(chan error, 1)
			go func() {
				served <- guard.Serve(ctx, guard.Options{Socket: filepath.Join(dir, "guard.sock"), Log: &told})
			}()
			defer func() {
				stop()
				if err := <-served; err != nil {
					t.Errorf("guard: %v", err)
				}
			}()

			cmd, tell, stderr := startHanging(t, dir)
			tell(loop)
			began := time.Now()
			err := cmd.Wait()
			t.Logf("ended %v after the loop hung", time.Since(began).Round(time.Millisecond))
			status, _ := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if !strings.Contains(stderr.String(), "SIGABRT") || !strings.Contains(stderr.String(), "goroutine ") || status.ExitStatus() == 0 {
				t.Errorf("ended with %v, and wrote\n%s", err, stderr)
			}
			if !strings.Contains(told.String(), loop) {
				t.Errorf("the guard does not name the loop:\n%s", &told)
			}

			cmd, tell, stderr = startHanging(t, dir)
			tell("")
			if err := cmd.Wait(); err != nil {
				t.Errorf("the next one ended with %v\n%s", err, stderr)
			}
		})
	}
}

const hangConfig = `
revision: "1"
network: {address: 127.0.0.1, sip_port: 0}
account: {user: panel, domain: "127.0.0.1", registrar: "127.0.0.1:9"}
`
