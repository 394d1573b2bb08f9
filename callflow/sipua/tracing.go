package sipua

import (
	"net/netip"
	"time"

	"doorstation/callflow/sipua/trace"
)

// traced remembers a message for whoever looks into the line later. What is no
// SIP, such as STUN, is left out.
func (u *UA) traced(out bool, network string, panel, peer netip.AddrPort, b []byte) {
	if u.cfg.Trace == nil || !plausible(b) {
		return
	}
	u.cfg.Trace.Add(trace.Message{At: time.Now(), Out: out, Network: network, Panel: panel, Peer: peer, Text: b})
}
