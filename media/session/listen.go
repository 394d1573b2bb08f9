package session

import (
	"sync"
	"time"

	"doorstation/media/dtmf"
	"doorstation/media/g711"
	"doorstation/media/jitter"
	"doorstation/media/sdp"

	"github.com/pion/rtp"
)

// The wait that the jitter buffer may add.
const (
	minPlayout = 20 * time.Millisecond
	maxPlayout = 120 * time.Millisecond
)

// An ear takes the far end's audio: key presses at once, sound through the
// jitter buffer. The stream's in.mu guards everything but the buffer.
type ear struct {
	stream *stream
	keys   dtmf.Receiver
	pcm    [maxDatagram]int16

	mu     sync.Mutex // the reader and the speaker share the buffer
	buffer *jitter.Buffer
}

func newEar(s *stream) *ear {
	return &ear{stream: s, buffer: jitter.New(jitter.Params{Min: minPlayout, Max: maxPlayout})}
}

// A verdict is what came of an RTP packet.
type verdict struct {
	ok  bool // it counts
	key byte // pressed by it; 0: none
}

// accept takes one RTP packet.
func (e *ear) accept(now time.Duration, p *peer, h *rtp.Header, payload []byte) verdict {
	if isEvent(p, h.PayloadType, payload) {
		return e.key(now, h, payload)
	}
	return verdict{ok: e.sound(now, h, payload)}
}

// sound takes one packet of audio.
func (e *ear) sound(now time.Duration, h *rtp.Header, payload []byte) bool {
	var decode func([]int16, []byte) int
	switch h.PayloadType {
	case uint8(sdp.PCMU):
		decode = g711.DecodeULaw
	case uint8(sdp.PCMA):
		decode = g711.DecodeALaw
	default:
		return false
	}
	in := &e.stream.in
	ok, fresh := in.media.admit(now, h.SSRC)
	if !ok {
		return false
	}
	if fresh {
		in.reception.start(h.SSRC, h.SequenceNumber)
	}
	if !in.reception.sequence(h.SequenceNumber) {
		return false
	}
	in.reception.measure(now, h.Timestamp)
	n := decode(e.pcm[:], payload)
	e.mu.Lock()
	e.buffer.Push(now, h.SSRC, h.Timestamp, e.pcm[:n])
	e.mu.Unlock()
	return true
}

// Dynamic payload types (RFC 3551 section 3) and a telephone-event's length
// (RFC 4733 section 2.3).
const (
	dynamicLow  = 96
	eventLength = 4
)

// isEvent tells telephone-events, where they were agreed: by the far end's
// number, by ours, and, since some senders number them as they like, by their
// length under any other dynamic type.
func isEvent(p *peer, pt uint8, payload []byte) bool {
	if p.event == 0 || pt == p.pt {
		return false
	}
	return pt == p.event || pt == sdp.OfferedEventType || pt >= dynamicLow && len(payload) == eventLength
}

// key takes one telephone-event packet. Its SSRC has a gate of its own: some
// senders make events and sound in different places.
func (e *ear) key(now time.Duration, h *rtp.Header, payload []byte) verdict {
	in := &e.stream.in
	if ok, _ := in.events.admit(now, h.SSRC); !ok {
		return verdict{}
	}
	if in.media.known && in.media.current == h.SSRC {
		in.reception.sequence(h.SequenceNumber)
	}
	key, ok := e.keys.Packet(h.SSRC, h.Timestamp, h.Marker, payload)
	if !ok {
		key = 0
	}
	return verdict{ok: true, key: key}
}

// hear gives the next frame for the speaker.
func (e *ear) hear(now time.Duration, frame []int16) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.buffer.Pull(now, frame)
}

// forget drops what was heard of a far end that has gone.
func (e *ear) forget() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buffer.Reset()
}

// fill adds the buffer's figures.
func (e *ear) fill(st *Stats) {
	e.mu.Lock()
	defer e.mu.Unlock()
	st.Late, st.Concealed, st.Delay = e.buffer.Late(), e.buffer.Concealed(), e.buffer.Delay()
}
