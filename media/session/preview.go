package session

import "doorstation/media/sdp"

// OfferSound is Offer without the picture, for phones that do not understand
// one. The answer to either goes to Apply.
func (s *Session) OfferSound() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.refresh()
	return s.say(func(l sdp.Local) []byte {
		l.Video = nil
		return sdp.Offer(l)
	})
}

// Talks reports whether sound was agreed, in either direction. What was agreed
// without it is a look at the door, and no conversation.
func (s *Session) Talks() bool {
	p := s.audio.peer.Load()
	return !s.closed.Load() && p != nil && p.direction != sdp.Inactive
}
