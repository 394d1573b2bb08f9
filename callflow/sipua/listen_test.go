package sipua

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A lobby is a listener of the world.
type lobby struct {
	in   chan net.Conn
	gone chan struct{}
	once sync.Once
}

func newLobby() *lobby { return &lobby{in: make(chan net.Conn), gone: make(chan struct{})} }

func (l *lobby) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.gone:
		return nil, net.ErrClosed
	}
}

func (l *lobby) Close() error   { l.once.Do(func() { close(l.gone) }); return nil }
func (l *lobby) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(panelAddr)) }

// A visitor is somebody who has connected to the panel.
type visitor struct {
	w    *world
	addr string
	conn net.Conn
	said chan string // what the panel wrote; closed with the connection
}

func (w *world) connect(addr string) *visitor {
	ours, theirs := net.Pipe()
	v := &visitor{w: w, addr: addr, conn: theirs, said: make(chan string, 1000)}
	w.lobby.in <- pipeConn{ours, w.lobby.Addr(), net.TCPAddrFromAddrPort(netip.MustParseAddrPort(addr))}
	go func() {
		defer close(v.said)
		buf := make([]byte, 4096)
		for {
			n, err := theirs.Read(buf)
			if err != nil {
				return
			}
			v.said <- string(buf[:n])
		}
	}()
	synctest.Wait()
	return v
}

func (v *visitor) send(text string) { _, _ = v.conn.Write([]byte(text)); synctest.Wait() }

// request is a request of the visitor's own, from the user guard at his host.
func (v *visitor) request(method, call string, seq int, to string, lines ...string) string {
	host, _, _ := net.SplitHostPort(v.addr)
	var b strings.Builder
	fmt.Fprintf(&b, "%s sip:panel@%s SIP/2.0\r\nVia: SIP/2.0/TCP %s;branch=z9hG4bK%s%d%s\r\n", method, panelAddr, v.addr, call, seq, method)
	fmt.Fprintf(&b, "From: <sip:guard@%s>;tag=them\r\nTo: <sip:panel@%s>%s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContact: <sip:guard@%s:5060;transport=tcp>\r\n",
		host, panelAddr, to, call, seq, method, host)
	writeRest(&b, lines)
	return b.String()
}

// hears is the panel's next message, which has to begin so.
func (v *visitor) hears(start string) string {
	v.w.t.Helper()
	synctest.Wait()
	select {
	case text, open := <-v.said:
		if !open || !strings.HasPrefix(text, start) {
			v.w.t.Fatalf("want %q, got %q (open: %v)", start, text, open)
		}
		return text
	default:
		v.w.t.Fatalf("want %q, and nothing came", start)
		return ""
	}
}

// open says that the panel wrote nothing more and keeps the connection.
func (v *visitor) open() bool {
	v.w.t.Helper()
	synctest.Wait()
	select {
	case text, open := <-v.said:
		if open {
			v.w.t.Fatalf("the panel should be quiet, and wrote %q", text)
		}
		return false
	default:
		return true
	}
}

// lives says when the connection ends, to the second.
func (v *visitor) lives(want time.Duration) {
	v.w.t.Helper()
	began := time.Now()
	for v.open() && time.Since(began) <= 2*want {
		time.Sleep(time.Second)
	}
	if got := time.Since(began); got < want || got > want+time.Second {
		v.w.t.Errorf("the connection ended after %v, want %v", got, want)
	}
}

// call makes a call that is answered, and gives the panel's tag.
func (v *visitor) call(id string) (to string) {
	v.w.t.Helper()
	v.send(v.request("INVITE", id, 1, "", "sdp:offer"))
	v.hears("SIP/2.0 180")
	v.w.ua.Accept(v.w.legs, []byte("answer"))
	m, err := sip.NewParser().ParseSIP([]byte(v.hears("SIP/2.0 200")))
	if err != nil {
		v.w.t.Fatal(err)
	}
	if c := m.(*sip.Response).Contact(); c == nil || c.Address.String() != "sip:doorstation@"+panelAddr+";transport=tcp" {
		v.w.t.Errorf("Contact of the answer: %v", c)
	}
	to = ";tag=" + tagOf(m.To().Params)
	v.send(v.request("ACK", id, 1, to))
	v.w.heard("incoming "+m.From().Address.String()+" sdp:offer", "confirmed")
	return to
}

var takingTCP = Config{ListenTCP: true, Allow: []string{guard, "sip:guard@192.0.2.11", "sip:guard@192.0.2.12", "sip:guard@192.0.2.13", "sip:guard@192.0.2.14"}}

const guardTCP = "192.0.2.10:40001"

// A stranger's connection is closed though he says nothing, and nothing of what
// he says is read.
func TestStrangersConnectionIsClosed(t *testing.T) {
	inWorld(t, takingTCP, func(w *world) {
		if v := w.connect("203.0.113.5:40001"); v.open() {
			t.Error("it is open")
		} else if n, err := v.conn.Write([]byte(v.request("INVITE", "c", 1, ""))); n > 0 || err == nil {
			t.Errorf("%d bytes were read", n)
		}
		w.heard()
	})
}

func TestConnectionTimes(t *testing.T) {
	t.Run("nothing is said", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) { w.connect(guardTCP).lives(completeWithin) })
	})
	t.Run("a message comes byte by byte", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			v := w.connect(guardTCP)
			v.send(v.request("OPTIONS", "c", 1, ""))
			v.hears("SIP/2.0 200")
			time.Sleep(time.Minute)
			go func() {
				for _, c := range v.request("INVITE", "d", 1, "") {
					if _, err := v.conn.Write([]byte(string(c))); err != nil {
						return
					}
					time.Sleep(time.Second)
				}
			}()
			v.lives(completeWithin)
			w.heard()
		})
	})
	t.Run("a message in pieces, in time", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			v := w.connect(guardTCP)
			text := v.request("OPTIONS", "c", 1, "", "sdp:offer")
			for i := range 9 {
				v.send(text[i*len(text)/9 : (i+1)*len(text)/9])
				time.Sleep(time.Second)
			}
			v.hears("SIP/2.0 200")
		})
	})
	t.Run("pings keep it", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			v := w.connect(guardTCP)
			for range 10 {
				v.send("\r\n\r\n")
				v.hears("\r\n")
				time.Sleep(100 * time.Second)
			}
			if !v.open() {
				t.Fatal("it was ended")
			}
			v.send("\r\n\r\n")
			v.hears("\r\n")
			v.lives(idleWithin)
		})
	})
	t.Run("a call keeps it, and our BYE goes over it", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			v := w.connect(guardTCP)
			v.call("c")
			time.Sleep(3 * idleWithin)
			w.ua.Bye(w.legs)
			bye := v.hears("BYE sip:guard@192.0.2.10:5060;transport=tcp SIP/2.0")
			m, err := sip.NewParser().ParseSIP([]byte(bye))
			if err != nil {
				t.Fatal(err)
			}
			v.send(replyText(m.(*sip.Request), 200, ""))
			w.heard("sent BYE", "ended by us:true")
			v.lives(idleWithin)
		})
	})
	t.Run("no bounds", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			v := w.connect(guardTCP)
			v.send(strings.Replace(v.request("OPTIONS", "c", 1, ""), "Content-Length", "X-Length", 1))
			v.hears("SIP/2.0 400")
			v.lives(0)
		})
	})
}

// Who sends faster than one may waits, and is heard all the same.
func TestConnectionIsPaced(t *testing.T) {
	inWorld(t, takingTCP, func(w *world) {
		const messages = inboundBurst + 2*inboundRate
		v := w.connect(guardTCP)
		began := time.Now()
		for n := range messages {
			_, _ = v.conn.Write([]byte(v.request("OPTIONS", "c", n+1, "")))
		}
		for range messages {
			if text := <-v.said; !strings.HasPrefix(text, "SIP/2.0 200") {
				t.Fatalf("got %q", text)
			}
		}
		if took := time.Since(began); took < 1900*time.Millisecond || took > 3*time.Second {
			t.Errorf("%d messages passed in %v", messages, took)
		}
	})
}

func TestConnectionCaps(t *testing.T) {
	t.Run("of one address", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			other := w.connect("192.0.2.11:40000")
			var all []*visitor
			for i := range maxInboundOfOne {
				all = append(all, w.connect(fmt.Sprintf("192.0.2.10:%d", 40000+i)))
			}
			all[0].send("\r\n\r\n")
			all[0].hears("\r\n")
			all = append(all, w.connect("192.0.2.10:41000"))
			for i, v := range all {
				if open, want := v.open(), i != 1; open != want {
					t.Errorf("connection %d is open: %v, want %v", i, open, want)
				}
			}
			if !other.open() {
				t.Error("another's connection gave way")
			}
		})
	})
	t.Run("in all", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			var all []*visitor
			for i := range maxInbound + 1 {
				all = append(all, w.connect(fmt.Sprintf("192.0.2.%d:%d", 10+i/maxInboundOfOne, 40000+i)))
			}
			for i, v := range all {
				if open, want := v.open(), i != 0; open != want {
					t.Errorf("connection %d is open: %v, want %v", i, open, want)
				}
			}
		})
	})
	t.Run("too many in a short time", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			w.connect("203.0.113.5:40001") // a stranger, who does not count
			for i := range knockBurst - 1 {
				w.connect(fmt.Sprintf("192.0.2.10:%d", 40000+i))
			}
			if !w.connect("192.0.2.11:40000").open() || w.connect("192.0.2.11:40001").open() {
				t.Error("not those were taken that may be")
			}
			time.Sleep(time.Second)
			if !w.connect("192.0.2.11:40002").open() {
				t.Error("a second later none was taken")
			}
		})
	})
	t.Run("calls do not give way", func(t *testing.T) {
		inWorld(t, takingTCP, func(w *world) {
			var all []*visitor
			for i := range maxInboundOfOne {
				v := w.connect(fmt.Sprintf("192.0.2.10:%d", 40000+i))
				v.call(fmt.Sprint("c", i))
				all = append(all, v)
			}
			if w.connect("192.0.2.10:41000").open() {
				t.Error("the new one was taken")
			}
			for i, v := range all {
				if !v.open() {
					t.Errorf("connection %d of a call was ended", i)
				}
			}
		})
	})
}

// A phone whose connection broke in a call goes on with another one.
func TestCallGoesOnOverAnotherConnection(t *testing.T) {
	inWorld(t, takingTCP, func(w *world) {
		v := w.connect(guardTCP)
		to := v.call("c")
		v.conn.Close()
		again := w.connect("192.0.2.10:40002")
		again.send(again.request("INFO", "c", 2, to, "body:application/dtmf-relay|Signal=5"))
		again.hears("SIP/2.0 200")
		w.heard("digit 5")
		w.ua.Bye(w.legs)
		again.hears("BYE")
		w.heard("sent BYE")
	})
}

// Whose name moves to another address is heard there, and not at the old one any
// more, not even on a connection that he has.
func TestConnectionOfFormerAddress(t *testing.T) {
	var now sync.Map
	now.Store("guards.example", "192.0.2.10")
	names := dnsFunc(func(host string) []netip.Addr {
		a, _ := now.Load(host)
		return []netip.Addr{netip.MustParseAddr(a.(string))}
	})
	inWorld(t, Config{ListenTCP: true, DNS: names, Allow: []string{"sip:guard@guards.example"}}, func(w *world) {
		v := w.connect(guardTCP)
		v.send(v.request("OPTIONS", "c", 1, ""))
		v.hears("SIP/2.0 200")
		now.Store("guards.example", "192.0.2.20")
		time.Sleep(2 * time.Minute) // the DNS gave one
		v.send(v.request("OPTIONS", "c", 2, ""))
		v.lives(0)
		if !w.connect("192.0.2.20:40000").open() {
			t.Error("the new address is not taken")
		}
	})
}

// Who does not read what he asked for holds nobody up.
func TestConnectionNobodyReads(t *testing.T) {
	inWorld(t, takingTCP, func(w *world) {
		ours, theirs := net.Pipe()
		w.lobby.in <- pipeConn{ours, w.lobby.Addr(), net.TCPAddrFromAddrPort(netip.MustParseAddrPort(guardTCP))}
		v := &visitor{w: w, addr: guardTCP, conn: theirs}
		began := time.Now()
		if _, err := theirs.Write([]byte(v.request("OPTIONS", "c", 1, ""))); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		turn(w.ua)
		if took := time.Since(began); took != answerWithin {
			t.Errorf("the panel stood still for %v", took)
		}
		if _, err := theirs.Write([]byte("\r\n")); err == nil {
			t.Error("the connection is still open")
		}
	})
}

// The port is tried again each minute while it is not to be had.
func TestListenerIsTriedAgain(t *testing.T) {
	var log countingLog
	inWorld(t, Config{Log: slog.New(&log)}, func(w *world) {
		w.ua.box.post(func() {
			w.ua.cfg.ListenTCP = true
			w.ua.listen() // on an address that this machine does not have
		})
		time.Sleep(2*listenAgain + listenAgain/2)
	})
	if n := log.warnings.Load(); n != 3 {
		t.Errorf("%d tries in two and a half minutes", n)
	}
}

// A countingLog counts warnings.
type countingLog struct{ warnings atomic.Int32 }

func (*countingLog) Enabled(context.Context, slog.Level) bool { return true }

func (l *countingLog) Handle(_ context.Context, r slog.Record) error {
	if r.Level == slog.LevelWarn {
		l.warnings.Add(1)
	}
	return nil
}

func (l *countingLog) WithAttrs([]slog.Attr) slog.Handler { return l }
func (l *countingLog) WithGroup(string) slog.Handler      { return l }
