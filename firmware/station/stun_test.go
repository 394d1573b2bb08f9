package station

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/media/nat"
)

// A fakeSocket counts what is sent to whom; nobody answers.
type fakeSocket struct {
	mu   sync.Mutex
	sent map[netip.AddrPort]int
}

func (s *fakeSocket) WriteTo(_ []byte, to netip.AddrPort) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent[to]++
	return nil
}

func (s *fakeSocket) SetPublic(netip.AddrPort) {}

// A STUN server whose name has moved is found at its new address, and one that
// cannot be found is looked for again.
func TestSTUNServerIsLookedUpAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, second := netip.MustParseAddrPort("192.0.2.1:3478"), netip.MustParseAddrPort("192.0.2.2:3478")
		answers := []netip.AddrPort{{}, first, {}, second}
		l := newLine("test", slog.New(slog.DiscardHandler))
		asked := 0
		l.lookUp = func(host string, port int) (netip.AddrPort, error) {
			if host != "stun.example" || port != stunPort {
				t.Errorf("looked up %s, port %d", host, port)
			}
			answer := answers[min(asked, len(answers)-1)]
			asked++
			if !answer.IsValid() {
				return answer, errors.New("no such host")
			}
			return answer, nil
		}
		rule := lineRule{stun: "stun.example", stunTime: 15 * time.Second}
		l.set(rule)
		socket := &fakeSocket{sent: make(map[netip.AddrPort]int)}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		var keeper atomic.Pointer[nat.Keeper]
		go func() { l.keepMapped(ctx, socket, rule, &keeper); close(ended) }()
		time.Sleep(3*15*time.Second + 39*time.Second + 2*time.Second)
		synctest.Wait()
		if socket.sent[first] != 7 || socket.sent[second] == 0 || asked != 4 {
			t.Errorf("looked up %d times, sent %v", asked, socket.sent)
		}
		if l.stun != second {
			t.Errorf("legs ask %v", l.stun)
		}
		stop()
		<-ended
	})
}
