package sim

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"doorstation/drivers"
)

// version is the first byte of every message.
const version = 1

// Sizes of the protocol, in bytes.
const (
	maxName    = 32
	maxText    = 128
	frameBytes = 2 * drivers.FrameSamples
	maxMessage = 2 + frameBytes
)

// kind is the second byte of a message.
type kind byte

const (
	kindHello  kind = iota + 1 // role, name: what this connection is for
	kindSet                    // level: drive the line of this connection
	kindPress                  // active, name: move an input
	kindFrame                  // 160 samples, little endian
	kindDone                   // the request has been carried out
	kindFailed                 // why, text
	kindChange                 // level, active, at, name
)

// role is what one connection is for.
type role byte

const (
	roleOutput role = iota + 1 // drives one line
	roleWatch                  // is told every change of every line
	roleSound                  // is the panel's sound card
	roleWorld                  // presses, and speaks into the microphone
	roleListen                 // hears the speaker
)

// fault says why a request failed.
type fault byte

const (
	faultUnknown fault = iota + 1 // no such line
	faultBusy                     // another connection has it
	faultRefused                  // not for this line or role
)

// packet is one message. Which fields count depends on its kind.
type packet struct {
	kind   kind
	role   role
	fault  fault
	level  bool
	active bool
	at     time.Duration
	name   string // a line, or the text of a failure
	frame  []byte // aliases the buffer that was decoded
}

var errPacket = errors.New("malformed message")

// append writes p in the only form that decode accepts.
func (p packet) append(b []byte) []byte {
	b = append(b, version, byte(p.kind))
	switch p.kind {
	case kindHello:
		b = append(append(b, byte(p.role)), p.name...)
	case kindSet:
		b = append(b, bit(p.level))
	case kindPress:
		b = append(append(b, bit(p.active)), p.name...)
	case kindFrame:
		b = append(b, p.frame...)
	case kindFailed:
		b = append(append(b, byte(p.fault)), p.name...)
	case kindChange:
		b = append(b, bit(p.level), bit(p.active))
		b = binary.BigEndian.AppendUint64(b, uint64(p.at))
		b = append(b, p.name...)
	}
	return b
}

// decode takes exactly what append writes, and nothing else.
func decode(raw []byte) (packet, error) {
	if len(raw) < 2 || len(raw) > maxMessage || raw[0] != version {
		return packet{}, fmt.Errorf("%w: %d bytes", errPacket, len(raw))
	}
	f := fields{rest: raw[2:], ok: true}
	p := packet{kind: kind(raw[1])}
	switch p.kind {
	case kindHello:
		p.role = role(f.byte(byte(roleOutput), byte(roleListen)))
		p.name = f.text(maxName)
	case kindSet:
		p.level = f.bit()
	case kindPress:
		p.active, p.name = f.bit(), f.text(maxName)
	case kindFrame:
		p.frame = f.take(frameBytes)
	case kindDone:
	case kindFailed:
		p.fault = fault(f.byte(byte(faultUnknown), byte(faultRefused)))
		p.name = f.text(maxText)
	case kindChange:
		p.level, p.active = f.bit(), f.bit()
		p.at = f.time()
		p.name = f.text(maxName)
	default:
		f.ok = false
	}
	if !f.ok || len(f.rest) != 0 {
		return packet{}, fmt.Errorf("%w: kind %d, %d bytes", errPacket, raw[1], len(raw))
	}
	return p, nil
}

// fields takes a message apart. After the first thing that is not as it should
// be, ok stays false.
type fields struct {
	rest []byte
	ok   bool
}

func (f *fields) take(n int) []byte {
	if len(f.rest) < n {
		f.ok = false
		return make([]byte, n)
	}
	b := f.rest[:n]
	f.rest = f.rest[n:]
	return b
}

func (f *fields) byte(least, most byte) byte {
	b := f.take(1)[0]
	if b < least || b > most {
		f.ok = false
	}
	return b
}

func (f *fields) bit() bool { return f.byte(0, 1) == 1 }

func (f *fields) time() time.Duration {
	t := time.Duration(binary.BigEndian.Uint64(f.take(8)))
	if t < 0 {
		f.ok = false
	}
	return t
}

// text takes all that is left: printable ASCII, perhaps nothing.
func (f *fields) text(most int) string {
	s := string(f.rest)
	f.rest = nil
	if !printable(s, most) {
		f.ok = false
	}
	return s
}

func printable(s string, most int) bool {
	if len(s) > most {
		return false
	}
	for _, c := range []byte(s) {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return true
}

func bit(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// pack writes samples as the bytes of a frame.
func pack(b []byte, samples []int16) []byte {
	for _, s := range samples {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	return b
}

// unpack reads the bytes of a frame into samples, which has FrameSamples.
func unpack(samples []int16, b []byte) {
	for i := range samples {
		samples[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
}
