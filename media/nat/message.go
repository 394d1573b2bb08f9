package nat

import (
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/pion/stun/v2"
)

// headerSize is the STUN header, in bytes, and cookie the magic cookie behind
// type and length (RFC 5389 section 6).
const (
	headerSize = 20
	cookieAt   = 4
)

var cookie = [4]byte{0x21, 0x12, 0xA4, 0x42}

// errNoAddress says that a response names no address.
var errNoAddress = errors.New("STUN response without a mapped address")

// IsMessage reports whether a datagram looks like STUN: two zero bits, the
// magic cookie and a length that fits (RFC 5389 sections 6 and 8). On a SIP or
// RTP socket nothing else does.
func IsMessage(pkt []byte) bool {
	if len(pkt) < headerSize || pkt[0]>>6 != 0 || [4]byte(pkt[cookieAt:]) != cookie {
		return false
	}
	return int(pkt[2])<<8|int(pkt[3]) == len(pkt)-headerSize && pkt[3]%4 == 0
}

// An ID is a STUN transaction id (RFC 5389 section 6).
type ID = [stun.TransactionIDSize]byte

// Request is a Binding request (RFC 5389 section 7.1) with a new transaction
// id from the system's random source.
func Request() ([]byte, ID, error) {
	m, err := stun.Build(stun.TransactionID, stun.BindingRequest, stun.Fingerprint)
	if err != nil {
		return nil, ID{}, fmt.Errorf("STUN binding request: %w", err)
	}
	return m.Raw, m.TransactionID, nil
}

// Indication is a Binding indication, which keeps a mapping open and asks for
// no answer (RFC 6263 section 4.4).
func Indication() []byte {
	m := stun.New()
	m.TransactionID = stun.NewTransactionID()
	m.SetType(stun.NewType(stun.MethodBinding, stun.ClassIndication))
	m.WriteHeader()
	return m.Raw
}

// A Response is the answer to a Binding request.
type Response struct {
	ID     ID
	Mapped netip.AddrPort // invalid when Err is not nil
	Err    error          // the server refused, or named no address
}

// ParseResponse reads a Binding response (RFC 5389 section 7.3.3 and 7.3.4).
// ok is false for everything else.
func ParseResponse(pkt []byte) (r Response, ok bool) {
	if !IsMessage(pkt) {
		return r, false
	}
	m := &stun.Message{Raw: pkt}
	if err := m.Decode(); err != nil || m.Type.Method != stun.MethodBinding {
		return r, false
	}
	r.ID = m.TransactionID
	switch m.Type.Class {
	case stun.ClassSuccessResponse:
		r.Mapped, r.Err = mapped(m)
	case stun.ClassErrorResponse:
		r.Err = refusal(m)
	default:
		return r, false
	}
	return r, true
}

// mapped is the reflexive address; servers of RFC 3489 send it plain.
func mapped(m *stun.Message) (netip.AddrPort, error) {
	var masked stun.XORMappedAddress
	var ip net.IP
	var port int
	if err := masked.GetFrom(m); err == nil {
		ip, port = masked.IP, masked.Port
	} else {
		var plain stun.MappedAddress
		if err := plain.GetFrom(m); err != nil {
			return netip.AddrPort{}, errNoAddress
		}
		ip, port = plain.IP, plain.Port
	}
	addr, ok := netip.AddrFromSlice(ip)
	if !ok || addr.IsUnspecified() || port <= 0 || port > 65535 {
		return netip.AddrPort{}, errNoAddress
	}
	return netip.AddrPortFrom(addr.Unmap(), uint16(port)), nil
}

func refusal(m *stun.Message) error {
	var code stun.ErrorCodeAttribute
	if err := code.GetFrom(m); err != nil {
		return errors.New("STUN server refused without a reason")
	}
	return fmt.Errorf("STUN server refused with %d", code.Code)
}
