package station

import (
	"bytes"
	"context"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAttendantTellsTheServiceManager(t *testing.T) {
	sick, told := "", []string(nil)
	var log bytes.Buffer
	a := &attendant{
		log:  slog.New(slog.NewTextHandler(&log, nil)),
		sick: func() string { return sick },
		tell: func(state string) { told = append(told, state) },
	}
	look := func(s, want string) {
		t.Helper()
		sick, told = s, nil
		a.look()
		if got := strings.Join(told, " "); got != want {
			t.Errorf("with %q sick told %q, want %q", s, got, want)
		}
	}
	look("", "")
	look("call", "")
	look("", "")
	look("", "READY=1")
	look("", "WATCHDOG=1")
	for range hangsFor - 1 { // a busy machine is worth no line
		look("line", "")
	}
	look("", "WATCHDOG=1")
	if log.Len() != 0 {
		t.Errorf("logged %s", log.String())
	}
	for range 2 * hangsFor {
		look("line", "")
	}
	look("", "WATCHDOG=1")
	look("", "WATCHDOG=1")
	for _, line := range []string{`msg="loop hangs" loop=line`, `msg="loop turns again" loop=line`} {
		if n := strings.Count(log.String(), line); n != 1 {
			t.Errorf("%s: logged %d times in\n%s", line, n, log.String())
		}
	}
	told = nil
	a.stopping()
	if !slices.Equal(told, []string{"STOPPING=1"}) {
		t.Errorf("told %q at the end", told)
	}
}

// A panel whose loops turn has started after two looks; one of which a loop hangs
// from the start never has.
func TestAttendantWaitsForTheLoops(t *testing.T) {
	for name, c := range map[string]struct {
		loop turner
		want []string
	}{
		"turns": {new(timers), []string{"READY=1", "WATCHDOG=1"}},
		"hangs": {new(fakeLoop), nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told []string
				h := newHealth(watchedLoop{"call", always(c.loop)})
				a := &attendant{log: slog.New(slog.DiscardHandler), sick: h.Sick, every: attendEvery, tell: func(state string) { told = append(told, state) }}
				ctx, stop := context.WithCancel(t.Context())
				ended := make(chan struct{})
				go func() { a.run(ctx); close(ended) }()
				time.Sleep(3*attendEvery + time.Millisecond)
				stop()
				<-ended
				if !slices.Equal(told, c.want) {
					t.Errorf("told %q, want %q", told, c.want)
				}
			})
		})
	}
}

// The words arrive at the socket that the service manager names.
func TestAttendantSpeaksToTheSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "900000")
	s := &Station{log: slog.New(slog.DiscardHandler), health: newHealth()}
	a := s.attendant()
	if a.every.Milliseconds() != 300 {
		t.Errorf("looks every %v, a third of the watchdog's 900ms is wanted", a.every)
	}
	for range openTooLong {
		a.look()
	}
	buf := make([]byte, 64)
	n, err := conn.Read(buf)
	if err != nil || string(buf[:n]) != "READY=1" {
		t.Errorf("heard %q, %v", buf[:n], err)
	}
}
