//go:build board

package e2e

import (
	"bytes"
	"fmt"
	"slices"
)

// The picture of the boards' camera, as their files limit it.
const boardWidth, boardHeight = 320, 180

// shownTo waits until so many pictures have been sent to a host.
func (p *boardPanel) shownTo(h *host, least int) {
	p.t.Helper()
	awaitFor(p.t, boardPatience, "pictures to "+h.name, func() error {
		if n := pictures(p.wire.all(p.pictureTo(h))); n < least {
			return fmt.Errorf("%d so far, want %d", n, least)
		}
		return nil
	})
}

// wantEarlyPicture fails unless the host, which never answered, got a picture
// that ffmpeg decodes: key frame first, of the kernel's camera, in motion. It
// prints its size and rate.
func (p *boardPanel) wantEarlyPicture(h *host) {
	p.t.Helper()
	packets := p.wire.all(p.pictureTo(h))
	if len(packets) == 0 || !leadsWithKey(packets) {
		p.t.Errorf("%s: %d packets of picture, key frame first: %v", h.name, len(packets), len(packets) > 0 && leadsWithKey(packets))
		return
	}
	offer := bodyOf(p.wire.first("the INVITE to "+h.name, func(k packet) bool {
		return sip(true, "INVITE ", "INVITE")(k) && k.dst.Addr() == h.addr
	}).payload)
	frames := decode(h, offer, packets, boardWidth, boardHeight)
	sent, span := pictures(packets), packets[len(packets)-1].at.Sub(packets[0].at)
	p.t.Logf("early picture at %s: %dx%d, %d decoded of %d sent in %v: %.1f a second",
		h.name, boardWidth, boardHeight, len(frames), sent, span, float64(sent-1)/span.Seconds())
	if len(frames) < sent-1 { // ffmpeg may keep the last one back
		p.t.Errorf("%s: %d pictures decoded of %d", h.name, len(frames), sent)
	}
	for i, frame := range frames {
		if dark, bright := slices.Min(frame), slices.Max(frame); bright-dark < 100 {
			p.t.Errorf("%s: picture %d has luma from %d to %d only: no camera's bars", h.name, i, dark, bright)
		}
		if i > 0 && bytes.Equal(frame, frames[i-1]) {
			p.t.Errorf("%s: picture %d is the one before again: the camera's clock stands still", h.name, i)
		}
	}
}
