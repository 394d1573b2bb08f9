package trace

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"time"
)

// Of the file format of libpcap.
const (
	pcapMagic   = 0xa1b23c4d // times in nanoseconds
	linkTypeRaw = 101        // packets begin with their IP header
	snapLength  = 1 << 18
)

// WritePcap writes messages as a capture file: those over UDP as datagrams, those
// over TCP and TLS as segments of TCP, in the clear, numbered as if nothing else had
// gone over the connection.
func WritePcap(w io.Writer, all []Message) error {
	file := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	file = binary.LittleEndian.AppendUint16(file, 2) // version 2.4
	file = binary.LittleEndian.AppendUint16(file, 4)
	file = append(file, make([]byte, 8)...) // time zone and accuracy, both 0
	file = binary.LittleEndian.AppendUint32(file, snapLength)
	file = binary.LittleEndian.AppendUint32(file, linkTypeRaw)
	numbers := sequences{}
	for _, m := range all {
		from, to := m.ends()
		if !from.IsValid() || !to.IsValid() || from.Addr().Is4() != to.Addr().Is4() {
			return fmt.Errorf("a message from %v to %v cannot be written: these are no two addresses of one family", from, to)
		}
		if m.Network == "udp" {
			file = appendPacket(file, m.At, packet(protocolUDP, from, to, datagram(from, to, m.Text)))
			continue
		}
		for _, part := range numbers.segments(from, to, m.Text) {
			file = appendPacket(file, m.At, packet(protocolTCP, from, to, part))
		}
	}
	_, err := w.Write(file)
	return err
}

// ends are the source and the destination of a message.
func (m Message) ends() (from, to netip.AddrPort) {
	if m.Out {
		return m.Panel, m.Peer
	}
	return m.Peer, m.Panel
}

func appendPacket(file []byte, at time.Time, p []byte) []byte {
	file = binary.LittleEndian.AppendUint32(file, uint32(at.Unix()))
	file = binary.LittleEndian.AppendUint32(file, uint32(at.Nanosecond()))
	file = binary.LittleEndian.AppendUint32(file, uint32(len(p)))
	file = binary.LittleEndian.AppendUint32(file, uint32(len(p)))
	return append(file, p...)
}
