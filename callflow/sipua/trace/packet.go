package trace

import (
	"encoding/binary"
	"net/netip"
)

// Of IP, UDP (RFC 768) and TCP (RFC 9293 section 3.1).
const (
	protocolTCP = 6
	protocolUDP = 17

	ip4Header = 20
	udpHeader = 8
	tcpHeader = 20
	hopLimit  = 64

	maxDatagram = 65535 - ip4Header - udpHeader
	maxSegment  = 65535 - ip4Header - tcpHeader

	tcpOffset = tcpHeader / 4 << 4
	tcpFlags  = 0x18 // PSH, ACK
	tcpWindow = 65535
)

// packet puts an IP header before a datagram or segment.
func packet(protocol byte, from, to netip.AddrPort, body []byte) []byte {
	if from.Addr().Is4() {
		return append(header4(protocol, from.Addr(), to.Addr(), len(body)), body...)
	}
	ip := []byte{0x60, 0, 0, 0}
	ip = binary.BigEndian.AppendUint16(ip, uint16(len(body)))
	ip = append(ip, protocol, hopLimit)
	ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	return append(ip, body...)
}

func header4(protocol byte, from, to netip.Addr, payload int) []byte {
	ip := []byte{0x45, 0}
	ip = binary.BigEndian.AppendUint16(ip, uint16(ip4Header+payload))
	ip = append(ip, 0, 0, 0x40, 0, hopLimit, protocol, 0, 0) // don't fragment
	ip = append(append(ip, from.AsSlice()...), to.AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	return ip
}

func datagram(from, to netip.AddrPort, payload []byte) []byte {
	payload = payload[:min(len(payload), maxDatagram)]
	udp := binary.BigEndian.AppendUint16(nil, from.Port())
	udp = binary.BigEndian.AppendUint16(udp, to.Port())
	udp = binary.BigEndian.AppendUint16(udp, uint16(udpHeader+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	sum := bodySum(protocolUDP, from, to, udp)
	if sum == 0 {
		sum = 0xffff // 0 says that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	return udp
}

// A way is one direction of a connection.
type way struct{ from, to netip.AddrPort }

// sequences are the bytes that have gone each way so far.
type sequences map[way]uint32

// segments cuts a message into segments that follow those before them, and that
// acknowledge all that came back.
func (s sequences) segments(from, to netip.AddrPort, text []byte) [][]byte {
	var all [][]byte
	for len(text) > 0 {
		part := text[:min(len(text), maxSegment)]
		text = text[len(part):]
		tcp := binary.BigEndian.AppendUint16(nil, from.Port())
		tcp = binary.BigEndian.AppendUint16(tcp, to.Port())
		tcp = binary.BigEndian.AppendUint32(tcp, 1+s[way{from, to}])
		tcp = binary.BigEndian.AppendUint32(tcp, 1+s[way{to, from}])
		tcp = append(tcp, tcpOffset, tcpFlags)
		tcp = binary.BigEndian.AppendUint16(tcp, tcpWindow)
		tcp = append(append(tcp, 0, 0, 0, 0), part...)
		binary.BigEndian.PutUint16(tcp[16:], bodySum(protocolTCP, from, to, tcp))
		s[way{from, to}] += uint32(len(part))
		all = append(all, tcp)
	}
	return all
}

// bodySum is the checksum of a datagram or segment with its pseudo-header. Up to
// 65535 bytes both families have the same one (RFC 8200 section 8.1).
func bodySum(protocol byte, from, to netip.AddrPort, body []byte) uint16 {
	pseudo := append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	pseudo = append(pseudo, 0, protocol)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(body)))
	return checksum(append(pseudo, body...))
}

// checksum is the Internet checksum (RFC 1071).
func checksum(b []byte) uint16 {
	var sum uint32
	for ; len(b) > 1; b = b[2:] {
		sum += uint32(b[0])<<8 | uint32(b[1])
	}
	if len(b) == 1 {
		sum += uint32(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}
