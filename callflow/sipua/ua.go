// Package sipua is the panel's single-line SIP user agent (RFC 3261): it turns
// messages into events and calls of its methods into messages. Bodies pass as
// opaque bytes; what an offer or an answer means is decided elsewhere.
//
// sipgo gives the parser, the transports and the transactions. Dialogs, and the
// order of messages, are our own: every message is handed over by the reader
// that took it off the wire, in order, to the one goroutine that owns all state
// and makes all events.
package sipua

import (
	"context"
	"net/netip"

	"doorstation/callflow"
)

// New binds the socket. The events go to on, one at a time, from Run's
// goroutine; on must not block. It may call any method of the UA.
func New(cfg Config, on func(Event)) (*UA, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return newUA(cfg, on)
}

// LocalAddr is the bound address, the same for the whole life of the UA.
func (u *UA) LocalAddr() netip.AddrPort { return u.local }

// WriteTo sends a datagram from the SIP socket, for STUN.
func (u *UA) WriteTo(b []byte, to netip.AddrPort) error { return u.gate.writeTo(b, to) }

// SetPublic tells the address under which the SIP socket is seen from outside.
// When it changes, Contact follows and the registration is renewed.
func (u *UA) SetPublic(a netip.AddrPort) { u.box.post(func() { u.setPublic(a) }) }

// Refresh registers now: the network may have changed.
func (u *UA) Refresh() { u.box.post(u.register) }

// Invite rings target with an SDP offer. What comes of it comes as events of
// this leg, which ends in Refused or, once Answered, in Ended.
func (u *UA) Invite(leg callflow.LegID, target string, offer []byte) {
	u.Ring(leg, Invitation{Target: target, Offers: [][]byte{offer}})
}

// Ring is Invite with all that can be said of a call.
func (u *UA) Ring(leg callflow.LegID, inv Invitation) {
	u.box.post(func() { u.invite(leg, inv) })
}

// Cancel gives up a leg that has not been answered; Refused with 487 follows.
// On an answered leg it is Bye.
func (u *UA) Cancel(leg callflow.LegID) { u.box.post(func() { u.cancel(leg) }) }

// Accept answers an incoming leg. Confirmed follows the caller's ACK; without
// one within 32 s the leg is ended (RFC 3261 section 13.3.1.4).
func (u *UA) Accept(leg callflow.LegID, sdp []byte) { u.box.post(func() { u.accept(leg, sdp) }) }

// Reject refuses an incoming leg with a status of 300 to 699. No event follows.
func (u *UA) Reject(leg callflow.LegID, status int) { u.box.post(func() { u.reject(leg, status) }) }

// Bye ends an answered leg. Ended follows any final response to it, or its
// time-out.
func (u *UA) Bye(leg callflow.LegID) { u.box.post(func() { u.bye(leg) }) }

// Turn asks whether Run's goroutine turns: done is called on it, in its turn.
// It must not block.
func (u *UA) Turn(done func()) { u.box.post(done) }

// Run registers and serves until ctx ends; then it ends the calls, removes our
// own contact from the registrar and closes the socket. It is called once.
func (u *UA) Run(ctx context.Context) error { return u.run(ctx) }
