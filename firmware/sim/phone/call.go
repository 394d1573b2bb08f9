package phone

import (
	"log/slog"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// A call is one INVITE and what comes of it.
type call struct {
	phone *Phone
	log   *slog.Logger
	tx    sip.ServerTransaction
	req   *sip.Request

	mu     sync.Mutex
	dialog dialog
	offer  description // the panel's latest
	terms  agreement
	local  local
	talk   bool
	final  bool          // our final response has gone
	acked  chan struct{} // closed by the ACK to our 200

	settled chan struct{} // closed when the INVITE needs no more of us
	settle  func()        // closes it, once

	audio *audio
	video *video // nil: no picture agreed
	done  chan struct{}
	stop  func() // ends the media, once
}

// newCall prepares a call for an INVITE with this offer: sockets for what was
// agreed, nothing sent yet.
func newCall(p *Phone, req *sip.Request, tx sip.ServerTransaction, offer description) (*call, error) {
	d, err := newDialog(req, p.params.User, p.params.Listen)
	if err != nil {
		return nil, err
	}
	c := &call{
		phone: p, log: p.log.With("call_id", d.callID), tx: tx, req: req, dialog: d, offer: offer, terms: agree(offer),
		local: local{id: rand.Uint64() >> 1, version: 1}, talk: p.params.Both,
		acked: make(chan struct{}), done: make(chan struct{}), settled: make(chan struct{}),
	}
	c.settle = sync.OnceFunc(func() { close(c.settled) })
	if err := c.openAudio(); err != nil {
		return nil, err
	}
	if err := c.openVideo(); err != nil {
		c.audio.sockets.close()
		return nil, err
	}
	c.stop = sync.OnceFunc(func() {
		close(c.done)
		c.settle()
		c.audio.sockets.close()
		if c.video != nil {
			c.video.sockets.close()
		}
	})
	return c, nil
}

func (c *call) openAudio() error {
	sockets, err := listenPair(c.phone.params.Listen.Addr())
	if err != nil {
		return err
	}
	c.local.audio = sockets.address()
	c.audio = newAudio(c.log, sockets, *c.terms.audio, c.talk, func(pcm []int16) {
		c.phone.frames.Send(append([]int16(nil), pcm...))
	})
	return nil
}

func (c *call) openVideo() error {
	if c.terms.video == nil {
		return nil
	}
	sockets, err := listenPair(c.phone.params.Listen.Addr())
	if err != nil {
		return err
	}
	c.local.video = sockets.address()
	c.video = newVideo(c.log, sockets, *c.terms.video, c.phone.units.Send)
	return nil
}

// start lets the picture in and keeps the reports going.
func (c *call) start() {
	go c.audio.receive()
	if c.video == nil {
		return
	}
	go c.video.run()
	go func() {
		ticker := time.NewTicker(reportInterval)
		defer ticker.Stop()
		for {
			select {
			case <-c.done:
				return
			case <-ticker.C:
				c.video.tick()
			}
		}
	}()
}

// owns reports whether a request belongs to the call.
func (c *call) owns(req *sip.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.dialog.owns(req)
}

// counts gives the figures of both streams, and whether the sound is agreed.
func (c *call) counts() (VideoCount, AudioCount, bool) {
	var v VideoCount
	if c.video != nil {
		v = c.video.counted()
	}
	return v, c.audio.counted(), c.audio.talks()
}

// describe writes our side as it is agreed now.
func (c *call) describe() []byte {
	c.mu.Lock()
	defer c.mu.Unlock()
	return describe(c.offer, c.terms, c.local, c.talk)
}

// describeNext does the same as a new version (RFC 3264 section 8).
func (c *call) describeNext() []byte {
	c.mu.Lock()
	c.local.version++
	c.mu.Unlock()
	return c.describe()
}

// renew takes a later description of the panel's and answers it. It reports
// false, and changes nothing, when the sound would be lost.
func (c *call) renew(body []byte) bool {
	d, err := parseSDP(body)
	if err != nil {
		c.log.Warn("description refused", "err", err)
		return false
	}
	terms := agree(d)
	if terms.audio == nil {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.video == nil {
		terms.video = nil // no socket was opened for one
	}
	c.offer, c.terms = d, terms
	c.audio.set(*terms.audio, c.talk)
	return true
}

// takeFinal reports whether the caller may send the one final response.
func (c *call) takeFinal() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	taken := c.final
	c.final = true
	return !taken
}
