package phone

import (
	"errors"
	"log/slog"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"sync"
	"time"

	"doorstation/media/dtmf"
	"doorstation/media/g711"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"
)

// The sound's geometry: 20 ms of 8000 Hz, mono.
const (
	frameSamples = 160
	frameTime    = 20 * time.Millisecond
)

// maxWaiting is how much of the resident's voice may wait to be sent, in
// frames; older ones are dropped.
const maxWaiting = 10

// keyHold is how long a key of the phone is down.
const keyHold = 100 * time.Millisecond

// maxKeys bounds the keys that wait to be sent.
const maxKeys = 32

// AudioCount is what the sound's port did.
type AudioCount struct {
	Port     int     `json:"port"`
	Received int     `json:"received"` // RTP packets taken
	Sent     int     `json:"sent"`     // RTP packets sent
	Level    float64 `json:"level"`    // of the last frame received, 0 to 1
}

// audio is the sound of one call, both ways, and the keys.
type audio struct {
	log     *slog.Logger
	sockets pair
	ssrc    uint32
	hear    func([]int16)

	mu      sync.Mutex
	terms   audioTerms
	talk    bool // sound is agreed both ways
	count   AudioCount
	started bool // a packet was taken; last is valid
	last    uint16
	source  uint32
	octets  uint32
	waiting [][]int16
	keys    []byte

	// of the sending goroutine alone
	seq      uint16
	stamp    uint32
	press    *dtmf.Sender
	pressAt  uint32
	marked   bool
	pcm      [frameSamples]int16
	received [frameSamples * 3]int16
}

// newAudio makes the sound of a call on the sockets, which it owns. hear gets
// every frame received, one at a time, and must copy it.
func newAudio(log *slog.Logger, sockets pair, terms audioTerms, talk bool, hear func([]int16)) *audio {
	a := &audio{
		log: log, sockets: sockets, hear: hear, terms: terms, talk: talk,
		ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), stamp: rand.Uint32(),
	}
	a.count.Port = int(sockets.address().Port())
	return a
}

// set changes the terms in the middle of a call.
func (a *audio) set(terms audioTerms, talk bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.terms, a.talk = terms, talk
}

// talks reports whether sound flows both ways, and keys can be sent.
func (a *audio) talks() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.talk
}

// receive takes what comes in until the sockets are closed.
func (a *audio) receive() {
	buf := make([]byte, 2048)
	for {
		n, from, err := a.sockets.rtp.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil || !isRTP(buf[:n]) {
			continue
		}
		a.take(buf[:n], from)
	}
}

// take plays one RTP packet, unless it is late or from somewhere else.
func (a *audio) take(b []byte, from netip.AddrPort) {
	var p rtp.Packet
	if p.Unmarshal(b) != nil {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	fresh := !a.started || p.SSRC != a.source || int16(p.SequenceNumber-a.last) > 0
	if !fresh || p.PayloadType != a.terms.payload || from.Addr().Unmap() != a.terms.rtp.Addr() {
		return
	}
	a.started, a.source, a.last = true, p.SSRC, p.SequenceNumber
	a.count.Received++
	coded := p.Payload[:min(len(p.Payload), len(a.received))]
	decode := g711.DecodeULaw
	if a.terms.alaw {
		decode = g711.DecodeALaw
	}
	pcm := a.received[:decode(a.received[:], coded)]
	a.count.Level = level(pcm)
	a.hear(pcm)
}

// level is the root mean square of a frame, 0 to 1.
func level(pcm []int16) float64 {
	if len(pcm) == 0 {
		return 0
	}
	var sum float64
	for _, s := range pcm {
		sum += float64(s) * float64(s)
	}
	return math.Sqrt(sum/float64(len(pcm))) / math.MaxInt16
}

// say puts a frame of the resident's voice into the queue.
func (a *audio) say(pcm []int16) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.waiting) >= maxWaiting {
		a.waiting = a.waiting[1:]
	}
	a.waiting = append(a.waiting, pcm)
}

// key puts a key into the queue.
func (a *audio) key(k byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case !a.talk:
		return errors.New("no sound agreed yet, so no keys can be sent")
	case a.terms.events == 0:
		return errors.New("the panel takes no telephone-events")
	case len(a.keys) >= maxKeys:
		return errors.New("too many keys wait to be sent")
	}
	a.keys = append(a.keys, k)
	return nil
}

// send sends a packet every 20 ms, counted from the start and not from the last
// packet, until done is closed.
func (a *audio) send(done <-chan struct{}) {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	report := next.Add(reportInterval)
	for {
		select {
		case <-done:
			return
		case <-timer.C:
		}
		a.frame()
		if next.After(report) {
			report = report.Add(reportInterval)
			a.report()
		}
		next = next.Add(frameTime)
		timer.Reset(time.Until(next))
	}
}

// frame sends the packet that is due: of a key that is down, or of the voice.
func (a *audio) frame() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.stamp += frameSamples
	if !a.talk || !a.terms.receives {
		return
	}
	if a.pressed() {
		return
	}
	clear(a.pcm[:])
	if len(a.waiting) > 0 {
		copy(a.pcm[:], a.waiting[0])
		a.waiting = a.waiting[1:]
	}
	var coded [frameSamples]byte
	encode := g711.EncodeULaw
	if a.terms.alaw {
		encode = g711.EncodeALaw
	}
	n := encode(coded[:], a.pcm[:])
	a.packet(a.terms.payload, !a.marked, a.stamp, coded[:n])
	a.marked = true
}

// pressed sends the next report of a key (RFC 4733 section 2.5.1), if one is
// down or waits. Its RTP timestamp is that of the press's start.
func (a *audio) pressed() bool {
	if a.press == nil && len(a.keys) > 0 {
		a.press, a.pressAt = a.begin(a.keys[0]), a.stamp
		a.keys = a.keys[1:]
	}
	if a.press == nil {
		return false
	}
	payload, marker, more := a.press.Next(nil)
	if !more {
		a.press = nil
		return false
	}
	a.packet(a.terms.events, marker, a.pressAt, payload)
	return true
}

// begin starts a press; what is no key starts none.
func (a *audio) begin(key byte) *dtmf.Sender {
	press, err := dtmf.NewSender(key, keyHold)
	if err != nil {
		a.log.Warn("key not sent", "err", err)
		return nil
	}
	return press
}

// packet writes one RTP packet to the panel.
func (a *audio) packet(payload uint8, marker bool, stamp uint32, body []byte) {
	p := rtp.Packet{Header: rtp.Header{
		Version: 2, Marker: marker, PayloadType: payload, SequenceNumber: a.seq, Timestamp: stamp, SSRC: a.ssrc,
	}, Payload: body}
	a.seq++
	raw, err := p.Marshal()
	if err != nil {
		return
	}
	if _, err := a.sockets.rtp.WriteToUDPAddrPort(raw, a.terms.rtp); err == nil {
		a.count.Sent++
		a.octets += uint32(len(body))
	}
}

// report sends a sender report (RFC 3550 section 6.4.1).
func (a *audio) report() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.count.Sent == 0 {
		return
	}
	now := time.Now()
	sr := &rtcp.SenderReport{
		SSRC: a.ssrc, NTPTime: ntp(now), RTPTime: a.stamp, PacketCount: uint32(a.count.Sent), OctetCount: a.octets,
	}
	if a.started {
		sr.Reports = []rtcp.ReceptionReport{{SSRC: a.source, LastSequenceNumber: uint32(a.last)}}
	}
	writeRTCP(a.sockets, a.terms.mux, a.terms.rtcp, a.ssrc, []rtcp.Packet{sr})
}

// ntp is the time of day as RFC 3550 section 4 has it: seconds since 1900 in the
// upper half, a binary fraction in the lower.
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	seconds := uint64(t.Unix()) + since1900
	fraction := uint64(t.Nanosecond()) << 32 / uint64(time.Second)
	return seconds<<32 | fraction
}

// counted returns the figures so far.
func (a *audio) counted() AudioCount {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.count
}
