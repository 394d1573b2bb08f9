package session

import (
	"sync"
	"time"

	"doorstation/media/g711"
	"doorstation/media/sdp"

	"github.com/pion/rtp"
)

const (
	frameTime    = 20 * time.Millisecond
	frameSamples = 160
	audioClock   = 8000
	headerSize   = 12
	maxCatchUp   = 3 // frames sent at once after the process was held up
)

// A mouth sends the microphone, one packet every 20 ms on the kernel's clock.
type mouth struct {
	stream *stream
	pacer  *pacer
	out    *writer

	mu     sync.Mutex // held while a packet is made and sent
	src    func(frame []int16)
	mark   bool // the next packet begins a talkspurt (RFC 3551 section 4.1)
	origin time.Duration
	begun  bool
	base   uint32 // timestamp at origin
	stamp  uint32 // timestamp of the next packet
	frame  [frameSamples]int16
	packet [headerSize + frameSamples]byte

	turns turns
}

// speak opens the microphone, or closes it with nil. After it returns, no
// packet of the former source leaves.
func (m *mouth) speak(now time.Duration, src func(frame []int16)) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	was := m.src != nil
	m.src = src
	switch {
	case src == nil:
		m.turns.answer() // nobody waits for a clock that stands
		return m.pacer.stop()
	case was:
		return nil
	}
	return m.open(now)
}

// open begins a talkspurt at now: timestamps go on as time did.
func (m *mouth) open(now time.Duration) error {
	if !m.begun {
		m.begun, m.origin, m.base = true, now, m.stream.out.stamp
	}
	m.stamp = m.base + uint32(int64(now-m.origin)*audioClock/int64(time.Second))
	m.mark = true
	return m.pacer.start(frameTime)
}

// restart begins the clock anew if the microphone is open, so that a far end
// just learnt hears at once.
func (m *mouth) restart(now time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.src == nil {
		return nil
	}
	return m.open(now)
}

// run sends until the pacer is closed.
func (m *mouth) run() {
	for {
		ticks, err := m.pacer.wait()
		if err != nil {
			return
		}
		m.tick(ticks)
	}
}

// tick sends what is due. A process that was held up sends a few frames at
// once and leaves the rest out; the timestamps say so.
func (m *mouth) tick(ticks int) {
	first := false
	now := m.stream.now()
	m.mu.Lock()
	if over := ticks - maxCatchUp; over > 0 {
		m.stamp += uint32(over * frameSamples)
		ticks = maxCatchUp
	}
	for ; ticks > 0 && m.src != nil; ticks-- {
		if m.send(now) {
			first = true
		}
		m.stamp += frameSamples
	}
	m.mu.Unlock()
	m.turns.answer()
	if first {
		m.stream.notify(FirstOut{Stream: Audio, At: m.stream.epoch.Add(now)})
	}
}

// send makes and sends one packet, and reports whether it was the leg's first.
func (m *mouth) send(now time.Duration) (first bool) {
	p := m.stream.peer.Load()
	m.src(m.frame[:]) // taken on hold too, so that nothing old is sent later
	if !p.sends() {
		m.mark = true
		return false
	}
	if p.codec == sdp.PCMA {
		g711.EncodeALaw(m.packet[headerSize:], m.frame[:])
	} else {
		g711.EncodeULaw(m.packet[headerSize:], m.frame[:])
	}
	h := rtp.Header{Version: version2, Marker: m.mark, PayloadType: p.pt,
		SequenceNumber: m.stream.out.seq, Timestamp: m.stamp, SSRC: m.stream.out.ssrc}
	if _, err := h.MarshalTo(m.packet[:]); err != nil {
		return false
	}
	m.stream.out.seq++
	m.mark = false
	if err := m.out.write(m.packet[:], p.rtp); err != nil {
		m.stream.log.Debug("rtp_not_sent", "stream", "audio", "peer", p.rtp.String(), "err", err)
		return false
	}
	return m.stream.out.sent(now, m.stamp, 1, frameSamples)
}
