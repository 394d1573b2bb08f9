package sipua

import (
	"context"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"doorstation/callflow"
)

var largeOffer = testOffer + "s=" + strings.Repeat("x", largestRequest)

// A request that is too large for UDP goes over TCP where that is taken, and the
// panel stays reachable as it was.
func TestLargeRequest(t *testing.T) {
	t.Run("over TCP", func(t *testing.T) {
		r := &tcpRegistrar{}
		inWorld(t, Config{Dial: r.dial}, func(w *world) {
			w.ua.Invite(1, phoneTarget, []byte(largeOffer))
			r.accept(w.t)
			inv := r.request("INVITE")
			if via := inv.Via(); via.Transport != "TCP" || via.Port != 50000 {
				t.Errorf("Via %s", via.Value())
			}
			if got := contactsOf(inv); got != "<sip:doorstation@192.0.2.1:5060>" {
				t.Errorf("contact %s", got)
			}
			r.send(replyText(inv, 180, "a"))
			w.heard("sent INVITE", "progress 180 a")
			w.ua.Cancel(1)
			r.send(replyText(r.request("CANCEL"), 200, "a"))
			r.send(replyText(inv, 487, "a"))
			r.request("ACK")
			w.heard("sent CANCEL", "refused 487")
		})
	})
	t.Run("over UDP when TCP is refused", func(t *testing.T) {
		inWorld(t, Config{}, func(w *world) {
			p := w.peer(phoneAddr)
			w.ua.Invite(1, phoneTarget, []byte(largeOffer))
			inv := p.request("INVITE")
			if inv.Via().Transport != "UDP" || len(inv.Body()) != len(largeOffer) {
				t.Errorf("Via %s, body of %d", inv.Via().Value(), len(inv.Body()))
			}
			p.reply(inv, 486, "a")
			p.request("ACK")
			w.heard("sent INVITE", "refused 486")
		})
	})
	t.Run("over UDP when nothing is said of TCP", func(t *testing.T) {
		silent := &silentDialer{}
		inWorld(t, Config{Dial: silent.dial}, func(w *world) {
			p := w.peer(phoneAddr)
			for range 2 {
				began := time.Now()
				w.ua.Invite(1, phoneTarget, []byte(largeOffer))
				p.reply(p.request("INVITE"), 486, "a")
				p.request("ACK")
				w.heard("sent INVITE", "refused 486")
				if took := time.Since(began); took > switchWithin {
					t.Errorf("rung after %v", took)
				}
			}
			if silent.asked != 1 {
				t.Errorf("TCP was tried %d times", silent.asked)
			}
		})
	})
	t.Run("as large as allowed", func(t *testing.T) {
		silent := &silentDialer{}
		inWorld(t, Config{Dial: silent.dial}, func(w *world) {
			p := w.peer(phoneAddr)
			w.ua.Invite(1, phoneTarget, []byte(testOffer))
			room := largestRequest - len(p.request("INVITE").String())
			w.ua.Invite(2, phoneTarget, []byte(testOffer+strings.Repeat("x", room-2))) // its length has two digits more
			if n := len(p.request("INVITE").String()); silent.asked != 0 || n > largestRequest {
				t.Errorf("%d bytes, TCP tried %d times", n, silent.asked)
			}
		})
	})
}

// The answer to a challenge can make a request too large.
func TestChallengeMakesRequestLarge(t *testing.T) {
	r := &tcpRegistrar{}
	inRegistered(t, Config{Dial: r.dial}, func(w *world, reg *peer) {
		reg.reply(reg.request("REGISTER"), 401, "reg", "WWW-Authenticate: "+challenge)
		reg.grant(reg.request("REGISTER"), 600)
		w.heard("registered 10m0s")
		w.ua.Invite(1, "sip:flat@house.example", []byte(testOffer+strings.Repeat("x", 750)))
		inv := reg.request("INVITE")
		reg.reply(inv, 407, "a", strings.Replace("Proxy-Authenticate: "+challenge, "n1", strings.Repeat("n", 300), 1))
		reg.request("ACK")
		r.accept(w.t)
		again := r.request("INVITE")
		checkDigest(t, again, "Proxy-Authorization", "secret")
		r.send(replyText(again, 486, "a"))
		r.request("ACK")
		w.heard("sent INVITE", "sent INVITE", "refused 486")
	})
}

// Over a real socket, a port where nobody listens is known at once.
func TestRefusedPortIsKnownAtOnce(t *testing.T) {
	nobody, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	somebody, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:0")))
	if err != nil {
		t.Fatal(err)
	}
	defer somebody.Close()
	at := nobody.LocalAddr().String()
	nobody.Close()
	events := make(chan Event, 100)
	u, err := New(Config{Local: netip.MustParseAddrPort("127.0.0.1:0")}, func(ev Event) { events <- ev })
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- u.Run(ctx) }()
	defer func() { stop(); <-ended }()
	for leg := range 20 {
		u.Invite(callflow.LegID(2*leg+1), "sip:x@"+at, []byte(testOffer))
		u.Invite(callflow.LegID(2*leg+2), "sip:x@"+somebody.LocalAddr().String(), []byte(testOffer)) // is not hit by it
	}
	refused := 0
	for refused < 20 {
		if ev, ok := (<-events).(Refused); ok {
			refused++
			if ev.Leg%2 == 0 || ev.Status != sip.StatusServiceUnavailable || !ev.Unheard || !strings.Contains(ev.Reason, "not reached") {
				t.Errorf("told %+v", ev)
			}
		}
	}
}

// A silentDialer gets no answer to its connections.
type silentDialer struct{ asked int }

func (d *silentDialer) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	d.asked++
	<-ctx.Done()
	return nil, ctx.Err()
}
