package sim

import (
	"context"
	"sync"
	"time"

	"doorstation/drivers"
	"doorstation/drivers/seqpacket"
)

const (
	// micQueue is how many frames of speech wait for the card: one second.
	micQueue = 50
	// micLead is how many frames have to wait before speech begins, so that
	// one late frame makes no gap.
	micLead = 2
	// maxUnanswered is how many frames the panel may owe. A panel that owes more
	// has been stopped; it loses frames, as with a card whose buffer over-runs.
	maxUnanswered = 10
	// listenQueue is how many frames wait for one listener.
	listenQueue = 25
)

// card is the sound card: a clock of 20 ms, a microphone that hears the
// world, and a speaker with listeners.
type card struct {
	noise room

	mu         sync.Mutex
	taken      bool
	mic        [][frameBytes]byte
	speaking   bool
	waited     int // ticks that the first frames have waited
	unanswered int
	listeners  map[chan [frameBytes]byte]struct{}
}

func newCard(peak int16) *card {
	return &card{noise: room{peak: peak, state: 1}, listeners: map[chan [frameBytes]byte]struct{}{}}
}

// take makes the caller the only user of the card.
func (c *card) take() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.taken {
		return false
	}
	c.taken, c.unanswered = true, 0
	return true
}

func (c *card) giveBack() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.taken = false
}

// run is the card's clock: it sends one microphone frame every 20 ms until ctx
// ends. Deadlines are absolute, so that delays do not add up.
func (c *card) run(ctx context.Context, conn *seqpacket.Conn) {
	next := time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	msg := make([]byte, 0, maxMessage)
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		if frame, ok := c.tick(); ok {
			msg = packet{kind: kindFrame, frame: frame[:]}.append(msg[:0])
			_ = conn.TrySend(msg) // a full queue loses the frame, a lost peer ends ctx
		}
		next = next.Add(drivers.FrameTime)
		if late := time.Since(next); late > maxUnanswered*drivers.FrameTime {
			next = time.Now() // this process was stopped; do not hurry after it
		}
		timer.Reset(time.Until(next))
	}
}

// tick gives the frame that the microphone has heard; ok is false when the
// panel has stopped taking frames.
func (c *card) tick() (frame [frameBytes]byte, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	frame = c.heard()
	if c.unanswered >= maxUnanswered {
		return frame, false
	}
	c.unanswered++
	return frame, true
}

// heard takes the next frame of speech, or noise of the room.
func (c *card) heard() [frameBytes]byte {
	if len(c.mic) == 0 {
		c.speaking, c.waited = false, 0
		return c.noise.frame()
	}
	if !c.speaking && len(c.mic) < micLead && c.waited < micLead {
		c.waited++
		return c.noise.frame()
	}
	c.speaking = true
	frame := c.mic[0]
	c.mic = c.mic[:copy(c.mic, c.mic[1:])]
	return frame
}

// say queues a frame for the microphone; of too many the oldest is lost.
func (c *card) say(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.mic) == micQueue {
		c.mic = c.mic[:copy(c.mic, c.mic[1:])]
	}
	c.mic = append(c.mic, [frameBytes]byte(frame))
}

// play takes a frame of the panel and hands it to who listens; a slow one
// loses it.
func (c *card) play(frame []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.unanswered = max(0, c.unanswered-1)
	for l := range c.listeners {
		select {
		case l <- [frameBytes]byte(frame):
		default:
		}
	}
}

func (c *card) listen() chan [frameBytes]byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := make(chan [frameBytes]byte, listenQueue)
	c.listeners[l] = struct{}{}
	return l
}

func (c *card) forget(l chan [frameBytes]byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.listeners, l)
}

// room is the noise of an empty room.
type room struct {
	peak  int16
	state uint32
}

// frame gives 20 ms of it, from a linear congruential generator.
func (r *room) frame() (b [frameBytes]byte) {
	if r.peak <= 0 {
		return b
	}
	var samples [drivers.FrameSamples]int16
	for i := range samples {
		r.state = r.state*1664525 + 1013904223
		samples[i] = int16(int32(r.state>>16)%(2*int32(r.peak)+1) - int32(r.peak))
	}
	pack(b[:0], samples[:])
	return b
}
