package session

import (
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
)

// A PortError says that a leg found no free pair of ports.
type PortError struct {
	Address  netip.Addr
	Min, Max int   // the range that was searched
	Err      error // of the last try; nil when the range holds no pair
}

func (e *PortError) Error() string {
	text := fmt.Sprintf("no free RTP port in %d-%d on %v", e.Min, e.Max, e.Address)
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

func (e *PortError) Unwrap() error { return e.Err }

// openPair binds an even port for RTP and the next one for RTCP (RFC 3550
// section 11). It begins at a random pair of the range, so that a port is not
// used again at once by the next leg, whose far end would hear the last of
// this one.
func openPair(address netip.Addr, low, high int) (rtp, rtcp *net.UDPConn, err error) {
	first := low + low%2
	pairs := (high - first + 1) / 2
	failed := &PortError{Address: address, Min: low, Max: high}
	if pairs <= 0 {
		return nil, nil, failed
	}
	start := rand.IntN(pairs)
	for i := range pairs {
		port := first + 2*((start+i)%pairs)
		if rtp, err = bind(address, port); err == nil {
			if rtcp, err = bind(address, port+1); err == nil {
				return rtp, rtcp, nil
			}
			rtp.Close()
		}
		failed.Err = err
	}
	return nil, nil, failed
}

func bind(address netip.Addr, port int) (*net.UDPConn, error) {
	network := "udp4"
	if address.Is6() {
		network = "udp6"
	}
	return net.ListenUDP(network, net.UDPAddrFromAddrPort(netip.AddrPortFrom(address, uint16(port))))
}
