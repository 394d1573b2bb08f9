package session

import (
	"bytes"
	"math/rand/v2"
	"reflect"

	"doorstation/media/sdp"
)

// audioKbps is G.711 with its headers, for the share of RTCP.
const audioKbps = 80

// describe is the leg as it can be described now.
func (s *Session) describe() sdp.Local {
	l := sdp.Local{ID: s.local.ID, Version: s.local.Version}
	if l.ID == 0 {
		l.ID, l.Version = uint64(rand.Int64N(1<<62))+1, 1
	}
	// RTCP shares RTP's port where the other side can (RFC 5761): one hole in
	// a NAT instead of two.
	place := s.audio.public()
	l.Audio = sdp.LocalAudio{RTP: place, RTCP: place, Codecs: s.params.Codecs, Direction: sdp.SendRecv}
	if s.video != nil {
		place := s.video.public()
		l.Video = &sdp.LocalVideo{RTP: place, RTCP: place,
			ProfileLevelID: s.params.ProfileLevelID, Kbps: s.params.Kbps}
	}
	return l
}

// Offer describes the leg: with the addresses that Public has learnt, if it
// has. The version grows with each change (RFC 3264 section 8).
func (s *Session) Offer() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh()
	return s.say(sdp.Offer)
}

// refresh takes what has become known of our addresses.
func (s *Session) refresh() {
	if l := s.describe(); !reflect.DeepEqual(l, s.local) {
		s.local = l
	}
}

// say writes a description, with the next version if it is not the last one.
func (s *Session) say(write func(sdp.Local) []byte) []byte {
	body := write(s.local)
	if s.said != nil && !bytes.Equal(body, s.said) {
		s.local.Version++
		body = write(s.local)
	}
	s.said = body
	return bytes.Clone(body)
}

// Apply takes the far end's answer to Offer and starts media accordingly. The
// same answer again changes nothing; another one, of another fork or a later
// one, replaces it. The error is one of sdp.ReadAnswer's, and changes nothing.
func (s *Session) Apply(answer []byte) error {
	s.mu.Lock()
	remote, err := sdp.ReadAnswer(s.local, answer)
	if err != nil {
		s.mu.Unlock()
		return err
	}
	picture := s.apply(remote)
	s.mu.Unlock()
	s.applied(picture)
	return nil
}

// Answer answers the far end's offer, that of an incoming call or of a
// re-INVITE, and starts media accordingly. The error is one of sdp.Answer's,
// and changes nothing.
func (s *Session) Answer(offer []byte) ([]byte, error) {
	s.mu.Lock()
	s.refresh()
	_, remote, err := sdp.Answer(s.local, offer)
	if err != nil {
		s.mu.Unlock()
		return nil, err
	}
	body := s.say(func(l sdp.Local) []byte {
		body, _, _ := sdp.Answer(l, offer) // as it has just done
		return body
	})
	picture := s.apply(remote)
	s.mu.Unlock()
	s.applied(picture)
	return body, nil
}

// apply puts what was agreed in force, and reports whether the picture starts.
func (s *Session) apply(r sdp.Remote) (picture bool) {
	if s.closed.Load() {
		return false
	}
	if r.NoVideo != nil {
		s.params.Log.Warn("no_picture", "err", r.NoVideo)
	}
	before := s.audio.peer.Load()
	changed, moved := s.audio.set(audioPeer(r.Audio))
	if moved {
		s.ear.forget()
	}
	if changed && (moved || !before.sends()) {
		s.audible(s.mouth.restart(s.now()))
	}
	if s.video == nil {
		return false
	}
	before = s.video.peer.Load()
	now := videoPeer(r.Video)
	changed, moved = s.video.set(now)
	return changed && now.sends() && (moved || !before.sends())
}

// applied does what follows, without the lock.
func (s *Session) applied(picture bool) {
	if picture {
		s.screen.begin(s.now())
	}
	s.nudge()
}
