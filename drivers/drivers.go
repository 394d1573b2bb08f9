// Package drivers says what the parts of a panel are: lines, lamps, sound,
// camera, door. The packages below it are each one way to have them.
//
// GPIO lines are periph's gpio.PinIn and gpio.PinOut; this package adds only
// what periph has no word for.
package drivers

import (
	"context"
	"errors"
	"time"
)

// ErrAbsent means that the part does not exist on this board. The caller goes
// on without it. Every other error of an opener is a fault to report.
var ErrAbsent = errors.New("not fitted")

// Sound geometry: one frame is 20 ms of 8000 Hz, mono, signed 16 bit.
const (
	SampleRate   = 8000
	FrameSamples = 160
	FrameTime    = 20 * time.Millisecond
)

// An Input is one debounced change of a named input line.
type Input struct {
	Name   string        // the board's name of the line, such as "button1"
	Active bool          // true when pressed, closed or tripped, whatever the polarity
	At     time.Duration // CLOCK_MONOTONIC of the edge
}

// Inputs reports the board's input lines.
type Inputs interface {
	// Watch calls report for every change until ctx ends or the lines are
	// lost. Calls never overlap; report must not block.
	Watch(ctx context.Context, report func(Input)) error
}

// A Lamp is one light that a person sees.
type Lamp interface {
	Set(on bool) error
}

// Sound is a duplex sound device.
type Sound interface {
	// Run calls exchange once per frame of 20 ms, at the device's own pace,
	// until ctx ends or the device fails. mic holds what was heard; exchange
	// fills speaker with what is to be played. Both have FrameSamples samples
	// and belong to the device again when exchange returns. exchange must not
	// block.
	Run(ctx context.Context, exchange func(mic, speaker []int16)) error
}

// VideoFormat is what a camera is asked for.
type VideoFormat struct {
	Width, Height int // pixels, even
	FPS           int // frames a second
	Bitrate       int // bits a second, of the coded stream
}

// A Picture is one raw frame in planar YUV 4:2:0 (I420), on loan until the
// call that delivered it returns.
type Picture struct {
	Width, Height int
	Y, U, V       []byte        // strides are Width, Width/2 and Width/2
	At            time.Duration // CLOCK_MONOTONIC of the capture
}

// A RawCamera gives uncompressed pictures.
type RawCamera interface {
	// Capture calls deliver for every picture until ctx ends or the camera is
	// lost. It may deliver another size than it was asked for.
	Capture(ctx context.Context, f VideoFormat, deliver func(Picture)) error
}

// A Frame is one H.264 access unit on loan from a camera. The NAL units alias
// the camera's memory until Release; whoever received the Frame calls it
// exactly once.
type Frame struct {
	NALs    [][]byte      // without start codes, in decoding order; SPS and PPS before each IDR
	PTS     time.Duration // CLOCK_MONOTONIC of the capture
	Key     bool          // begins with SPS, PPS and an IDR slice
	Release func()
}

// A Camera gives H.264.
type Camera interface {
	// Stream calls deliver for every access unit until ctx ends or the camera
	// is lost. The first one is a key frame.
	Stream(ctx context.Context, f VideoFormat, deliver func(Frame)) error

	// RequestKey asks for a key frame as soon as possible. It never blocks and
	// may be called from any goroutine, also while nothing streams.
	RequestKey()
}
