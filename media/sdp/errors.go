package sdp

import (
	"errors"
	"fmt"
	"strings"
)

// ErrRefused says that the other side refused every stream, or named none.
var ErrRefused = errors.New("sdp: every stream was refused; nothing can be heard or seen")

// A SyntaxError says that a body is no session description. As an answer to an
// offer in a request it means 400.
type SyntaxError struct {
	Line   int // from 1; 0: the body as a whole
	Reason string
}

func (e *SyntaxError) Error() string {
	if e.Line == 0 {
		return "sdp: " + e.Reason
	}
	return fmt.Sprintf("sdp: line %d: %s", e.Line, e.Reason)
}

// A TransportError says that a stream was answered or offered over something
// else than plain RTP, such as DTLS-SRTP (RFC 5764) or SDES (RFC 4568). As an
// answer to an offer in a request it means 488.
type TransportError struct {
	Media string // "audio" or "video"
	Proto string // as the other side wrote it
	DTLS  bool   // keys would come by DTLS
}

func (e *TransportError) Error() string {
	keys := ""
	if e.DTLS {
		keys = " with keys by DTLS"
	}
	return fmt.Sprintf("sdp: the other side wants %s over %q%s, but only plain RTP (RTP/AVP) is set up for this call; switch media encryption off in the phone, or on here", e.Media, e.Proto, keys)
}

// An AddressError says that a stream's address is of no use. As an answer to an
// offer in a request it means 488.
type AddressError struct {
	Media   string // "audio" or "video"
	Address string // as the other side wrote it
	Reason  string
}

func (e *AddressError) Error() string {
	return fmt.Sprintf("sdp: address %q for %s: %s", e.Address, e.Media, e.Reason)
}

// A NoCodecError says that none of a stream's codecs is ours. As an answer to
// an offer in a request it means 488.
type NoCodecError struct {
	Media   string   // "audio" or "video"
	Formats []string // what the other side named, such as "opus/48000/2"
	Ours    []string // what would have done
}

func (e *NoCodecError) Error() string {
	return fmt.Sprintf("sdp: no common %s codec: the other side has %s, this side has %s",
		e.Media, strings.Join(e.Formats, ", "), strings.Join(e.Ours, ", "))
}
