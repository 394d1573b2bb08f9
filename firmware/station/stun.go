package station

import (
	"context"
	"net/netip"
	"sync/atomic"

	"doorstation/media/nat"
)

// stunPort is where a STUN server listens (RFC 5389 section 9) unless told
// otherwise.
const stunPort = 3478

// A mappedSocket is a socket that learns its public address: a *sipua.UA.
type mappedSocket interface {
	WriteTo(b []byte, to netip.AddrPort) error
	SetPublic(a netip.AddrPort)
}

// keepMapped learns the socket's public address and keeps it. A server that falls
// silent is looked up again: its name may have moved to another address.
func (l *line) keepMapped(ctx context.Context, socket mappedSocket, rule lineRule, to *atomic.Pointer[nat.Keeper]) {
	for ctx.Err() == nil {
		server, err := l.lookUp(rule.stun, stunPort)
		if err != nil {
			l.log.Warn("STUN server not found", "server", rule.stun, "err", err, "again_in", rule.stunTime)
			pause(ctx, rule.stunTime)
			continue
		}
		l.found(rule, server)
		keeper := nat.NewKeeper(server, rule.stunTime, socket.WriteTo, socket.SetPublic)
		to.Store(keeper)
		keeper.RunUntilLost(ctx)
		if ctx.Err() == nil {
			l.log.Warn("STUN server does not answer, looking it up again", "server", rule.stun, "address", server, "again_in", rule.stunTime)
			pause(ctx, rule.stunTime)
		}
	}
}

// found keeps the address of a rule's STUN server for the legs, which cannot
// wait for a name.
func (l *line) found(of lineRule, server netip.AddrPort) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.inForce(of) {
		l.stun = server
	}
}
