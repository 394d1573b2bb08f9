package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/ipv4"

	"doorstation/callflow/timeline"
)

// floodOfCalls is how long strangers call in the test.
const floodOfCalls = 10 * time.Second

// Strangers send thousands of well-formed INVITEs a second. Nothing rings, next
// to nothing is answered, nothing grows; the visitor's press is served.
func TestFloodOfCalls(t *testing.T) {
	s, proxy, gate := site(t)
	anna := startBaresip(s.host("anna", 20), handset{user: "anna", password: "a-word", domain: proxy.host.addr.String(), speaks: 700})
	p := startPanel(gate, config{targets: []string{"sip:anna@" + proxy.host.addr.String()}})
	p.wire.stopped.Store(true) // a hundred thousand packets are not to be kept
	stranger := s.host("stranger", 66).udp(5060)
	var replies atomic.Int32
	go count(stranger, &replies)
	before := p.daemon.rss()
	sent := make(chan int)
	go func() { sent <- pourCalls(stranger, gate.at(5060), floodOfCalls) }()
	pause(t, time.Second)
	began := time.Now()
	p.press()
	anna.event("CALL_INCOMING")
	rang := time.Since(began)
	anna.accept()
	p.hears(700)
	anna.types(rightCode + endKey)
	p.opened(1)
	anna.hangUp()
	wantRecord(t, p.ended(), "talked", map[timeline.Name]int{timeline.CodeRight: 1, timeline.Incoming: 0})
	n := <-sent
	t.Logf("%d INVITEs in %v, %d replies; the phone rang %v after the press; RSS %.1f → %.1f MB",
		n, floodOfCalls, replies.Load(), rang.Round(time.Millisecond), before, p.daemon.rss())
	if most := int32(floodOfCalls/time.Second) + 1; replies.Load() > most {
		t.Errorf("%d replies to a stranger in %v, want %d at most", replies.Load(), floodOfCalls, most)
	}
	if grown := p.daemon.rss() - before; grown > 8 {
		t.Errorf("RSS grew by %.1f MiB, want 8 at most", grown)
	}
}

// pourCalls sends INVITEs for a time, each of a call of its own, about 5,000 a
// second.
func pourCalls(from *net.UDPConn, to netip.AddrPort, length time.Duration) (sent int) {
	const batch = 50
	out := ipv4.NewPacketConn(from)
	load := make([]ipv4.Message, batch)
	pace := time.NewTicker(batch * time.Second / floodPace)
	defer pace.Stop()
	for end := time.Now().Add(length); time.Now().Before(end); <-pace.C {
		for i := range load {
			load[i] = ipv4.Message{
				Buffers: [][]byte{strangersCall(from.LocalAddr().String(), to, sent+i)},
				Addr:    net.UDPAddrFromAddrPort(to),
			}
		}
		n, err := out.WriteBatch(load, 0)
		if err != nil {
			return sent
		}
		sent += n
	}
	return sent
}

func strangersCall(from string, to netip.AddrPort, n int) []byte {
	return fmt.Appendf(nil, "INVITE sip:panel@%s SIP/2.0\r\nVia: SIP/2.0/UDP %s;branch=z9hG4bK-%d;rport\r\n"+
		"Max-Forwards: 70\r\nFrom: <sip:anna@10.0.0.5>;tag=%d\r\nTo: <sip:panel@%s>\r\nCall-ID: call-%d\r\nCSeq: 1 INVITE\r\n"+
		"Contact: <sip:anna@%s>\r\nContent-Length: 0\r\n\r\n", to, from, n, n, to, n, from)
}
