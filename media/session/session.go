// Package session owns the sockets of one leg and runs the pure parts of the
// media on them: RTP and RTCP (RFC 3550, RFC 3551), offer and answer.
package session

import (
	"context"
	"log/slog"
	"net/netip"
	"time"

	"doorstation/media/sdp"
)

// Params is what a leg needs to know.
type Params struct {
	Address          netip.Addr // local address, exact
	PortMin, PortMax int        // RTP takes an even port in here, RTCP the next one
	Video            bool
	Codecs           []sdp.Codec // in order of preference
	ProfileLevelID   string      // of the picture, such as "42c016"
	Kbps             int         // of the picture
	NoMediaFor       time.Duration
	STUN             netip.AddrPort // zero: none
	Keepalive        time.Duration
	CNAME            string // RFC 3550 section 6.5.1
	Log              *slog.Logger
	Notify           func(Event) // called from the session's goroutines; must not block
}

// A Session is the media of one leg.
type Session struct{ params Params }

// Open binds the ports of a leg.
func Open(p Params) (*Session, error) { return &Session{params: p}, nil }

// Public learns the mapped addresses by STUN.
func (s *Session) Public(ctx context.Context) error { return nil }

// Offer describes the leg.
func (s *Session) Offer() []byte { return nil }

// Apply takes the remote's answer.
func (s *Session) Apply(answer []byte) error { return nil }

// Answer answers an offer and applies it.
func (s *Session) Answer(offer []byte) ([]byte, error) { return nil, nil }

// WantsVideo reports whether the far end takes a picture.
func (s *Session) WantsVideo() bool { return false }

// SendVideo sends one access unit.
func (s *Session) SendVideo(nals [][]byte, pts time.Duration, key bool) {}

// Speak opens the microphone, or closes it with nil.
func (s *Session) Speak(src func(frame []int16)) {}

// Hear gives the next frame of far audio.
func (s *Session) Hear(frame []int16) bool { clear(frame); return false }

// Stats copies the counters.
func (s *Session) Stats() Stats { return Stats{} }

// Close ends the leg.
func (s *Session) Close() {}
