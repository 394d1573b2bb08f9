package sipua

import (
	"bufio"
	"bytes"
	"context"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

func watched() Account {
	a := lineAccount()
	a.Keepalive = 25 * time.Second
	return a
}

// A registrar that dies is known without a call.
func TestDeadRegistrarIsKnown(t *testing.T) {
	inWorld(t, Config{Account: watched()}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.grant(reg.request("REGISTER"), 3600)
		w.heard("registered 1h0m0s")
		for _, status := range []int{200, 404, 483} { // any answer is a sign of life
			reg.reply(reg.request("OPTIONS"), status, "a")
		}
		w.heard()
		last := time.Now()
		w.awaitUnregistered()
		if took, limit := time.Since(last), 25*time.Second+mostMisses*probeWithin+time.Second; took > limit {
			t.Errorf("known after %v, want at most %v", took, limit)
		}
		w.heard("unregistered 0")
		reg.drain()
		reg.grant(reg.request("REGISTER"), 3600)
		w.heard("registered 1h0m0s")
	})
}

// awaitUnregistered waits until the registration is lost.
func (w *world) awaitUnregistered() {
	w.t.Helper()
	for began := time.Now(); !strings.HasPrefix(w.latest(), "unregistered"); time.Sleep(100 * time.Millisecond) {
		if time.Since(began) > time.Hour {
			w.t.Fatal("the registration is not lost within an hour")
		}
	}
}

func (w *world) latest() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.events) == 0 {
		return ""
	}
	return w.events[len(w.events)-1]
}

func TestOneLostKeepAliveIsNoDeath(t *testing.T) {
	inWorld(t, Config{Account: watched()}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.grant(reg.request("REGISTER"), 3600)
		lost := reg.request("OPTIONS").CallID().Value()
		var next *sip.Request
		for next = reg.request("OPTIONS"); next.CallID().Value() == lost; next = reg.request("OPTIONS") {
		}
		reg.reply(next, 200, "a")
		w.heard("registered 1h0m0s")
	})
}

// With another server, the dead one is left at once.
func TestDeadRegistrarIsLeft(t *testing.T) {
	a := watched()
	a.Servers = []string{"192.0.2.3"}
	inWorld(t, Config{Account: a}, func(w *world) {
		first, second := w.peer(proxyAddr), w.peer(secondAddr)
		first.grant(first.request("REGISTER"), 3600)
		second.grant(second.request("REGISTER"), 3600)
		w.heard("registered 1h0m0s", "registered 1h0m0s")
	})
}

// OPTIONS shows a new mapping as a registration does.
func TestKeepAliveShowsTheMapping(t *testing.T) {
	inWorld(t, Config{Account: watched()}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.grant(reg.request("REGISTER"), 3600)
		reg.reply(seenAt(reg.request("OPTIONS"), "received=198.51.100.7;rport=40000"), 200, "a")
		if got, want := contactsOf(reg.request("REGISTER")), "<sip:panel@198.51.100.7:40000> <sip:panel@192.0.2.1:5060>;expires=0"; got != want {
			t.Errorf("contacts %s, want %s", got, want)
		}
	})
}

// testSTUN is no STUN, but has its first two bits.
func testSTUN() ([]byte, func([]byte) (netip.AddrPort, bool), error) {
	return []byte("\x00ask"), func(b []byte) (netip.AddrPort, bool) {
		at, err := netip.ParseAddrPort(strings.TrimPrefix(string(b), "\x00"))
		return at, err == nil
	}, nil
}

func TestKeepAliveBySTUN(t *testing.T) {
	inWorld(t, Config{Account: watched(), STUN: testSTUN}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.grant(reg.request("REGISTER"), 3600)
		w.heard("registered 1h0m0s")
		for range 3 {
			if d := <-reg.in; string(d.b) != "\x00ask" {
				t.Fatalf("asked %q", d.b)
			}
			reg.send("\x00192.0.2.1:5060")
		}
		w.heard()
		<-reg.in
		reg.send("\x00198.51.100.7:40000")
		if got, want := contactsOf(reg.request("REGISTER")), "<sip:panel@198.51.100.7:40000> <sip:panel@192.0.2.1:5060>;expires=0"; got != want {
			t.Errorf("contacts %s, want %s", got, want)
		}
		last := time.Now()
		w.awaitUnregistered() // silence from now on
		if took := time.Since(last); took > time.Minute+2*time.Second {
			t.Errorf("known after %v", took)
		}
	})
}

// A server that has no STUN on its SIP port is asked by OPTIONS.
func TestKeepAliveWithoutSTUN(t *testing.T) {
	inWorld(t, Config{Account: watched(), STUN: testSTUN}, func(w *world) {
		reg := w.peer(proxyAddr)
		reg.grant(reg.request("REGISTER"), 3600)
		for range 1 + len(stunAgain) {
			if d := <-reg.in; !bytes.Equal(d.b, []byte("\x00ask")) {
				t.Fatalf("asked %q", d.b)
			}
		}
		for range 3 {
			reg.reply(reg.request("OPTIONS"), 200, "a")
		}
		w.heard("registered 1h0m0s")
	})
}

// A pipeConn is one end of a connection in memory, with addresses.
type pipeConn struct {
	net.Conn
	local, remote net.Addr
}

func (c pipeConn) LocalAddr() net.Addr  { return c.local }
func (c pipeConn) RemoteAddr() net.Addr { return c.remote }

// A tcpRegistrar is a registrar on TCP in memory.
type tcpRegistrar struct {
	mu    sync.Mutex
	waits []net.Conn // to be accepted
	*streamServer
}

func (r *tcpRegistrar) dial(_ context.Context, _, addr string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waits = append(r.waits, theirs)
	return pipeConn{ours, net.TCPAddrFromAddrPort(netip.MustParseAddrPort("192.0.2.1:50000")),
		net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))}, nil
}

func (r *tcpRegistrar) accept(t *testing.T) {
	t.Helper()
	for began := time.Now(); time.Since(began) < time.Minute; time.Sleep(time.Millisecond) {
		r.mu.Lock()
		if len(r.waits) > 0 {
			conn := r.waits[0]
			r.waits = r.waits[1:]
			r.mu.Unlock()
			r.streamServer = &streamServer{t: t, conn: conn, r: bufio.NewReader(conn)}
			return
		}
		r.mu.Unlock()
	}
	t.Fatal("no connection came within a minute")
}

// request is the next request, within a minute.
func (r *tcpRegistrar) request(method string) *sip.Request {
	r.t.Helper()
	_ = r.conn.SetReadDeadline(time.Now().Add(time.Minute))
	return r.streamServer.request(method)
}

func (r *tcpRegistrar) ping(answer bool) {
	r.t.Helper()
	_ = r.conn.SetReadDeadline(time.Now().Add(time.Minute))
	b := make([]byte, 4)
	n, err := r.conn.Read(b)
	if string(b[:n]) == "\r\n" { // two pongs look like a ping, and were answered
		n, err = r.conn.Read(b)
	}
	if err != nil || string(b[:n]) != "\r\n\r\n" {
		r.t.Fatalf("got %q, %v; want a ping", b[:n], err)
	}
	if answer {
		r.send("\r\n")
	}
}

func overTCP(t *testing.T, story func(w *world, r *tcpRegistrar)) {
	t.Helper()
	a := watched()
	a.Transport = "tcp"
	r := &tcpRegistrar{}
	inWorld(t, Config{Account: a, Dial: r.dial}, func(w *world) {
		r.accept(w.t)
		r.send(replyText(r.request("REGISTER"), 200, "r", "Expires: 3600"))
		w.heard("registered 1h0m0s")
		story(w, r)
	})
}

// A flow whose pings were answered is dead when one is not (RFC 5626 section 4.4.1).
func TestDeadFlowIsKnown(t *testing.T) {
	overTCP(t, func(w *world, r *tcpRegistrar) {
		r.ping(true)
		r.ping(true)
		w.heard()
		r.ping(false)
		time.Sleep(pongWithin)
		w.heard("unregistered 0")
		r.accept(w.t) // a new flow
		r.send(replyText(r.request("REGISTER"), 200, "r", "Expires: 3600"))
		w.heard("registered 1h0m0s")
	})
}

// A server that knows no pings is asked by OPTIONS.
func TestFlowWithoutPongs(t *testing.T) {
	overTCP(t, func(w *world, r *tcpRegistrar) {
		r.ping(false)
		for range 3 {
			r.send(replyText(r.request("OPTIONS"), 200, "r"))
		}
		synctest.Wait()
		w.heard()
	})
}
