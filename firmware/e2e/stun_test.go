package e2e

import (
	"testing"

	"doorstation/firmware/control"
)

// The panel asks a STUN server from its media ports and from its SIP port, and
// keeps asking (RFC 5389; RFC 6263).
func TestSTUN(t *testing.T) {
	s, _, gate := site(t)
	server := s.host("stun", 7)
	startCoturn(server)
	phone := startSipp(s.host("phone", 31), "answer")
	newHandpiece(phone.host)
	p := startPanel(gate, config{
		targets: []string{phone.uri()}, call: "talk_for: 4s, warn_before: 1s",
		extra: []string{"stun: {server: 10.0.0.7, keepalive: 1s}"},
	})
	p.press()
	p.calls(control.CallTalking)
	audio, video := p.panelPorts(phone.host)
	p.ended()
	phone.played()
	for what, port := range map[string]uint16{"SIP": 5060, "audio": audio.Port(), "video": video.Port()} {
		asked := p.wire.all(func(k packet) bool {
			return isSTUN(k) && k.sent && k.dst == server.at(3478) && k.src.Port() == port
		})
		answered := p.wire.all(func(k packet) bool {
			return isSTUN(k) && !k.sent && k.src == server.at(3478) && k.dst.Port() == port
		})
		if len(asked) == 0 || len(answered) == 0 {
			t.Errorf("%s port %d: %d requests, %d answers; want some", what, port, len(asked), len(answered))
		}
	}
}
