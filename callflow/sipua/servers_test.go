package sipua

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow/sipua/locate"
)

const secondAddr = "192.0.2.3:5060"

func twoServers() Account {
	a := lineAccount()
	a.Servers = []string{"192.0.2.3"}
	return a
}

// atSecond registers a panel whose first server is silent, at the second one.
func atSecond(t *testing.T, w *world, granted int) (first, second *peer) {
	t.Helper()
	first, second = w.peer(proxyAddr), w.peer(secondAddr)
	began := time.Now()
	req := second.request("REGISTER")
	if took := time.Since(began); took > patience {
		t.Errorf("tried the second server after %v", took)
	}
	second.grant(req, granted)
	w.heard(fmt.Sprintf("registered %v", time.Duration(granted)*time.Second))
	first.drain()
	return first, second
}

// drain takes what has come so far.
func (p *peer) drain() {
	synctest.Wait()
	for len(p.in) > 0 {
		<-p.in
	}
}

func TestRegistrationFailsOver(t *testing.T) {
	t.Run("silence", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			_, second := atSecond(t, w, 60)
			second.grant(second.request("REGISTER"), 600) // sticky: the refresh goes there too
			w.heard("registered 10m0s")
		})
	})
	for status, again := range map[int]time.Duration{503: 0, 500: 0, 408: 0} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			inWorld(t, Config{Account: twoServers()}, func(w *world) {
				first, second := w.peer(proxyAddr), w.peer(secondAddr)
				first.reply(first.request("REGISTER"), status, "a")
				began := time.Now()
				second.grant(second.request("REGISTER"), 600)
				if took := time.Since(began); took > again {
					t.Errorf("tried the second server after %v", took)
				}
				w.heard("registered 10m0s")
			})
		})
	}
	t.Run("a wrong password is wrong everywhere", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			first, second := w.peer(proxyAddr), w.peer(secondAddr)
			first.reply(first.request("REGISTER"), 403, "a")
			w.heard("unregistered 403")
			second.quiet()
		})
	})
	t.Run("none answers: told once, then from the first again", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			time.Sleep(34 * time.Second)
			w.heard("unregistered 0")
			first := w.peer(proxyAddr)
			first.grant(first.request("REGISTER"), 600)
			w.heard("registered 10m0s")
		})
	})
}

func TestReturnToThePreferredServer(t *testing.T) {
	inWorld(t, Config{Account: twoServers()}, func(w *world) {
		_, second := atSecond(t, w, 3600)
		w.mu.Lock()
		delete(w.nodes, netip.MustParseAddrPort(proxyAddr)) // still dead at the first look
		w.mu.Unlock()
		time.Sleep(returnAfter + probeWithin)
		second.quiet()
		first := w.peer(proxyAddr)
		for began := time.Now(); len(first.in) == 0 && time.Since(began) < time.Hour; {
			time.Sleep(100 * time.Millisecond)
		}
		first.reply(first.request("OPTIONS"), 404, "a") // any answer is a sign of life
		first.grant(first.request("REGISTER"), 600)
		w.heard("registered 10m0s")
		second.quiet()
	})
}

func TestCallFailsOver(t *testing.T) {
	registered := func(w *world) (first, second *peer) {
		first, second = w.peer(proxyAddr), w.peer(secondAddr)
		first.grant(first.request("REGISTER"), 600)
		w.heard("registered 10m0s")
		return first, second
	}
	t.Run("silence", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			first, second := registered(w)
			began := time.Now()
			w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
			late := first.request("INVITE")
			inv := second.request("INVITE")
			if took := time.Since(began); took != patience {
				t.Errorf("tried the second server after %v, want %v", took, patience)
			}
			second.reply(inv, 180, "b")
			second.grant(second.request("REGISTER"), 600)
			first.drain()
			first.reply(late, 180, "a") // it lived after all
			first.reply(first.request("CANCEL"), 200, "a")
			first.reply(late, 487, "a")
			first.request("ACK")
			second.reply(inv, 200, "b", phoneContact(), "sdp:answer")
			w.heard("sent INVITE", "sent INVITE", "progress 180 b", "registered 10m0s", "sent ACK", "answered b sdp:answer")
		})
	})
	t.Run("the server that was left answers first", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			first, second := registered(w)
			phone := w.peer(phoneAddr)
			w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer))
			late := first.request("INVITE")
			inv := second.request("INVITE")
			second.reply(inv, 180, "b")
			first.reply(late, 200, "a", phoneContact(), "sdp:answer")
			phone.request("ACK")
			second.grant(second.request("REGISTER"), 600)
			second.reply(second.request("CANCEL"), 200, "b")
			second.reply(inv, 487, "b")
			second.request("ACK")
			w.heard("sent INVITE", "sent INVITE", "progress 180 b", "sent ACK", "answered a sdp:answer", "sent CANCEL", "registered 10m0s")
		})
	})
	t.Run("503", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			first, second := registered(w)
			w.ua.Invite(1, "sip:flat@house.example", nil)
			first.reply(first.request("INVITE"), 503, "a", "Retry-After: 300")
			first.request("ACK")
			second.reply(second.request("INVITE"), 486, "b")
			second.request("REGISTER")
			second.request("ACK")
			w.heard("sent INVITE", "sent INVITE", "refused 486")
		})
	})
	t.Run("all are dead", func(t *testing.T) {
		a := twoServers()
		a.Impatient = true
		inWorld(t, Config{Account: a}, func(w *world) {
			registered(w)
			w.ua.Invite(1, "sip:flat@house.example", nil)
			time.Sleep(2*patience - time.Millisecond)
			w.heard("sent INVITE", "sent INVITE")
			time.Sleep(time.Millisecond)
			w.heard("refused 408")
		})
	})
}

// With an outbound proxy the Route names the one that is in use.
func TestRouteFollowsTheProxyInUse(t *testing.T) {
	a := twoServers()
	a.Proxy = "192.0.2.2"
	inWorld(t, Config{Account: a}, func(w *world) {
		_, second := atSecond(t, w, 60)
		w.ua.Invite(1, "sip:flat@elsewhere.example", nil)
		if r := second.request("INVITE").Route(); r == nil || r.Address.Host != "192.0.2.3" {
			t.Errorf("Route: %v", r)
		}
	})
}

// zone is a DNS of one name's services.
type zone struct {
	mu       sync.Mutex
	services []locate.SRV
}

func (z *zone) set(services ...locate.SRV) {
	z.mu.Lock()
	defer z.mu.Unlock()
	z.services = services
}

func (z *zone) SRV(context.Context, string) ([]locate.SRV, time.Duration, error) {
	z.mu.Lock()
	defer z.mu.Unlock()
	return slices.Clone(z.services), 30 * time.Second, nil
}

func (*zone) NAPTR(context.Context, string) ([]locate.NAPTR, time.Duration, error) {
	return nil, 0, nil
}
func (*zone) Local(context.Context, string) bool { return false }
func (*zone) Addrs(_ context.Context, name string) ([]netip.Addr, time.Duration, error) {
	a, err := netip.ParseAddr(strings.TrimPrefix(name, "at-"))
	if err != nil {
		return nil, 0, nil
	}
	return []netip.Addr{a}, time.Hour, nil
}

// The servers of a name are those of its SRV records, and follow them.
func TestServersOfAName(t *testing.T) {
	a := lineAccount()
	a.Registrar = "house.example"
	preferred, other := locate.SRV{Priority: 1, Port: 5060, Target: "at-192.0.2.2"}, locate.SRV{Priority: 2, Port: 5060, Target: "at-192.0.2.3"}
	z := new(zone)
	z.set(other, preferred)
	inWorld(t, Config{Account: a, DNS: z}, func(w *world) {
		first, second := w.peer(proxyAddr), w.peer(secondAddr)
		first.grant(first.request("REGISTER"), 60)
		w.heard("registered 1m0s")
		z.set(other)
		second.grant(second.request("REGISTER"), 60) // the refresh: the first is a server no more
		w.heard("registered 1m0s")
	})
}

func TestRedirectedRegistration(t *testing.T) {
	for name, c := range map[string]struct {
		contact string
		want    string
	}{
		"to a known server":   {"<sip:192.0.2.3>", "registered 1m0s"},
		"inside the domain":   {"<sip:at-192.0.2.3.house.example:5060>", "registered 1m0s"},
		"out of the domain":   {"<sip:192.0.2.9>", "unregistered 302"},
		"a name that ends so": {"<sip:evilhouse.example>", "unregistered 302"},
	} {
		t.Run(name, func(t *testing.T) {
			names := dnsFunc(func(string) []netip.Addr { return []netip.Addr{netip.MustParseAddr("192.0.2.3")} })
			inWorld(t, Config{Account: twoServers(), DNS: names}, func(w *world) {
				first, second := w.peer(proxyAddr), w.peer(secondAddr)
				first.reply(first.request("REGISTER"), 302, "a", "Contact: "+c.contact)
				if strings.HasPrefix(c.want, "registered") {
					second.grant(second.request("REGISTER"), 60)
				}
				w.heard(c.want)
			})
		})
	}
	t.Run("round and round", func(t *testing.T) {
		inWorld(t, Config{Account: twoServers()}, func(w *world) {
			first, second := w.peer(proxyAddr), w.peer(secondAddr)
			first.reply(first.request("REGISTER"), 302, "a", "Contact: <sip:192.0.2.3>")
			second.reply(second.request("REGISTER"), 302, "a", "Contact: <sip:192.0.2.2>")
			first.reply(first.request("REGISTER"), 302, "a", "Contact: <sip:192.0.2.3>")
			w.heard("unregistered 302")
		})
	})
}

// Panels that were switched on together do not ask together; a press asks now.
func TestFirstRegistrationIsSpread(t *testing.T) {
	a := lineAccount()
	a.Spread = time.Hour
	inWorld(t, Config{Account: a}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.quiet()
		w.ua.Invite(1, "sip:flat@house.example", nil)
		reg.request("INVITE")
		reg.grant(reg.request("REGISTER"), 60)
		w.heard("sent INVITE", "registered 1m0s")
	})
}

func TestPressRegistersNow(t *testing.T) {
	inWorld(t, Config{Account: lineAccount()}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.reply(reg.request("REGISTER"), 500, "a")
		w.heard("unregistered 500")
		w.ua.box.post(func() { w.ua.registerIn(4 * time.Minute) })
		time.Sleep(pressGap)
		reg.quiet()
		w.ua.Invite(1, "sip:flat@house.example", nil)
		reg.request("INVITE")
		reg.request("REGISTER")
	})
	inWorld(t, Config{Account: lineAccount()}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.reply(reg.request("REGISTER"), 403, "a") // hurry does not help here
		time.Sleep(pressGap)
		w.ua.Invite(1, "sip:flat@house.example", nil)
		reg.reply(reg.request("INVITE"), 480, "a")
		reg.request("ACK")
		reg.quiet()
	})
}

// What the network says is not there is not waited for.
func TestUnreachableIsKnownAtOnce(t *testing.T) {
	inWorld(t, Config{Account: twoServers()}, func(w *world) {
		second := w.peer(secondAddr)
		w.ua.box.post(func() {
			w.ua.unreachable(netip.MustParseAddrPort(proxyAddr), context.DeadlineExceeded)
		})
		began := time.Now()
		second.grant(second.request("REGISTER"), 60)
		if took := time.Since(began); took > 0 {
			t.Errorf("waited %v", took)
		}
		w.heard("registered 1m0s")
	})
}
