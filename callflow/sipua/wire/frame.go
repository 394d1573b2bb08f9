package wire

import (
	"bytes"
	"errors"
)

// ErrUnframed says that a stream has lost its messages' bounds. It cannot be
// read on.
var ErrUnframed = errors.New("sip: the stream has no message bounds any more")

// A Frame is what a stream gives: one message, not yet parsed, or one CRLF
// between messages (RFC 5626 section 3.5.1), of which two in a row are a ping.
type Frame struct {
	Message []byte
	Ping    bool
	Lost    bool // the message has no length: it is the last of the stream
}

// A Framer cuts a stream into frames (RFC 3261 section 18.3), however it comes
// in pieces. It holds one message at most. The zero value is ready.
type Framer struct {
	held  []byte
	crlfs int
}

// Feed takes the next bytes and gives each frame that they complete. A frame is
// valid until take returns. After an error the stream is to be closed.
func (f *Framer) Feed(b []byte, take func(Frame)) error {
	f.held = append(f.held, b...)
	for {
		n, frame, err := f.next()
		if n == 0 && err == nil {
			return nil
		}
		take(frame)
		if err != nil {
			return err
		}
		f.held = f.held[:copy(f.held, f.held[n:])]
	}
}

// Partial reports whether a frame has begun and is not whole.
func (f *Framer) Partial() bool { return len(f.held) > 0 }

// next gives the first frame and its length, 0 while more has to come.
func (f *Framer) next() (int, Frame, error) {
	if bytes.HasPrefix(f.held, []byte("\r\n")) {
		f.crlfs++
		return 2, Frame{Ping: f.crlfs%2 == 0}, nil
	}
	head := bytes.Index(f.held, []byte("\r\n\r\n"))
	switch {
	case head > MaxHead, head < 0 && len(f.held) > MaxHead:
		return 0, Frame{Message: f.held, Lost: true}, ErrUnframed
	case head < 0:
		return 0, Frame{}, nil
	}
	f.crlfs = 0
	body, ok := lengthOf(f.held[:head+4])
	end := head + 4 + body
	switch {
	case !ok:
		return 0, Frame{Message: f.held[:head+4], Lost: true}, ErrUnframed
	case len(f.held) < end:
		return 0, Frame{}, nil
	}
	return end, Frame{Message: f.held[:end]}, nil
}

// lengthOf reads the Content-Length of a header section, which every message on
// a stream has.
func lengthOf(head []byte) (int, bool) {
	_, m, _ := split(head)
	all := m.Values("Content-Length")
	if len(all) != 1 {
		return 0, false
	}
	n, ok := number(all[0], MaxBody)
	return int(n), ok
}
