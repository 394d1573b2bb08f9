//go:build cgo

package openh264

import (
	"bytes"
	"encoding/hex"
	"errors"

	"doorstation/drivers"
	"doorstation/drivers/annexb"
)

// ProfileLevelID returns what the encoder will send for a format, as SDP writes
// it (RFC 6184 section 8.1), such as "42c016": it encodes one grey picture and
// reads the sequence parameter set. It takes some milliseconds.
func ProfileLevelID(f drivers.VideoFormat) (string, error) {
	e, err := newEncoder(f.Width, f.Height, f)
	if err != nil {
		return "", err
	}
	coded, err := e.encode(grey(f.Width, f.Height))
	if err := errors.Join(err, e.close()); err != nil {
		return "", err
	}
	for _, n := range annexb.Split(nil, coded) {
		if n[0]&0x1F == typeSPS && len(n) > 4 {
			return hex.EncodeToString(n[1:4]), nil
		}
	}
	return "", errors.New("openh264: the encoder gave no sequence parameter set")
}

// grey is a picture with nothing on it.
func grey(w, h int) drivers.Picture {
	plane := bytes.Repeat([]byte{128}, w*h)
	return drivers.Picture{Width: w, Height: h, Y: plane, U: plane[:w*h/4], V: plane[:w*h/4]}
}
