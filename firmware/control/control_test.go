package control

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"doorstation/callflow/timeline"
)

// fakePanel records what was asked of it.
type fakePanel struct {
	mu     sync.Mutex
	status Status
	calls  []timeline.Record
	asked  []string
	err    error
	change chan struct{}
}

func (p *fakePanel) Status() Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.status
}

func (p *fakePanel) Calls() []timeline.Record { return p.calls }

func (p *fakePanel) note(what string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.asked = append(p.asked, what)
	return p.err
}

func (p *fakePanel) did() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked
}

func (p *fakePanel) Press(button string) error             { return p.note("press " + button) }
func (p *fakePanel) Open(door, who string) error           { return p.note("open " + door + " for " + who) }
func (p *fakePanel) Watch(context.Context) <-chan struct{} { return p.change }

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// start serves p and gives the socket's path and what ends the server.
func start(t *testing.T, s Server, path string) (stop func() error) {
	t.Helper()
	if s.Log == nil {
		s.Log = quiet()
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, path) }()
	stop = sync.OnceValue(func() error {
		cancel(errors.New("the test is over"))
		return <-ended
	})
	t.Cleanup(func() { stop() })
	for {
		if c, err := Dial(path); err == nil {
			c.Close()
			return stop
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("the server ended: %v", err)
		default:
		}
	}
}

func dial(t *testing.T, path string) *Client {
	t.Helper()
	c, err := Dial(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func TestAClientSeesWhatThePanelHas(t *testing.T) {
	p := &fakePanel{status: Status{
		Name: "Main entrance", Version: "1.2", Uptime: time.Minute,
		Registration: Registration{State: RegistrationRefused, Server: "192.0.2.1", Reason: "403 Forbidden"},
		Doors:        []Door{{Name: "front", Open: true}},
		Parts:        []Part{{Name: "camera", State: PartFailed, Error: "not fitted", Restarts: 3}},
		Missing:      []string{"built without cgo: no picture"},
	}, calls: []timeline.Record{{ID: "b", Marks: []timeline.Mark{{At: 5, Name: timeline.Press}}}, {ID: "a"}}}
	path := filepath.Join(t.TempDir(), SocketName)
	start(t, Server{Panel: p}, path)
	c := dial(t, path)
	if got, err := c.Status(t.Context()); err != nil || !reflect.DeepEqual(got, p.status) {
		t.Errorf("status %+v, %v; want %+v", got, err, p.status)
	}
	if got, err := c.Calls(t.Context()); err != nil || !reflect.DeepEqual(got, p.calls) {
		t.Errorf("calls %+v, %v; want %+v", got, err, p.calls)
	}
}

func TestACommandIsRecordedWithWhoAsked(t *testing.T) {
	p := &fakePanel{}
	var out bytes.Buffer
	path := filepath.Join(t.TempDir(), SocketName)
	stop := start(t, Server{Panel: p, Log: slog.New(slog.NewTextHandler(&out, nil))}, path)
	c := dial(t, path)
	if err := c.Press(t.Context(), "button1"); err != nil {
		t.Fatal(err)
	}
	if err := c.Open(t.Context(), "front"); err != nil {
		t.Fatal(err)
	}
	c.Close()
	stop()
	me := peer{uid: uint32(os.Getuid())}.String()
	if want := []string{"press button1", "open front for " + me}; !reflect.DeepEqual(p.did(), want) {
		t.Errorf("the panel did %q, want %q", p.did(), want)
	}
	for _, want := range []string{"command=press target=button1", "command=open target=front", me} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the log has no %q:\n%s", want, out.String())
		}
	}
}

func TestARefusalKeepsItsKindAndWords(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &fakePanel{}
	start(t, Server{Panel: p}, path)
	c := dial(t, path)
	for _, tt := range []struct {
		err  error
		want Error
	}{
		{Refuse(Unavailable, "the guard is not there"), Error{Unavailable, "the guard is not there"}},
		{fmt.Errorf("door front: %w", Refuse(NotFound, "no such door")), Error{NotFound, "door front: no such door"}},
		{errors.New("flash is full"), Error{Failed, "flash is full"}},
		{Refuse(Busy, "in a call"), Error{Busy, "in a call"}},
	} {
		p.mu.Lock()
		p.err = tt.err
		p.mu.Unlock()
		var got *Error
		if err := c.Open(t.Context(), "front"); !errors.As(err, &got) || *got != tt.want {
			t.Errorf("%v came as %#v, want %#v", tt.err, err, tt.want)
		}
	}
	if err := c.Open(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no door") {
		t.Errorf("without a door: %v", err)
	}
	if err := c.Press(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "no button") {
		t.Errorf("without a button: %v", err)
	}
	if n := len(p.did()); n != 4 {
		t.Errorf("the panel was asked %d times, want 4: a command without a target never reaches it", n)
	}
}

func TestWhatTheSocketDoesNotTake(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &fakePanel{}
	start(t, Server{Panel: p}, path)
	c := dial(t, path)
	for _, tt := range []struct {
		method, path, body string
		want               int
	}{
		{"GET", pathOpen, "", http.StatusNotFound},
		{"GET", pathPress + "?button=button1", "", http.StatusNotFound},
		{"POST", pathStatus, "{}", http.StatusNotFound},
		{"POST", "/v2/open", `{"door":"front"}`, http.StatusNotFound},
		{"POST", pathOpen, "", http.StatusBadRequest},
		{"POST", pathOpen, `{"door":`, http.StatusBadRequest},
		{"POST", pathOpen, `{"door":7}`, http.StatusBadRequest},
		{"POST", pathOpen, `{"door":"front","for":"10s"}`, http.StatusBadRequest},
		{"POST", pathOpen, `{"door":"` + strings.Repeat("x", maxBody) + `"}`, http.StatusBadRequest},
	} {
		req, _ := http.NewRequest(tt.method, "http://panel"+tt.path, strings.NewReader(tt.body))
		resp, err := c.http.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var refusal Error
		if err := json.NewDecoder(resp.Body).Decode(&refusal); err != nil || resp.StatusCode != tt.want || refusal.Message == "" {
			t.Errorf("%s %s %.40s: %d %+v (%v), want %d with a reason", tt.method, tt.path, tt.body, resp.StatusCode, refusal, err, tt.want)
		}
		resp.Body.Close()
	}
	if len(p.did()) != 0 {
		t.Errorf("the panel did %q, want nothing", p.did())
	}
}

func TestWhoIsAdmitted(t *testing.T) {
	me, other := uint32(os.Geteuid()), uint32(54321)
	for _, tt := range []struct {
		name  string
		who   peer
		group int
		want  bool
	}{
		{"root", peer{uid: 0}, 0, true},
		{"the daemon's own user", peer{uid: me}, 0, true},
		{"another user", peer{uid: other, gid: other}, 0, false},
		{"another user of group 0, no group configured", peer{uid: other, gid: 0}, 0, false},
		{"a member of the group", peer{uid: other, gid: 777}, 777, true},
		{"a member of another group", peer{uid: other, gid: 778}, 777, false},
		{"nobody knows who", peer{uid: me, err: errors.New("no SO_PEERCRED")}, 0, false},
	} {
		if err := tt.who.admit(tt.group); (err == nil) != tt.want {
			t.Errorf("%s: %v, want admitted %v", tt.name, err, tt.want)
		}
	}
}

// Whoever is not admitted reaches nothing, whatever the path.
func TestTheStrangerReachesNothing(t *testing.T) {
	p := &fakePanel{}
	routes := Server{Panel: p, Log: quiet()}.routes()
	for _, who := range []any{nil, peer{uid: 54321, gid: 54321}} {
		for _, path := range []string{pathStatus, pathCalls, pathWatch, pathPress, pathOpen, "/"} {
			for _, method := range []string{"GET", "POST"} {
				ctx := context.WithValue(t.Context(), peerKey{}, who)
				req, _ := http.NewRequestWithContext(ctx, method, "http://panel"+path, strings.NewReader(`{"door":"front"}`))
				w := &recorder{header: http.Header{}}
				routes.ServeHTTP(w, req)
				if w.status != http.StatusForbidden {
					t.Errorf("%s %s as %v: %d %s, want 403", method, path, who, w.status, w.body.String())
				}
			}
		}
	}
	if len(p.did()) != 0 {
		t.Errorf("the panel did %q, want nothing", p.did())
	}
}

type recorder struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (r *recorder) Header() http.Header         { return r.header }
func (r *recorder) WriteHeader(status int)      { r.status = status }
func (r *recorder) Write(b []byte) (int, error) { return r.body.Write(b) }

func TestThePeerIsAskedOfTheKernel(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	if got, want := readPeer(far), (peer{uid: uint32(os.Getuid()), gid: uint32(os.Getgid())}); got != want {
		t.Errorf("the peer is %+v, want %+v", got, want)
	}
	a, b := net.Pipe()
	defer a.Close()
	defer b.Close()
	if readPeer(a).err == nil {
		t.Error("a connection without credentials passed")
	}
}

func TestTheSocketIsNotForAll(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	stop := start(t, Server{Panel: &fakePanel{}, Group: os.Getgid()}, path)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("mode %v, %v; want 660", info.Mode(), err)
	}
	if err := stop(); err == nil || err.Error() != "the test is over" {
		t.Errorf("the server ended with %v, want the context's cause", err)
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the socket is still there: %v", err)
	}
}

func TestASecondDaemonIsRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &fakePanel{}
	stop := start(t, Server{Panel: p}, path)
	if err := Serve(t.Context(), path, p, quiet()); !errors.Is(err, ErrRunning) || !strings.Contains(err.Error(), path) {
		t.Errorf("a second daemon got %v, want ErrRunning with the path", err)
	}
	if err := dial(t, path).Press(t.Context(), "button1"); err != nil {
		t.Errorf("the first daemon's socket suffered: %v", err)
	}
	stop()
	start(t, Server{Panel: p}, path)
}

func TestASocketLeftByTheDeadIsReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	for _, name := range []string{path, filepath.Join(filepath.Dir(path), "."+SocketName+".new")} {
		dead, err := net.ListenUnix("unix", &net.UnixAddr{Name: name, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		dead.SetUnlinkOnClose(false)
		dead.Close()
	}
	if _, err := Dial(path); err == nil || !strings.Contains(err.Error(), "start doorstationd again") {
		t.Errorf("a dead socket: %v", err)
	}
	start(t, Server{Panel: &fakePanel{}}, path)
}

func TestDialTellsWhatToDo(t *testing.T) {
	_, err := Dial(filepath.Join(t.TempDir(), SocketName))
	if err == nil || !strings.Contains(err.Error(), "start doorstationd") {
		t.Errorf("no socket: %v", err)
	}
}

func TestWatchSendsEachChange(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &fakePanel{change: make(chan struct{}), status: Status{Name: "one"}}
	start(t, Server{Panel: p}, path)
	resp, err := dial(t, path).http.Get("http://panel" + pathWatch)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	lines := bufio.NewReader(resp.Body)
	for _, want := range []string{"one", "two"} {
		p.mu.Lock()
		p.status.Name = want
		p.mu.Unlock()
		if want != "one" {
			p.change <- struct{}{}
		}
		line, err := lines.ReadString('\n')
		if err != nil || !strings.HasPrefix(line, `data: {"name":"`+want+`"`) {
			t.Errorf("got %q, %v; want the status of %q", line, err, want)
		}
		if empty, _ := lines.ReadString('\n'); empty != "\n" {
			t.Errorf("an event ends with %q, want an empty line", empty)
		}
	}
	close(p.change)
	if rest, err := io.ReadAll(lines); len(rest) != 0 || err != nil {
		t.Errorf("after the last change: %q, %v", rest, err)
	}
}
