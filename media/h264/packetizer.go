package h264

import (
	"encoding/binary"
	"fmt"
)

const (
	// MaxPayload is the largest RTP payload made, in bytes. With RTP, UDP, IPv6
	// and a tunnel's headers it stays within 1280.
	MaxPayload = 1200

	// Headroom is the room for the RTP header in front of each payload, bytes.
	Headroom = 12

	// Tailroom is the spare capacity behind each payload, in bytes: an SRTP
	// authentication tag and key identifier fit.
	Tailroom = 16

	slotSize   = Headroom + MaxPayload + Tailroom
	fuHeader   = 2 // FU indicator and FU header, RFC 6184 section 5.8
	stapHeader = 1 // STAP-A NAL header, RFC 6184 section 5.7.1
	stapSize   = 2 // length in front of each aggregated NAL unit
)

// The packetization modes (RFC 6184 section 6.2).
const (
	ModeSingle         = 0 // single NAL unit packets only
	ModeNonInterleaved = 1 // also STAP-A and FU-A
)

// A TooBigError says that a NAL unit does not fit one packet, and that the
// packetization mode allows no fragments. The access unit cannot be sent in
// this mode; drop it whole.
type TooBigError struct {
	Type int // of the NAL unit
	Size int // bytes
}

func (e *TooBigError) Error() string {
	return fmt.Sprintf("h264: NAL unit of type %d has %d bytes, but packetization-mode 0 carries at most %d", e.Type, e.Size, MaxPayload)
}

// A Packetizer splits access units into RTP payloads within one buffer that it
// uses again. The zero Packetizer is ready. It is not safe for concurrent use.
type Packetizer struct {
	buf  []byte
	next int // bytes of buf in use
}

// Packets splits one access unit, whose NAL units come without start codes, for
// the packetization mode, and appends its packets to dst. In each packet the
// first Headroom bytes are left for the RTP header (and hold rubbish), and the
// capacity reaches Tailroom bytes beyond the end. The marker bit belongs to the
// last packet (RFC 6184 section 5.1). The packets alias the Packetizer's memory
// until the next call; nothing is allocated once the buffers have grown. Empty
// NAL units are left out.
//
// On error, a *TooBigError, dst comes back as it was.
func (p *Packetizer) Packets(dst, nals [][]byte, mode int) ([][]byte, error) {
	if mode == ModeSingle {
		if err := fitsSingle(nals); err != nil {
			return dst, err
		}
	}
	p.reserve(nals)
	for len(nals) > 0 {
		n := 1
		if mode != ModeSingle {
			n = parameterSets(nals)
		}
		switch {
		case n > 1:
			dst = p.aggregate(dst, nals[:n])
		case len(nals[0]) > MaxPayload:
			dst = p.fragment(dst, nals[0])
		case len(nals[0]) > 0:
			dst = p.single(dst, nals[0])
		}
		nals = nals[n:]
	}
	return dst, nil
}

// fitsSingle checks that each NAL unit fits one packet.
func fitsSingle(nals [][]byte) error {
	for _, n := range nals {
		if len(n) > MaxPayload {
			return &TooBigError{Type: Type(n), Size: len(n)}
		}
	}
	return nil
}

// parameterSets counts the NAL units at the beginning that share one STAP-A:
// parameter sets and what goes with them, as many as fit. It returns at least 1.
func parameterSets(nals [][]byte) int {
	size := stapHeader
	for i, n := range nals {
		size += stapSize + len(n)
		if t := Type(n); t < TypeSEI || t > TypeAUD || size > MaxPayload {
			return max(i, 1)
		}
	}
	return len(nals)
}

// reserve makes the buffer large enough for every packet of the access unit.
func (p *Packetizer) reserve(nals [][]byte) {
	slots := 0
	for _, n := range nals {
		slots += 1 + len(n)/(MaxPayload-fuHeader)
	}
	if need := slots * slotSize; len(p.buf) < need {
		p.buf = make([]byte, need)
	}
	p.next = 0
}

// slot takes the room of one packet with a payload of size bytes.
func (p *Packetizer) slot(size int) []byte {
	end := p.next + Headroom + size
	packet := p.buf[p.next : end : end+Tailroom]
	p.next = end + Tailroom
	return packet
}

// single makes a single NAL unit packet (RFC 6184 section 5.6).
func (p *Packetizer) single(dst [][]byte, nal []byte) [][]byte {
	packet := p.slot(len(nal))
	copy(packet[Headroom:], nal)
	return append(dst, packet)
}

// aggregate makes a STAP-A (RFC 6184 section 5.7.1). Its header has the highest
// NRI of what it carries, and F if any has it.
func (p *Packetizer) aggregate(dst, nals [][]byte) [][]byte {
	size, forbidden, nri := stapHeader, byte(0), byte(0)
	for _, n := range nals {
		size += stapSize + len(n)
		forbidden |= n[0] & 0x80
		nri = max(nri, n[0]&0x60)
	}
	packet := p.slot(size)
	packet[Headroom] = forbidden | nri | typeSTAPA
	at := packet[Headroom+stapHeader:]
	for _, n := range nals {
		binary.BigEndian.PutUint16(at, uint16(len(n)))
		at = at[stapSize+copy(at[stapSize:], n):]
	}
	return append(dst, packet)
}

// fragment makes FU-As of one NAL unit (RFC 6184 section 5.8). They are equal
// in size but for the last.
func (p *Packetizer) fragment(dst [][]byte, nal []byte) [][]byte {
	indicator := nal[0]&0xE0 | typeFUA
	kind := nal[0] & 0x1F
	start := byte(0x80)
	for rest := nal[1:]; len(rest) > 0; start = 0 {
		n := min(len(rest), MaxPayload-fuHeader)
		header := start | kind
		if n == len(rest) {
			header |= 0x40
		}
		packet := p.slot(fuHeader + n)
		packet[Headroom], packet[Headroom+1] = indicator, header
		copy(packet[Headroom+fuHeader:], rest[:n])
		dst = append(dst, packet)
		rest = rest[n:]
	}
	return dst
}
