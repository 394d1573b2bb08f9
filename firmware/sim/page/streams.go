package page

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"doorstation/drivers"
	"doorstation/firmware/sim/loopback"

	"github.com/coder/websocket"
)

// Times of the state's stream: it is told when something changed, not more
// often than stateLeast apart, and at least every stateMost.
const (
	stateLeast = 40 * time.Millisecond
	stateMost  = time.Second
)

// watch sends the panel's state.
func (p *panel) watch(w http.ResponseWriter, r *http.Request) {
	changed, end := p.changed.Listen()
	defer end()
	loopback.Stream(w, r, nil, func(ctx context.Context, c *websocket.Conn) error {
		for {
			raw, err := json.Marshal(p.snapshot())
			if err != nil {
				return err
			}
			if err := loopback.Write(ctx, c, websocket.MessageText, raw); err != nil {
				return err
			}
			if !wait(ctx, stateLeast) {
				return ctx.Err()
			}
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-changed:
			case <-time.After(stateMost):
			}
		}
	})
}

// wait reports false when ctx ends first.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// sound sends what the speaker plays, and takes the visitor's voice.
func (p *panel) sound(w http.ResponseWriter, r *http.Request) {
	frames, end := p.frames.Listen()
	defer end()
	loopback.Sound(w, r, frames, p.spoken)
}

// spoken cuts what a browser's microphone gives into frames.
func (p *panel) spoken(b []byte) {
	pcm := loopback.Samples(b)
	now := time.Now()
	p.mu.Lock()
	defer p.mu.Unlock()
	for len(pcm) >= drivers.FrameSamples {
		p.voice.spoken(now, pcm[:drivers.FrameSamples:drivers.FrameSamples])
		pcm = pcm[drivers.FrameSamples:]
	}
}
