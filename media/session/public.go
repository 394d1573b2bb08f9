package session

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	"doorstation/media/nat"
)

// publicWithin bounds how long a call waits for its mapped addresses.
const publicWithin = 500 * time.Millisecond

// listenForServer prepares a stream for a STUN server, if there is one.
func (s *Session) listenForServer(st *stream) {
	if !s.params.STUN.IsValid() {
		return
	}
	st.server = netip.AddrPortFrom(s.params.STUN.Addr().Unmap(), s.params.STUN.Port())
	st.known = make(chan struct{})
	st.keeper = nat.NewKeeper(st.server, s.params.Keepalive,
		func(pkt []byte, to netip.AddrPort) error {
			_, err := st.rtp.WriteToUDPAddrPort(pkt, to)
			return err
		},
		func(mapped netip.AddrPort) {
			if st.mapped.Swap(&mapped) == nil {
				close(st.known)
			}
			s.params.Log.Info("address_mapped", "stream", st.kind.String(), "local", st.local.String(), "mapped", mapped.String())
		})
}

// Public learns how the world sees the leg's RTP ports, by STUN, and keeps
// those mappings open from then on. It waits half a second at most; what is
// known by then stands in Offer and Answer. Without a server it does nothing.
func (s *Session) Public(ctx context.Context) error {
	if !s.params.STUN.IsValid() || !s.ask() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, publicWithin)
	defer cancel()
	for _, st := range s.streams {
		select {
		case <-st.known:
		case <-s.done:
			return nil
		case <-ctx.Done():
			return fmt.Errorf("STUN server %v has not told the public address of %s port %d within %v; the local address %v is used",
				s.params.STUN, st.kind, st.local.Port(), publicWithin, st.local.Addr())
		}
	}
	return nil
}

// ask starts the keepers, once. It reports false after the leg's end.
func (s *Session) ask() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Load() {
		return false
	}
	if !s.asking {
		s.asking = true
		for _, st := range s.streams {
			s.running.Go(func() { st.keeper.Run(s.ctx) })
		}
	}
	return true
}
