//go:build cgo

package openh264

import (
	"fmt"
	"image"
	"time"

	"github.com/pion/mediadevices/pkg/codec"
	"github.com/pion/mediadevices/pkg/codec/openh264"
	"github.com/pion/mediadevices/pkg/prop"

	"doorstation/drivers"
)

const (
	// MaxSlice is the largest slice made, in bytes with its NAL header: one
	// RTP packet carries it whole.
	MaxSlice = 1200

	// keyInterval is the time between key frames when nobody asks for one: the
	// longest that a receiver without feedback looks at a broken picture.
	keyInterval = 5 * time.Second
)

// encoder is one openh264 encoder for pictures of one size. It belongs to one
// goroutine: openh264 takes no locks.
type encoder struct {
	width, height int
	image         image.YCbCr // the picture being encoded
	codec         codec.ReadCloser
	key           codec.KeyFrameController
}

// newEncoder starts an encoder. The quality gives way first to meet the
// bitrate; pictures are left out only where the worst quality does not.
func newEncoder(width, height int, f drivers.VideoFormat) (*encoder, error) {
	if err := codable(width, height); err != nil {
		return nil, err
	}
	params, err := openh264.NewParams()
	if err != nil {
		return nil, fmt.Errorf("openh264: %w", err)
	}
	params.BitRate = f.Bitrate
	params.EnableFrameSkip = true
	params.IntraPeriod = uint(keyInterval.Seconds()) * uint(f.FPS)
	params.MultipleThreadIdc = 1
	params.SliceMode = openh264.SMSizelimitedSlice
	params.SliceSizeConstraint = MaxSlice
	e := &encoder{width: width, height: height}
	media := prop.Media{Video: prop.Video{Width: width, Height: height, FrameRate: float32(f.FPS)}}
	if e.codec, err = params.BuildVideoEncoder(e, media); err != nil {
		return nil, fmt.Errorf("openh264: encoder for %dx%d pixels: %w", width, height, err)
	}
	key, ok := e.codec.Controller().(codec.KeyFrameController)
	if !ok {
		return nil, fmt.Errorf("openh264: the encoder makes no key frames on request")
	}
	e.key = key
	return e, nil
}

// codable refuses sizes of pictures that the encoder does not take.
func codable(width, height int) error {
	if width < 16 || height < 16 || width%2 != 0 || height%2 != 0 {
		return fmt.Errorf("openh264: picture of %dx%d pixels; both must be even and at least 16", width, height)
	}
	return nil
}

// Read hands the picture to the encoder; it is mediadevices' video.Reader.
func (e *encoder) Read() (image.Image, func(), error) {
	return &e.image, func() {}, nil
}

// encode returns the coded picture as an Annex B byte stream in memory of its
// own. It is empty when the encoder left the picture out.
func (e *encoder) encode(p drivers.Picture) ([]byte, error) {
	e.image = image.YCbCr{
		Y: p.Y, Cb: p.U, Cr: p.V,
		YStride: p.Width, CStride: p.Width / 2,
		SubsampleRatio: image.YCbCrSubsampleRatio420,
		Rect:           image.Rect(0, 0, p.Width, p.Height),
	}
	coded, release, err := e.codec.Read()
	if err != nil {
		return nil, fmt.Errorf("openh264: %w", err)
	}
	release()
	return coded, nil
}

func (e *encoder) forceKey() error {
	if err := e.key.ForceKeyFrame(); err != nil {
		return fmt.Errorf("openh264: key frame: %w", err)
	}
	return nil
}

func (e *encoder) close() error {
	defer giveBack()
	return e.codec.Close()
}
