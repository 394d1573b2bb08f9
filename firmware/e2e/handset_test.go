package e2e

import (
	"encoding/binary"
	"math/rand/v2"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/zaf/g711"
)

// A handpiece is the media end of a phone whose signalling a SIPp plays: it has
// the ports that the scenarios name, 6000 for audio and 6002 for video, and
// their RTCP ports.
type handpiece struct {
	t     testing.TB
	host  *host
	audio *net.UDPConn
	mu    sync.Mutex
	ssrc  uint32
	seq   uint16
	clock uint32 // RTP timestamp units of 1/8000 s
}

// newHandpiece opens the ports; what comes is dropped, the capture has it.
func newHandpiece(h *host) *handpiece {
	h.t.Helper()
	p := &handpiece{t: h.t, host: h, audio: h.udp(6000), ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), clock: rand.Uint32()}
	for _, conn := range []*net.UDPConn{p.audio, h.udp(6001), h.udp(6002), h.udp(6003)} {
		go drain(conn)
	}
	return p
}

// rtpPacket is a packet of the handpiece's stream (RFC 3550 section 5.1).
func (p *handpiece) rtpPacket(kind byte, marker bool, stamp uint32, payload []byte) []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := []byte{0x80, kind}
	if marker {
		out[1] |= 0x80
	}
	out = binary.BigEndian.AppendUint16(out, p.seq)
	p.seq++
	out = binary.BigEndian.AppendUint32(out, stamp)
	out = binary.BigEndian.AppendUint32(out, p.ssrc)
	return append(out, payload...)
}

// speak sends a tone as PCMU, a packet every 20 ms, until the returned function
// is called or the test ends.
func (p *handpiece) speak(to netip.AddrPort, hz float64) (stop func()) {
	tone := sine(hz, 1)
	ended := make(chan struct{})
	var once sync.Once
	stop = func() { once.Do(func() { close(ended) }) }
	p.t.Cleanup(stop)
	go func() {
		pace := time.NewTicker(20 * time.Millisecond)
		defer pace.Stop()
		for n := 0; ; n = (n + 160) % rate {
			select {
			case <-ended:
				return
			case <-pace.C:
			}
			frame := make([]byte, 160)
			for i := range frame {
				frame[i] = g711.EncodeUlawFrame(tone[n+i])
			}
			_, _ = p.audio.WriteToUDPAddrPort(p.rtpPacket(0, n == 0, p.tick(160), frame), to)
		}
	}()
	return stop
}

func (p *handpiece) tick(units uint32) uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clock += units
	return p.clock
}

// Payload type of telephone-event in the scenarios' answers.
const eventType = 101

// key makes the packets of one key press: three reports, then the end three
// times, all with one timestamp (RFC 4733 section 2.5.1).
func (p *handpiece) key(key byte) [][]byte {
	stamp := p.tick(1600)
	code := eventCode(key)
	var packets [][]byte
	for i, end := range []bool{false, false, false, true, true, true} {
		flags, duration := byte(10), 400*uint16(min(i+1, 4))
		if end {
			flags |= 0x80
		}
		payload := binary.BigEndian.AppendUint16([]byte{code, flags}, duration)
		packets = append(packets, p.rtpPacket(eventType, i == 0, stamp, payload))
	}
	return packets
}

func eventCode(key byte) byte {
	switch {
	case key == '*':
		return 10
	case key == '#':
		return 11
	}
	return key - '0'
}

// post sends packets as they are, with the pace of events between them.
func (p *handpiece) post(to netip.AddrPort, packets [][]byte) {
	p.t.Helper()
	pace := time.NewTicker(10 * time.Millisecond)
	defer pace.Stop()
	for _, one := range packets {
		<-pace.C
		if _, err := p.audio.WriteToUDPAddrPort(one, to); err != nil {
			p.t.Fatal(err)
		}
	}
}

// types sends keys, each as its network would have it: damage changes the
// packets of one key.
func (p *handpiece) types(to netip.AddrPort, keys string, damage func([][]byte) [][]byte) {
	p.t.Helper()
	for _, key := range []byte(keys) {
		p.post(to, damage(p.key(key)))
	}
}

// Ways of the network with the six packets of a key.
var damages = map[string]func([][]byte) [][]byte{
	"untouched":    func(p [][]byte) [][]byte { return p },
	"start lost":   func(p [][]byte) [][]byte { return p[3:] },
	"end lost":     func(p [][]byte) [][]byte { return p[:3] },
	"one left":     func(p [][]byte) [][]byte { return p[4:5] },
	"tripled":      func(p [][]byte) [][]byte { return slices.Concat(p, p, p) },
	"reversed":     func(p [][]byte) [][]byte { return []([]byte){p[5], p[4], p[3], p[2], p[1], p[0]} },
	"end is first": func(p [][]byte) [][]byte { return slices.Concat(p[3:], p[:3]) },
}
