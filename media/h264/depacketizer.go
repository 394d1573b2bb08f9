package h264

import (
	"encoding/binary"
	"errors"
	"fmt"
)

const (
	// MaxAccessUnit bounds what a Depacketizer collects, in bytes.
	MaxAccessUnit = 1 << 20

	maxNALs = 1024 // in one access unit
)

// ErrLost says that packets of an access unit did not arrive, so that it was
// dropped. The next whole picture is a key frame: ask for one.
var ErrLost = errors.New("h264: packets lost, access unit dropped")

// A FormatError says what is wrong with a payload. Its access unit is dropped.
type FormatError struct{ Reason string }

func (e *FormatError) Error() string { return "h264: " + e.Reason + ", access unit dropped" }

// An AccessUnit is one coded picture.
type AccessUnit struct {
	NALs      [][]byte // without start codes, in decoding order
	Timestamp uint32   // of RTP, at 90 kHz
}

// A Depacketizer puts access units together from single NAL unit packets,
// STAP-A and FU-A (RFC 6184 sections 5.6 to 5.8), in the order of their
// sequence numbers; late packets count as lost. The zero Depacketizer is ready.
// It is not safe for concurrent use.
type Depacketizer struct {
	started bool // a packet has come; seq and ts are valid
	seq     uint16
	ts      uint32

	buf     []byte
	ends    []int // where each NAL unit of buf ends
	open    bool  // the last NAL unit is a FU-A without its end
	damaged bool  // the rest of the access unit at ts is of no use
	nals    [][]byte
}

// Packet takes one packet: the sequence number, timestamp and marker of its RTP
// header, and its payload. It calls deliver for each access unit that is now
// complete: at its marker, or at the first packet with another timestamp. The
// access unit aliases the Depacketizer's memory until deliver returns.
//
// The error says that access units are dropped: ErrLost, a *FormatError or both
// joined, once for each place of damage. The Depacketizer goes on with the next
// access unit.
func (d *Depacketizer) Packet(seq uint16, ts uint32, marker bool, payload []byte, deliver func(AccessUnit)) error {
	step := int16(seq - d.seq)
	if d.started && step <= 0 {
		return nil // late, or twice
	}
	var err error
	lost := d.started && step != 1
	if lost && !d.damaged && len(d.ends) > 0 {
		d.damaged, err = true, ErrLost
	}
	if d.started && ts != d.ts {
		err = errors.Join(err, d.finish(deliver))
	}
	if (lost || !d.started) && len(d.ends) == 0 && !d.damaged && !beginsUnit(payload) {
		d.damaged, err = true, ErrLost
	}
	d.started, d.seq, d.ts = true, seq, ts
	if !d.damaged {
		if ferr := d.take(payload); ferr != nil {
			d.damaged, err = true, errors.Join(err, ferr)
		}
	}
	if marker {
		err = errors.Join(err, d.finish(deliver))
	}
	return err
}

// Reset forgets everything, for a new stream (another SSRC).
func (d *Depacketizer) Reset() {
	d.clear()
	d.started = false
}

// beginsUnit reports whether a payload is surely the first of its access unit:
// it begins with a delimiter or a sequence parameter set (ITU-T H.264 section
// 7.4.1.2.3).
func beginsUnit(payload []byte) bool {
	t := Type(payload)
	if t == typeSTAPA && len(payload) > stapHeader+stapSize {
		t = Type(payload[stapHeader+stapSize:])
	}
	return t == TypeSPS || t == TypeAUD
}

// take adds a payload to the access unit.
func (d *Depacketizer) take(payload []byte) error {
	t := Type(payload)
	if d.open && t != typeFUA {
		return &FormatError{"fragmented NAL unit without its end"}
	}
	switch {
	case t == typeSTAPA:
		return d.takeSTAPA(payload[stapHeader:])
	case t == typeFUA:
		return d.takeFUA(payload)
	case t >= 1 && t < typeSTAPA:
		return d.add(payload)
	}
	return &FormatError{fmt.Sprintf("payload of %d bytes with type %d", len(payload), t)}
}

// takeSTAPA adds the NAL units of a STAP-A, given without its header.
func (d *Depacketizer) takeSTAPA(rest []byte) error {
	for len(rest) > 0 {
		if len(rest) < stapSize {
			return &FormatError{"STAP-A cut short"}
		}
		n := int(binary.BigEndian.Uint16(rest))
		rest = rest[stapSize:]
		if n == 0 || n > len(rest) {
			return &FormatError{fmt.Sprintf("STAP-A names a NAL unit of %d bytes and has %d", n, len(rest))}
		}
		if err := d.add(rest[:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
	return nil
}

// takeFUA adds a fragment.
func (d *Depacketizer) takeFUA(payload []byte) error {
	if len(payload) <= fuHeader {
		return &FormatError{"empty FU-A"}
	}
	start, end := payload[1]&0x80 != 0, payload[1]&0x40 != 0
	switch {
	case start == d.open:
		return &FormatError{"FU-A out of order"}
	case start:
		if err := d.add([]byte{payload[0]&0xE0 | payload[1]&0x1F}); err != nil {
			return err
		}
	}
	d.open = !end
	return d.extend(payload[fuHeader:])
}

// add begins a NAL unit.
func (d *Depacketizer) add(b []byte) error {
	if len(d.ends) == maxNALs {
		return &FormatError{fmt.Sprintf("more than %d NAL units", maxNALs)}
	}
	d.ends = append(d.ends, len(d.buf))
	return d.extend(b)
}

// extend adds to the last NAL unit.
func (d *Depacketizer) extend(b []byte) error {
	if len(d.buf)+len(b) > MaxAccessUnit {
		return &FormatError{fmt.Sprintf("more than %d bytes", MaxAccessUnit)}
	}
	d.buf = append(d.buf, b...)
	d.ends[len(d.ends)-1] = len(d.buf)
	return nil
}

// finish delivers the access unit if it is whole, and makes room for the next.
func (d *Depacketizer) finish(deliver func(AccessUnit)) error {
	defer d.clear()
	if d.damaged || len(d.ends) == 0 {
		return nil
	}
	if d.open {
		return &FormatError{"fragmented NAL unit without its end"}
	}
	d.nals = d.nals[:0]
	begin := 0
	for _, end := range d.ends {
		d.nals = append(d.nals, d.buf[begin:end:end])
		begin = end
	}
	deliver(AccessUnit{NALs: d.nals, Timestamp: d.ts})
	return nil
}

func (d *Depacketizer) clear() {
	d.buf, d.ends = d.buf[:0], d.ends[:0]
	d.open, d.damaged = false, false
}
