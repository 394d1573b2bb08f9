package phone

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
)

// A pair is the two sockets of one RTP stream: RTP on an even port, RTCP on the
// next (RFC 3550 section 11).
type pair struct {
	rtp, rtcp *net.UDPConn
}

// pairTries bounds the search for two free neighbouring ports.
const pairTries = 64

// listenPair takes a free pair of ports at ip.
func listenPair(ip netip.Addr) (pair, error) {
	var last error
	for range pairTries {
		rtp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
		if err != nil {
			return pair{}, fmt.Errorf("rtp socket at %s: %w", ip, err)
		}
		port := bound(rtp).Port()
		if port%2 == 0 && port < 65535 {
			rtcp, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port+1)))
			if err == nil {
				return pair{rtp: rtp, rtcp: rtcp}, nil
			}
			last = err
		}
		last = errors.Join(rtp.Close(), last)
	}
	return pair{}, fmt.Errorf("no two neighbouring ports free at %s after %d tries: %w", ip, pairTries, last)
}

// close ends both sockets; their readers see it as an error.
func (p pair) close() {
	for _, c := range []*net.UDPConn{p.rtp, p.rtcp} {
		if c != nil {
			_ = c.Close() // only readers care, and they end
		}
	}
}

// address is where RTP comes in.
func (p pair) address() netip.AddrPort { return bound(p.rtp) }

// bound is a socket's own address, as an IPv4 address where it is one.
func bound(c *net.UDPConn) netip.AddrPort {
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// isRTP tells RTP from the STUN messages and RTCP packets that may come to the
// same port (RFC 7983, RFC 5761 section 4).
func isRTP(b []byte) bool {
	return len(b) >= 12 && b[0]>>6 == 2 && (b[1] < 192 || b[1] > 223)
}
