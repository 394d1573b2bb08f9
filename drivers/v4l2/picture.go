package v4l2

import (
	"fmt"

	"doorstation/drivers"
)

// maxSide bounds a picture's width and height, in pixels.
const maxSide = 8192

// A painter makes pictures in I420 out of what a camera gives. Its memory is
// used again for each picture.
type painter struct {
	pix     pixelFormat
	w, h    int // even
	stride  int // bytes of a source line
	y, u, v []byte
	convert func(p *painter, data []byte)
	needs   int // bytes of a whole picture
}

func newPainter(pix pixelFormat) (*painter, error) {
	if pix.width < 2 || pix.height < 2 || pix.width > maxSide || pix.height > maxSide {
		return nil, fmt.Errorf("%dx%d pixels, want 2x2 to %dx%d", pix.width, pix.height, maxSide, maxSide)
	}
	p := &painter{pix: pix, w: int(pix.width) &^ 1, h: int(pix.height) &^ 1}
	if pix.format == formatMJPEG {
		return p, nil
	}
	least := int(pix.width)
	if pix.format == formatYUYV {
		least *= 2
	}
	if pix.bytesPerLine > 4*maxSide {
		return nil, fmt.Errorf("%d bytes in a line, want at most %d", pix.bytesPerLine, 4*maxSide)
	}
	p.stride = max(int(pix.bytesPerLine), least)
	lines := int(pix.height)
	switch pix.format {
	case formatYUYV:
		p.convert, p.needs = (*painter).fromYUYV, p.stride*lines
	case formatNV12:
		p.convert, p.needs = (*painter).fromNV12, p.stride*(lines+(lines+1)/2)
	case formatYU12:
		p.convert, p.needs = (*painter).fromYU12, p.stride*lines+2*(p.stride/2)*((lines+1)/2)
	default:
		return nil, fmt.Errorf("format %s is not understood", fourCC(pix.format))
	}
	p.fit(p.w, p.h)
	return p, nil
}

// fit gives the painter memory for pictures of this size.
func (p *painter) fit(w, h int) {
	p.w, p.h = w, h
	p.y, p.u, p.v = make([]byte, w*h), make([]byte, w*h/4), make([]byte, w*h/4)
}

// paint converts one picture, on loan until the next call.
func (p *painter) paint(data []byte) (drivers.Picture, error) {
	if p.convert == nil {
		if err := p.fromJPEG(data); err != nil {
			return drivers.Picture{}, err
		}
	} else {
		if len(data) < p.needs {
			return drivers.Picture{}, fmt.Errorf("%d bytes, a whole picture has %d", len(data), p.needs)
		}
		p.convert(p, data)
	}
	return drivers.Picture{Width: p.w, Height: p.h, Y: p.y, U: p.u, V: p.v}, nil
}

// fromYUYV takes packed 4:2:2, and of the colours the mean of two lines.
func (p *painter) fromYUYV(data []byte) {
	for row := 0; row < p.h; row += 2 {
		a, b := data[row*p.stride:][:2*p.w], data[(row+1)*p.stride:][:2*p.w]
		ya, yb := p.y[row*p.w:][:p.w], p.y[(row+1)*p.w:][:p.w]
		u, v := p.u[row/2*(p.w/2):][:p.w/2], p.v[row/2*(p.w/2):][:p.w/2]
		for i := range u {
			ya[2*i], ya[2*i+1] = a[4*i], a[4*i+2]
			yb[2*i], yb[2*i+1] = b[4*i], b[4*i+2]
			u[i] = mean(a[4*i+1], b[4*i+1])
			v[i] = mean(a[4*i+3], b[4*i+3])
		}
	}
}

func mean(a, b byte) byte { return byte((uint(a) + uint(b) + 1) / 2) }

// fromNV12 takes a plane of Y and one in which U and V alternate.
func (p *painter) fromNV12(data []byte) {
	p.copyPlane(p.y, data, p.w, p.h, p.stride)
	colours := data[p.stride*int(p.pix.height):]
	for row := range p.h / 2 {
		line := colours[row*p.stride:][:p.w]
		u, v := p.u[row*(p.w/2):][:p.w/2], p.v[row*(p.w/2):][:p.w/2]
		for i := range u {
			u[i], v[i] = line[2*i], line[2*i+1]
		}
	}
}

// fromYU12 takes three planes; a line of colours has half the bytes.
func (p *painter) fromYU12(data []byte) {
	lines, half := int(p.pix.height), p.stride/2
	p.copyPlane(p.y, data, p.w, p.h, p.stride)
	data = data[p.stride*lines:]
	p.copyPlane(p.u, data, p.w/2, p.h/2, half)
	p.copyPlane(p.v, data[half*((lines+1)/2):], p.w/2, p.h/2, half)
}

// copyPlane copies w by h bytes out of lines of stride bytes.
func (p *painter) copyPlane(dst, src []byte, w, h, stride int) {
	for row := range h {
		copy(dst[row*w:][:w], src[row*stride:][:w])
	}
}
