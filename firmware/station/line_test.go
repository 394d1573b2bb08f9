package station

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow/sipua"
	"doorstation/firmware/control"
)

func account(user string) lineRule {
	return lineRule{account: sipua.Account{User: user}}
}

// While one user agent takes its leave and the next is not there yet, a call
// fails at once instead of being lost.
func TestLineIsDownBetweenTwoAgents(t *testing.T) {
	l := newLine("test", slog.New(slog.DiscardHandler))
	var told []sipua.Event
	l.on = func(_ lineRule, ev sipua.Event) { told = append(told, ev) }
	addr := netip.MustParseAddr("192.0.2.1")
	l.set(account("old"))
	l.use(account("old"), new(sipua.UA), addr)
	if l.agent() == nil {
		t.Fatal("no user agent")
	}
	l.set(account("new"))
	l.use(account("old"), new(sipua.UA), addr) // late
	if l.agent() != nil {
		t.Error("the former user agent still gets calls")
	}
	if _, err := l.mediaParams(mediaRule{}, ""); err == nil {
		t.Error("a leg can be opened without a line")
	}
	l.ring(1, sipua.Invitation{Target: "sip:x@y"})
	if len(told) != 1 || told[0].(sipua.Refused).Status != 503 {
		t.Errorf("the call got %v, want its refusal", told)
	}
}

func TestFormerRegistrationIsNotTold(t *testing.T) {
	l := newLine("test", slog.New(slog.DiscardHandler))
	l.on = func(lineRule, sipua.Event) {}
	l.set(account("old"))
	l.set(account("new"))
	l.event(account("old"), sipua.Registered{Server: "x"})
	if l.obeys(account("old")) || l.registration().State != control.RegistrationTrying {
		t.Errorf("the state is %+v", l.registration())
	}
	l.event(account("new"), sipua.Registered{Server: "x"})
	if !l.obeys(account("new")) || l.registration().State != control.RegistrationOK {
		t.Errorf("the state is %+v", l.registration())
	}
}

// A press does not wait for the name of the STUN server.
func TestLegTakesTheServerThatWasFound(t *testing.T) {
	l := newLine("test", slog.New(slog.DiscardHandler))
	rule := lineRule{stun: "stun.invalid"}
	l.set(rule)
	l.use(rule, new(sipua.UA), netip.MustParseAddr("192.0.2.1"))
	if p, err := l.mediaParams(mediaRule{stun: "stun.invalid"}, ""); err != nil || p.STUN.IsValid() {
		t.Errorf("before it is found: %v, %v", p.STUN, err)
	}
	server := netip.MustParseAddrPort("192.0.2.9:3478")
	l.found(lineRule{}, netip.MustParseAddrPort("192.0.2.10:3478")) // of a former rule
	l.found(rule, server)
	if p, err := l.mediaParams(mediaRule{stun: "stun.invalid"}, ""); err != nil || p.STUN != server {
		t.Errorf("the leg asks %v, %v; want %v", p.STUN, err, server)
	}
}

func TestLostAddressEndsTheAgent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newLine("test", slog.New(slog.DiscardHandler))
		addr := netip.MustParseAddr("192.0.2.1")
		var gone atomic.Bool
		l.present = func(a netip.Addr) bool { return a != addr || !gone.Load() }
		l.set(account("panel"))
		l.use(account("panel"), new(sipua.UA), addr)
		ctx, stop := context.WithCancel(t.Context())
		go l.stopWhenGone(ctx, stop, account("panel"), addr)
		time.Sleep(time.Minute)
		synctest.Wait()
		if ctx.Err() != nil || l.agent() == nil {
			t.Fatal("stopped though the address is there")
		}
		gone.Store(true)
		time.Sleep(addressCheck)
		gone.Store(false) // for a moment
		time.Sleep(time.Minute)
		synctest.Wait()
		if ctx.Err() != nil {
			t.Fatal("stopped though the address was away for a moment only")
		}
		gone.Store(true)
		time.Sleep(2*addressCheck + time.Second)
		synctest.Wait()
		if ctx.Err() == nil || l.agent() != nil {
			t.Error("still at the address that is gone")
		}
	})
}

func TestWhoseAddress(t *testing.T) {
	for addr, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "192.0.2.77": false, "2001:db8::77": false} {
		if got := isOurs(netip.MustParseAddr(addr)); got != want {
			t.Errorf("%s is ours: %v, want %v", addr, got, want)
		}
	}
}
