package nat

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/pion/stun/v2"
)

var (
	server = netip.MustParseAddrPort("192.0.2.3:3478")
	outer  = netip.MustParseAddrPort("203.0.113.7:41000")
	other  = netip.MustParseAddrPort("203.0.113.7:41001")
)

// reply answers a request with a mapped address.
func reply(t testing.TB, id ID, mapped netip.AddrPort) []byte {
	t.Helper()
	m, err := stun.Build(stun.NewTransactionIDSetter(id), stun.BindingSuccess,
		&stun.XORMappedAddress{IP: mapped.Addr().AsSlice(), Port: int(mapped.Port())}, stun.Fingerprint)
	if err != nil {
		t.Fatal(err)
	}
	return m.Raw
}

func TestMessages(t *testing.T) {
	raw, id, err := Request()
	if err != nil || !IsMessage(raw) {
		t.Fatalf("%v, % x", err, raw)
	}
	if _, again, _ := Request(); again == id {
		t.Error("two requests with one transaction id")
	}
	if !IsMessage(Indication()) {
		t.Error("an indication is no message")
	}
	if _, ok := ParseResponse(raw); ok {
		t.Error("a request is taken for a response")
	}
	if _, ok := ParseResponse(Indication()); ok {
		t.Error("an indication is taken for a response")
	}
	r, ok := ParseResponse(reply(t, id, outer))
	if !ok || r.ID != id || r.Mapped != outer || r.Err != nil {
		t.Errorf("%+v", r)
	}
}

func TestOtherResponses(t *testing.T) {
	build := func(setters ...stun.Setter) []byte {
		m, err := stun.Build(append([]stun.Setter{stun.NewTransactionIDSetter(ID{1})}, setters...)...)
		if err != nil {
			t.Fatal(err)
		}
		return m.Raw
	}
	six := netip.MustParseAddrPort("[2001:db8::7]:5000")
	for name, tt := range map[string]struct {
		raw    []byte
		mapped netip.AddrPort
		fails  bool
	}{
		"plain, of an old server": {build(stun.BindingSuccess, &stun.MappedAddress{IP: outer.Addr().AsSlice(), Port: 41000}), outer, false},
		"IPv6":                    {build(stun.BindingSuccess, &stun.XORMappedAddress{IP: six.Addr().AsSlice(), Port: 5000}), six, false},
		"without an address":      {build(stun.BindingSuccess), netip.AddrPort{}, true},
		"port 0":                  {build(stun.BindingSuccess, &stun.XORMappedAddress{IP: outer.Addr().AsSlice()}), netip.AddrPort{}, true},
		"refused":                 {build(stun.BindingError, stun.CodeUnauthorized), netip.AddrPort{}, true},
		"refused without reason":  {build(stun.BindingError), netip.AddrPort{}, true},
	} {
		t.Run(name, func(t *testing.T) {
			r, ok := ParseResponse(tt.raw)
			if !ok || r.Mapped != tt.mapped || (r.Err != nil) != tt.fails {
				t.Errorf("%v %+v", ok, r)
			}
		})
	}
}

func TestIsMessage(t *testing.T) {
	raw := Indication()
	for name, pkt := range map[string][]byte{
		"nothing":        nil,
		"keepalive":      []byte("\r\n\r\n"),
		"SIP":            []byte("SIP/2.0 200 OK\r\nVia: x\r\n"),
		"RTP":            append([]byte{0x80, 0, 0, 0}, raw[4:]...),
		"another cookie": append(bytes.Clone(raw[:4]), make([]byte, 16)...),
		"cut":            raw[:19],
		"longer":         append(bytes.Clone(raw), 0),
	} {
		if IsMessage(pkt) {
			t.Errorf("%s is taken for STUN", name)
		}
	}
}

// A wire is the socket of a keeper.
type wire struct {
	mu   sync.Mutex
	sent []time.Duration
	raw  []byte
	from time.Time
	fail error
}

func (w *wire) write(raw []byte, to netip.AddrPort) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.sent = append(w.sent, time.Since(w.from))
	w.raw = bytes.Clone(raw)
	return w.fail
}

func (w *wire) id() ID {
	w.mu.Lock()
	defer w.mu.Unlock()
	m := &stun.Message{Raw: w.raw}
	if m.Decode() != nil {
		return ID{}
	}
	return m.TransactionID
}

// RFC 5389 section 7.2.1: requests at 0, 500, 1500, 3500, 7500, 15500 and
// 31500 ms, failed at 39500 ms.
func TestRetransmission(t *testing.T) {
	for name, fail := range map[string]error{"silent server": nil, "broken socket": errors.New("network is down")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := &wire{from: time.Now(), fail: fail}
				k := NewKeeper(server, time.Minute, w.write, func(netip.AddrPort) { t.Error("mapped by nobody") })
				ctx, cancel := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); k.Run(ctx) }()
				time.Sleep(99501 * time.Millisecond)
				cancel()
				<-done
				want := []time.Duration{0, 500, 1500, 3500, 7500, 15500, 31500, 39500 + 60000}
				for i := range want {
					want[i] *= time.Millisecond
				}
				if !slices.Equal(w.sent, want) {
					t.Errorf("sent at %v, want %v", w.sent, want)
				}
			})
		})
	}
}

func TestKeeperLearnsAndKeeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{from: time.Now()}
		var learnt []netip.AddrPort
		k := NewKeeper(server, 15*time.Second, w.write, func(m netip.AddrPort) { learnt = append(learnt, m) })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		go k.Run(ctx)
		for _, mapped := range []netip.AddrPort{outer, outer, other} {
			synctest.Wait()
			if !k.Handle(reply(t, w.id(), mapped), server) {
				t.Error("a response is not taken")
			}
			time.Sleep(15 * time.Second)
		}
		synctest.Wait()
		if want := []netip.AddrPort{outer, other}; !slices.Equal(learnt, want) {
			t.Errorf("told %v, want %v", learnt, want)
		}
		if got, ok := k.Mapped(); !ok || got != other {
			t.Errorf("mapped %v", got)
		}
		if want := []time.Duration{0, 15 * time.Second, 30 * time.Second}; !slices.Equal(w.sent[:3], want) {
			t.Errorf("sent at %v, want %v", w.sent, want)
		}
	})
}

// A server that falls silent is lost after 39.5 s, and one that answers never is.
func TestRunUntilLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{from: time.Now()}
		k := NewKeeper(server, time.Minute, w.write, func(netip.AddrPort) {})
		ended := make(chan time.Duration, 1)
		go func() { k.RunUntilLost(t.Context()); ended <- time.Since(w.from) }()
		for range 3 {
			synctest.Wait()
			k.Handle(reply(t, w.id(), outer), server)
			time.Sleep(time.Minute)
		}
		if got, want := <-ended, 3*time.Minute+39500*time.Millisecond; got != want {
			t.Errorf("lost after %v, want %v", got, want)
		}
	})
}

func TestOnlyTheServersAnswerCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &wire{from: time.Now()}
		told := 0
		k := NewKeeper(server, time.Minute, w.write, func(netip.AddrPort) { told++ })
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		if !k.Handle(reply(t, ID{}, outer), server) {
			t.Error("STUN is handed on to others")
		}
		go k.Run(ctx)
		synctest.Wait()
		id := w.id()
		wrong := id
		wrong[0]++
		for name, try := range map[string]func() bool{
			"another id":      func() bool { return k.Handle(reply(t, wrong, outer), server) },
			"another port":    func() bool { return k.Handle(reply(t, id, outer), netip.AddrPortFrom(server.Addr(), 9)) },
			"another address": func() bool { return k.Handle(reply(t, id, outer), outer) },
		} {
			if !try() || told != 0 {
				t.Errorf("%s: told %d times", name, told)
			}
		}
		if k.Handle([]byte("REGISTER sip:x SIP/2.0\r\n\r\n"), server) {
			t.Error("SIP is taken for STUN")
		}
		for range 3 { // the same answer again is nobody's
			k.Handle(reply(t, id, outer), netip.AddrPortFrom(netip.AddrFrom16(server.Addr().As16()), server.Port()))
		}
		if told != 1 {
			t.Errorf("told %d times", told)
		}
	})
}

func FuzzParseResponse(f *testing.F) {
	f.Add(reply(f, ID{1, 2, 3}, outer))
	f.Add(Indication())
	raw, _, _ := Request()
	f.Add(raw)
	m, err := stun.Build(stun.NewTransactionIDSetter(ID{9}), stun.BindingError, stun.CodeServerError)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(m.Raw)
	f.Fuzz(func(t *testing.T, pkt []byte) {
		r, ok := ParseResponse(pkt)
		if ok && (r.Err == nil) != r.Mapped.IsValid() {
			t.Errorf("%+v", r)
		}
		if ok && !IsMessage(pkt) {
			t.Error("a response that is no message")
		}
	})
}
