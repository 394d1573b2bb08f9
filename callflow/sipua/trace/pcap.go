package trace

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
)

// Of the file format of libpcap.
const (
	pcapMagic   = 0xa1b23c4d // times in nanoseconds
	linkTypeRaw = 101        // packets begin with their IP header
	snapLength  = 1 << 18

	protocolUDP = 17
	hopLimit    = 64
	udpHeader   = 8
	maxPayload  = 65535 - 40 - udpHeader
)

// WritePcap writes messages as a capture file. Each is one UDP datagram, also
// where it went over TCP or TLS, whose segments nobody kept.
func WritePcap(w io.Writer, all []Message) error {
	file := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	file = binary.LittleEndian.AppendUint16(file, 2) // version 2.4
	file = binary.LittleEndian.AppendUint16(file, 4)
	file = append(file, make([]byte, 8)...) // time zone and accuracy, both 0
	file = binary.LittleEndian.AppendUint32(file, snapLength)
	file = binary.LittleEndian.AppendUint32(file, linkTypeRaw)
	for _, m := range all {
		p, err := packet(m)
		if err != nil {
			return err
		}
		file = binary.LittleEndian.AppendUint32(file, uint32(m.At.Unix()))
		file = binary.LittleEndian.AppendUint32(file, uint32(m.At.Nanosecond()))
		file = binary.LittleEndian.AppendUint32(file, uint32(len(p)))
		file = binary.LittleEndian.AppendUint32(file, uint32(len(p)))
		file = append(file, p...)
	}
	_, err := w.Write(file)
	return err
}

// packet is a message as an IP packet.
func packet(m Message) ([]byte, error) {
	from, to := m.Peer, m.Panel
	if m.Out {
		from, to = to, from
	}
	if !from.IsValid() || !to.IsValid() || from.Addr().Is4() != to.Addr().Is4() {
		return nil, fmt.Errorf("a message from %v to %v cannot be written: these are no two addresses of one family", from, to)
	}
	udp := datagram(from, to, m.Text[:min(len(m.Text), maxPayload)])
	if from.Addr().Is4() {
		return append(header4(from.Addr(), to.Addr(), len(udp)), udp...), nil
	}
	ip := []byte{0x60, 0, 0, 0}
	ip = binary.BigEndian.AppendUint16(ip, uint16(len(udp)))
	ip = append(ip, protocolUDP, hopLimit)
	ip = append(append(ip, from.Addr().AsSlice()...), to.Addr().AsSlice()...)
	return append(ip, udp...), nil
}

func header4(from, to netip.Addr, payload int) []byte {
	ip := []byte{0x45, 0}
	ip = binary.BigEndian.AppendUint16(ip, uint16(20+payload))
	ip = append(ip, 0, 0, 0x40, 0, hopLimit, protocolUDP, 0, 0) // don't fragment
	ip = append(append(ip, from.AsSlice()...), to.AsSlice()...)
	binary.BigEndian.PutUint16(ip[10:], checksum(ip))
	return ip
}

func datagram(from, to netip.AddrPort, payload []byte) []byte {
	udp := binary.BigEndian.AppendUint16(nil, from.Port())
	udp = binary.BigEndian.AppendUint16(udp, to.Port())
	udp = binary.BigEndian.AppendUint16(udp, uint16(udpHeader+len(payload)))
	udp = append(append(udp, 0, 0), payload...)
	pseudo := append(from.Addr().AsSlice(), to.Addr().AsSlice()...)
	pseudo = append(pseudo, 0, protocolUDP)
	pseudo = binary.BigEndian.AppendUint16(pseudo, uint16(len(udp)))
	sum := checksum(append(pseudo, udp...))
	if sum == 0 {
		sum = 0xffff // 0 says that there is none (RFC 768)
	}
	binary.BigEndian.PutUint16(udp[6:], sum)
	return udp
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
