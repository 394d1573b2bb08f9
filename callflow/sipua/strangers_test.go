package sipua

import (
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// address is the nth of 2^32 IPv4 addresses, spread over all of them.
func address(n uint32) netip.AddrPort {
	n *= 2654435761
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}), uint16(n>>7)|1)
}

// A million sources of junk, of STUN's kind and of messages leave nothing behind.
func TestMillionSources(t *testing.T) {
	const sources, budget = 1_000_000, 1 << 20
	u, err := New(Config{Local: netip.MustParseAddrPort(panelAddr), Conn: sink{}, Account: registered, Allow: []string{guard}}, func(Event) {})
	if err != nil {
		t.Fatal(err)
	}
	defer u.close()
	u.admitAllowed()
	kinds := [][]byte{[]byte(options), []byte(strings.Repeat("A", 100)), make([]byte, 20), []byte("\r\n\r\n")}
	before, passed := heap(), 0
	for n := range uint32(sources) {
		if u.gate.passes(kinds[n%4], address(n)) {
			passed++
		}
	}
	if after := heap(); after > before+budget {
		t.Errorf("the heap grew by %d KiB", (after-before)>>10)
	}
	if passed > 0 {
		t.Errorf("%d datagrams of strangers passed", passed)
	}
}

// Sources that share an admitted host, one for each port, leave nothing either.
func TestAllPortsOfOneHost(t *testing.T) {
	s := newSources()
	s.hold(netip.MustParseAddrPort("192.0.2.2:5060"))
	before := heap()
	for port := range uint32(1 << 16) {
		s.admit(netip.AddrPortFrom(netip.MustParseAddr("192.0.2.2"), uint16(port)), time.Now())
	}
	if n := len(s.buckets); n > 1 {
		t.Errorf("%d buckets are kept", n)
	}
	if after := heap(); after > before+(64<<10) {
		t.Errorf("the heap grew by %d KiB", (after-before)>>10)
	}
}

// While strangers send 5,000 INVITEs a second a press rings, and nobody outside
// hears a word.
func TestFloodOfInvites(t *testing.T) {
	inWorld(t, Config{Account: registered, Allow: []string{guard}}, func(w *world) {
		reg := w.registeredAt(proxyAddr)
		phone := w.peer(phoneAddr)
		var strangers []*node
		for i := range 50 {
			strangers = append(strangers, w.node(fmt.Sprintf("203.0.113.%d:5060", i+1)))
		}
		for second := range uint32(3) {
			for n := range 5000 {
				s := strangers[n%len(strangers)]
				text := fmt.Sprintf("INVITE sip:panel@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK%d-%d\r\nFrom: <%s>;tag=x\r\nTo: <sip:panel@x>\r\n"+
					"Call-ID: %d-%d\r\nCSeq: 1 INVITE\r\nContact: <sip:x@%s>\r\nContent-Length: 0\r\n\r\n", panelAddr, s.addr, second, n, guard, second, n, s.addr)
				_, _ = s.WriteTo([]byte(text), net.UDPAddrFromAddrPort(w.panel))
				if n%500 == 0 {
					time.Sleep(100 * time.Millisecond)
				}
			}
		}
		began := time.Now()
		w.ua.Invite(1, phoneTarget, []byte(testOffer))
		inv := phone.request("INVITE")
		if late := time.Since(began); late > time.Second {
			t.Errorf("the press rings after %v", late)
		}
		phone.reply(inv, 486, "a")
		phone.request("ACK")
		w.heard("sent INVITE", "refused 486")
		for _, s := range strangers {
			if len(s.in) > 0 {
				t.Fatalf("a stranger was told\n%s", (<-s.in).b)
			}
		}
		if n := len(w.ua.servers) + len(w.ua.calls); n > 1 {
			t.Errorf("%d requests and calls are remembered", n)
		}
		reg.quiet()
	})
}

// Whoever is refused at the door, though by way of the registrar, learns neither
// name nor version.
func TestRefusedLearnNoVersion(t *testing.T) {
	inWorld(t, Config{Account: registered, Allow: []string{guard}, UserAgent: "doorstation/7.7"}, func(w *world) {
		reg := w.registeredAt(proxyAddr)
		c := &caller{peer: reg, from: "sip:stranger@house.example", id: "x"}
		for _, method := range []string{"INVITE", "MESSAGE", "OPTIONS", "BYE", "WILD", "REGISTER", "CANCEL"} {
			c.ask(method, 1, "")
		}
		c.send(strings.Replace(c.text("OPTIONS", 1, ""), "CSeq: 1 OPTIONS", "CSeq: x", 1))
		synctest.Wait()
		if len(reg.in) != 8 {
			t.Errorf("%d answers of 8", len(reg.in))
		}
		for n := len(reg.in); n > 0; n-- {
			if text := string((<-reg.in).b); strings.Contains(text, "7.7") || strings.Contains(text, "User-Agent") || strings.Contains(text, "Server:") {
				t.Errorf("a stranger was told\n%s", text)
			}
		}
	})
}
