package sipua

import (
	"context"
	"crypto/rand"
	"net/netip"

	"doorstation/callflow"
)

// A UA is one SIP user agent on one socket.
type UA struct {
	box   *mailbox
	gate  *gate
	local netip.AddrPort
}

func newUA(cfg Config, on func(Event)) (*UA, error) { return &UA{box: newMailbox()}, nil }

type gate struct{}

func (*gate) writeTo(b []byte, to netip.AddrPort) error { return nil }

func (u *UA) run(ctx context.Context) error                             { return nil }
func (u *UA) setPublic(a netip.AddrPort)                                {}
func (u *UA) invite(leg callflow.LegID, target string, offer []byte)    {}
func (u *UA) cancel(leg callflow.LegID)                                 {}
func (u *UA) accept(leg callflow.LegID, sdp []byte)                     {}
func (u *UA) reject(leg callflow.LegID, status int)                     {}
func (u *UA) bye(leg callflow.LegID)                                    {}

const defaultExpires = 3600e9

func splitHostPort(s string) (string, uint16) { return s, 0 }

var _ = rand.Text
