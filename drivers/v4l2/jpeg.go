package v4l2

import (
	"bytes"
	"fmt"
	"image"
	"image/jpeg"
)

// fromJPEG decodes one picture of motion JPEG.
func (p *painter) fromJPEG(data []byte) error {
	data = withTables(data)
	// The size is looked at first: a wrong one could ask for any memory.
	config, err := jpeg.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("JPEG: %w", err)
	}
	if config.Width != int(p.pix.width) || config.Height != int(p.pix.height) {
		return fmt.Errorf("JPEG of %dx%d pixels in a stream of %dx%d", config.Width, config.Height, p.pix.width, p.pix.height)
	}
	if len(p.y) == 0 {
		p.fit(p.w, p.h)
	}
	decoded, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("JPEG: %w", err)
	}
	switch m := decoded.(type) {
	case *image.YCbCr:
		p.copyPlane(p.y, m.Y, p.w, p.h, m.YStride)
		p.fromColours(m)
	case *image.Gray:
		p.copyPlane(p.y, m.Pix, p.w, p.h, m.Stride)
		fill(p.u, 128)
		fill(p.v, 128)
	default:
		return fmt.Errorf("JPEG with colours of %T, want YCbCr or grey", m)
	}
	p.narrow()
	return nil
}

// fromColours takes the colours of any subsampling, of each two by two pixels
// the first.
func (p *painter) fromColours(m *image.YCbCr) {
	for row := range p.h / 2 {
		u, v := p.u[row*(p.w/2):][:p.w/2], p.v[row*(p.w/2):][:p.w/2]
		for i := range u {
			at := m.COffset(2*i, 2*row)
			u[i], v[i] = m.Cb[at], m.Cr[at]
		}
	}
}

// narrow brings the full range of JPEG (JFIF) to that of video, 16 to 235 and
// for colours 16 to 240 (ITU-R BT.601).
func (p *painter) narrow() {
	for i, y := range p.y {
		p.y[i] = byte(16 + (uint(y)*219+127)/255)
	}
	for _, plane := range [][]byte{p.u, p.v} {
		for i, c := range plane {
			plane[i] = byte(16 + (uint(c)*224+127)/255)
		}
	}
}

func fill(plane []byte, value byte) {
	for i := range plane {
		plane[i] = value
	}
}
