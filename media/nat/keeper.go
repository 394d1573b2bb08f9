// Package nat learns how the world sees a socket, and keeps that mapping
// open: STUN binding (RFC 5389) and keepalives (RFC 6263).
package nat

import (
	"context"
	"net/netip"
	"time"
)

// A Keeper keeps one socket's mapping.
type Keeper struct{}

// NewKeeper makes a keeper for a socket.
func NewKeeper(server netip.AddrPort, every time.Duration, write func([]byte, netip.AddrPort) error, changed func(mapped netip.AddrPort)) *Keeper {
	return &Keeper{}
}

// Handle takes a datagram and reports whether it was STUN.
func (k *Keeper) Handle(pkt []byte, from netip.AddrPort) bool { return false }

// Run asks until ctx ends.
func (k *Keeper) Run(ctx context.Context) { <-ctx.Done() }
