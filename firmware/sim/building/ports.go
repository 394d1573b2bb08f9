package building

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
)

// pickPorts finds free ports for every process. They are let go again before
// their processes take them, so somebody else can be quicker; then that process
// says so.
func (s *site) pickPorts() error {
	ip := s.page.Addr()
	held := new(holder)
	defer held.release()
	s.page = held.wanted(s.page)
	s.config = held.tcp(ip)
	for i := range min(2, len(s.board.Inputs)) {
		s.flats = append(s.flats, flat{
			Name: fmt.Sprintf("Flat %d", i+1), User: fmt.Sprintf("flat%d", i+1), Button: s.board.Inputs[i].Name,
			SIP: held.udp(ip), API: held.tcp(ip),
		})
	}
	s.rtpMin = held.span(ip)
	return held.err
}

// A holder holds ports until all are found, so that none is found twice.
type holder struct {
	open []interface{ Close() error }
	err  error
}

func (h *holder) release() {
	for _, c := range h.open {
		_ = c.Close() // it only held a port
	}
}

// wanted gives the address, or one with a free port when it is taken.
func (h *holder) wanted(at netip.AddrPort) netip.AddrPort {
	l, err := net.Listen("tcp", at.String())
	if err != nil {
		return h.tcp(at.Addr())
	}
	h.open = append(h.open, l)
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func (h *holder) tcp(ip netip.Addr) netip.AddrPort {
	l, err := net.Listen("tcp", netip.AddrPortFrom(ip, 0).String())
	if err != nil {
		h.err = errors.Join(h.err, err)
		return netip.AddrPort{}
	}
	h.open = append(h.open, l)
	return l.Addr().(*net.TCPAddr).AddrPort()
}

func (h *holder) udp(ip netip.Addr) netip.AddrPort {
	c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, 0)))
	if err != nil {
		h.err = errors.Join(h.err, err)
		return netip.AddrPort{}
	}
	h.open = append(h.open, c)
	at := c.LocalAddr().(*net.UDPAddr).AddrPort()
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// Where the panel's media ports are looked for: below the ports that the kernel
// gives out by itself on most machines.
const (
	spanFrom  = 12000
	spanTo    = 32000
	spanTries = 50
)

// span finds rtpPorts free UDP ports in a row, beginning with an even one.
func (h *holder) span(ip netip.Addr) int {
	for range spanTries {
		from := spanFrom + rtpPorts*rand.IntN((spanTo-spanFrom)/rtpPorts)
		if spanFree(ip, from) {
			return from
		}
	}
	h.err = errors.Join(h.err, fmt.Errorf("no %d free UDP ports in a row between %d and %d after %d tries", rtpPorts, spanFrom, spanTo, spanTries))
	return 0
}

func spanFree(ip netip.Addr, from int) bool {
	for port := from; port < from+rtpPorts; port++ {
		c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port))))
		if err != nil {
			return false
		}
		_ = c.Close() // it only tried the port
	}
	return true
}
