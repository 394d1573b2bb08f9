package control

import (
	"context"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
)

// checkPanel is a fakePanel whose wiring can be walked along.
type checkPanel struct {
	fakePanel
	seen  chan Sighting
	ended chan struct{}
}

func (p *checkPanel) Check(ctx context.Context, who string) (Wiring, <-chan Sighting, error) {
	if err := p.note("check for " + who); err != nil {
		return Wiring{}, nil, err
	}
	context.AfterFunc(ctx, func() { close(p.ended) })
	return Wiring{Board: "sim", Inputs: []Wire{{Name: "button1", Role: RoleButton}}, Pulse: 1}, p.seen, nil
}

func (p *checkPanel) Try(_ context.Context, t Trial, who string) (Finding, error) {
	err := p.note("try " + t.Do + " " + t.Name + " for " + who)
	return Finding{Microphone: -20, Picture: &Picture{Width: 640, JPEG: []byte{1, 2}}}, err
}

func TestCheck(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &checkPanel{seen: make(chan Sighting), ended: make(chan struct{})}
	start(t, Server{Panel: p}, path)
	c := dial(t, path)

	ctx, stop := context.WithCancel(t.Context())
	wiring, seen, err := c.Check(ctx)
	if err != nil || wiring.Board != "sim" || wiring.Inputs[0].Role != RoleButton {
		t.Fatalf("%+v, %v", wiring, err)
	}
	for _, want := range []Sighting{{Name: "button1", Active: true, At: 5}, {Name: "door1"}} {
		p.seen <- want
		if got := <-seen; got != want {
			t.Errorf("seen %+v, want %+v", got, want)
		}
	}
	found, err := c.Try(t.Context(), Trial{Do: TryLamp, Name: "open", On: true})
	if err != nil || found.Microphone != -20 || !reflect.DeepEqual(found.Picture, &Picture{Width: 640, JPEG: []byte{1, 2}}) {
		t.Errorf("%+v, %v", found, err)
	}
	stop() // the end of the connection is the end of the check
	<-p.ended
	if _, more := <-seen; more {
		t.Error("there is more to see")
	}
	asked := p.did()
	if len(asked) != 2 || !strings.HasPrefix(asked[0], "check for uid") || !strings.HasPrefix(asked[1], "try lamp open for uid") {
		t.Errorf("asked %q", asked)
	}
}

// TestCheckEndsWithItsRequest sees that a check whose panel tells nothing is not
// served for ever.
func TestCheckEndsWithItsRequest(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	stop()
	p := &checkPanel{ended: make(chan struct{})} // nothing ever comes to be seen
	s := Server{Panel: p, Log: quiet()}
	s.check(httptest.NewRecorder(), httptest.NewRequest("GET", pathCheck, nil).WithContext(ctx), p)
	<-p.ended
}

func TestCheckEndsWithThePanel(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &checkPanel{seen: make(chan Sighting), ended: make(chan struct{})}
	start(t, Server{Panel: p}, path)
	_, seen, err := dial(t, path).Check(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	close(p.seen)
	if _, more := <-seen; more {
		t.Error("there is more to see")
	}
}

func TestCheckRefused(t *testing.T) {
	path := filepath.Join(t.TempDir(), SocketName)
	p := &checkPanel{}
	p.err = Refuse(Busy, "in a call")
	start(t, Server{Panel: p}, path)
	c := dial(t, path)
	var refusal *Error
	if _, _, err := c.Check(t.Context()); !errors.As(err, &refusal) || refusal.Kind != Busy {
		t.Errorf("check: %v", err)
	}
	if _, err := c.Try(t.Context(), Trial{Do: TryTone}); !errors.As(err, &refusal) || refusal.Message != "in a call" {
		t.Errorf("try: %v", err)
	}

	plain := filepath.Join(t.TempDir(), SocketName)
	start(t, Server{Panel: &fakePanel{}}, plain)
	if _, _, err := dial(t, plain).Check(t.Context()); !errors.As(err, &refusal) || refusal.Kind != NotFound {
		t.Errorf("a panel without checks: %v", err)
	}
}
