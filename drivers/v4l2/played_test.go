package v4l2

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"doorstation/drivers"
)

// A played kernel has one camera, which does what its script says.
type played struct {
	t       *testing.T
	gone    bool
	caps    uint32
	formats []uint32
	size    [2]uint32 // of all pictures; 0: as asked for
	script  []scene
	end     func() // called when the script is over

	pix       pixelFormat
	rate      uint32
	controls  []control
	memory    [][]byte
	queue     []uint32 // buffers in the kernel's hands
	streaming bool
	devices   int // that are open
	mapped    int
	time      time.Duration
}

// A scene is what happens next.
type scene struct {
	data   []byte        // a filled buffer
	at     time.Duration // its time; 0: the camera does not tell
	flags  uint32
	silent time.Duration // or nothing for so long
	events int16         // or the device's error
	fails  error         // or taking the buffer fails
	index  uint32        // added to the buffer's own
	before func()
}

func (p *played) open(path string) (int, error) {
	if p.gone {
		return 0, unix.ENOENT
	}
	p.devices++
	return 7, nil
}

func (p *played) close(int)          { p.devices-- }
func (p *played) munmap([]byte)      { p.mapped-- }
func (p *played) now() time.Duration { return p.time }

func (p *played) mmap(_ int, offset int64, length int) ([]byte, error) {
	p.mapped++
	return p.memory[offset/4096][:length], nil
}

func (p *played) poll(_ int, wait time.Duration) (int16, error) {
	if len(p.script) == 0 {
		p.end()
		return 0, nil
	}
	s := &p.script[0]
	if s.before != nil {
		s.before()
	}
	switch {
	case s.silent > 0:
		p.time += wait
		if s.silent -= wait; s.silent <= 0 {
			p.script = p.script[1:]
		}
		return 0, nil
	case s.events != 0:
		p.script = p.script[1:]
		return s.events, nil
	}
	return unix.POLLIN, nil
}

func (p *played) ioctl(_ int, request uintptr, arg unsafe.Pointer) error {
	switch request {
	case ioctlQueryCap:
		(*capability)(arg).capabilities = capDeviceCaps | 1 // what the whole device can do does not count
		(*capability)(arg).deviceCaps = p.caps
	case ioctlEnumFmt:
		f := (*formatDescription)(arg)
		if int(f.index) >= len(p.formats) {
			return unix.EINVAL
		}
		f.pixelFormat = p.formats[f.index]
	case ioctlSetFmt:
		f := (*format)(arg)
		if p.size[0] != 0 {
			f.pix.width, f.pix.height = p.size[0], p.size[1]
		}
		f.pix.bytesPerLine = 0
		p.pix = f.pix
	case ioctlSetParm:
		p.rate = (*streamParameters)(arg).denominator
	case ioctlSetCtrl:
		p.controls = append(p.controls, *(*control)(arg))
	case ioctlStreamOn, ioctlStreamOff:
		p.streaming = request == ioctlStreamOn
	default:
		return p.buffers(request, arg)
	}
	return nil
}

func (p *played) buffers(request uintptr, arg unsafe.Pointer) error {
	const size = 64 << 10
	switch request {
	case ioctlReqBufs:
		for range (*requestBuffers)(arg).count {
			p.memory = append(p.memory, make([]byte, size))
		}
	case ioctlQueryBuf:
		b := (*buffer)(arg)
		b.offset, b.length = 4096*b.index, size
	case ioctlQBuf:
		b := (*buffer)(arg)
		if slices.Contains(p.queue, b.index) {
			p.t.Errorf("buffer %d is given back twice", b.index)
		}
		p.queue = append(p.queue, b.index)
	case ioctlDQBuf:
		return p.give((*buffer)(arg))
	default:
		p.t.Errorf("request %#x", request)
	}
	return nil
}

// give hands out a filled buffer.
func (p *played) give(b *buffer) error {
	s := p.script[0]
	p.script = p.script[1:]
	if s.fails != nil {
		return s.fails
	}
	if !p.streaming || len(p.queue) == 0 {
		p.t.Error("a buffer is wanted, and the camera has none")
		return unix.EINVAL
	}
	b.index = p.queue[0] + s.index
	p.queue = p.queue[1:]
	b.bytesUsed = uint32(copy(p.memory[b.index%bufferCount], s.data))
	b.flags = s.flags
	if s.at != 0 {
		b.flags |= flagMonotonic
		b.seconds, b.micros = int64(s.at/time.Second), int64(s.at%time.Second/time.Microsecond)
	}
	return nil
}

// tidy checks that the camera got everything back.
func (p *played) tidy() {
	p.t.Helper()
	if p.streaming || p.devices != 0 || p.mapped != 0 {
		p.t.Errorf("left behind: streaming %v, %d devices open, %d buffers mapped", p.streaming, p.devices, p.mapped)
	}
}

// play lets the scenes happen to an H.264 camera and gives what it delivered: a
// letter for each NAL unit's type, with a key frame's in brackets.
func play(t *testing.T, p *played) (got string, times []time.Duration, err error) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	p.t, p.end, p.time = t, stop, time.Hour
	c := &Coded{kernel: p, path: "/dev/video9", log: slog.New(slog.DiscardHandler)}
	err = c.Stream(ctx, drivers.VideoFormat{Width: 640, Height: 480, FPS: 15, Bitrate: 500_000}, func(f drivers.Frame) {
		defer f.Release()
		one := kinds(f.NALs)
		if f.Key {
			one = "[" + one + "]"
		}
		got += one + " "
		times = append(times, f.PTS)
	})
	p.tidy()
	return strings.TrimSpace(got), times, err
}

const coding = capCapture | capStreaming

// A camera that makes H.264 is passed through, from its first key frame on, with
// the parameter sets before each, and with the times of the capture.
func TestPassedThrough(t *testing.T) {
	p := &played{caps: coding, formats: []uint32{formatYUYV, formatH264}, script: []scene{
		{data: stream(1), at: 1 * time.Second},
		{data: stream(7, 8, 5), at: 2 * time.Second},
		{data: stream(9, 1), at: 2*time.Second + 66*time.Millisecond},
		{data: stream(1), at: 3 * time.Second, flags: flagError}, // torn on the way: left out
		{fails: unix.EAGAIN},
		{data: nil, at: 4 * time.Second},
		{data: stream(5), at: 5 * time.Second},
		{data: stream(1)}, // a camera that does not tell the time
	}}
	got, times, err := play(t, p)
	if got != "[785] 1 [785] 1" || !errors.Is(err, context.Canceled) {
		t.Errorf("delivered %q, ended with %v", got, err)
	}
	want := []time.Duration{2 * time.Second, 2*time.Second + 66*time.Millisecond, 5 * time.Second, time.Hour}
	if !slices.Equal(times, want) {
		t.Errorf("taken at %v, want %v", times, want)
	}
	if p.pix.format != formatH264 || p.pix.width != 640 || p.pix.height != 480 || p.rate != 15 {
		t.Errorf("asked for %+v at %d a second", p.pix, p.rate)
	}
	set := []control{{ctrlProfile, profileConBase}, {ctrlBitrate, 500_000}, {ctrlForceKey, 1}}
	if !slices.Equal(p.controls, set) {
		t.Errorf("controls %x, want %x", p.controls, set)
	}
}

func TestKeyFrameIsForced(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	p := &played{t: t, end: stop, caps: coding, formats: []uint32{formatH264}}
	c := &Coded{kernel: p, log: slog.New(slog.DiscardHandler)}
	p.script = []scene{
		{data: stream(7, 8, 5)}, {data: stream(1)},
		{data: stream(1), before: c.RequestKey}, {data: stream(1)},
	}
	_ = c.Stream(ctx, drivers.VideoFormat{}, func(drivers.Frame) {})
	forced := 0
	for _, one := range p.controls {
		if one == (control{ctrlForceKey, 1}) {
			forced++
		}
	}
	if forced != 2 {
		t.Errorf("key frames were forced %d times, want at the beginning and once more", forced)
	}
}

// However a camera is lost, the stream ends with an error, and nothing of it is
// left open.
func TestCameraIsLost(t *testing.T) {
	begun := scene{data: stream(7, 8, 5)}
	for name, c := range map[string]struct {
		played
		want string
	}{
		"unplugged":           {played{script: []scene{begun, {events: unix.POLLERR | unix.POLLHUP}}}, "the camera is lost: no such device"},
		"unplugged meanwhile": {played{script: []scene{begun, {fails: unix.ENODEV}}}, "the camera is lost: no such device"},
		"silent":              {played{script: []scene{begun, {silent: time.Minute}}}, "no picture for 5s"},
		"a mad driver":        {played{script: []scene{{data: stream(5), index: 99}}}, "was never given"},
		"no H.264":            {played{formats: []uint32{formatYUYV}}, "gives no H.264"},
		"no capture device":   {played{caps: capStreaming}, "is no single-planar capture device"},
		"no streaming":        {played{caps: capCapture}, "is no single-planar capture device"},
	} {
		t.Run(name, func(t *testing.T) {
			p := c.played
			if p.caps == 0 {
				p.caps = coding
			}
			if p.formats == nil {
				p.formats = []uint32{formatH264}
			}
			_, _, err := play(t, &p)
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "/dev/video9") || errors.Is(err, drivers.ErrAbsent) {
				t.Errorf("ended with %v, want %q", err, c.want)
			}
		})
	}
	if _, _, err := play(t, &played{gone: true}); !errors.Is(err, drivers.ErrAbsent) {
		t.Errorf("a camera that is not there: %v", err)
	}
}

// Of the formats of a raw camera the cheapest is taken that has the size, and
// else the cheapest.
func TestRawFormatIsChosen(t *testing.T) {
	for _, c := range []struct {
		formats []uint32
		size    [2]uint32
		want    uint32
	}{
		{[]uint32{formatMJPEG, formatYUYV, formatNV12}, [2]uint32{}, formatNV12},
		{[]uint32{formatH264, formatMJPEG}, [2]uint32{}, formatMJPEG},
		{[]uint32{formatMJPEG, formatYUYV}, [2]uint32{320, 240}, formatYUYV},
		{[]uint32{formatH264}, [2]uint32{}, 0},
	} {
		ctx, stop := context.WithCancel(t.Context())
		p := &played{t: t, end: stop, caps: coding, formats: c.formats, size: c.size}
		err := (&Camera{kernel: p, path: "/dev/video9", log: slog.New(slog.DiscardHandler)}).Capture(ctx, drivers.VideoFormat{Width: 640, Height: 480, FPS: 15}, func(drivers.Picture) {})
		stop()
		if c.want == 0 {
			if err == nil || !strings.Contains(err.Error(), "gives none of YU12") {
				t.Errorf("%v: %v", c.formats, err)
			}
			continue
		}
		if p.pix.format != c.want || !errors.Is(err, context.Canceled) {
			t.Errorf("of %v at %v it takes %s; %v", c.formats, c.size, fourCC(p.pix.format), err)
		}
		p.tidy()
	}
}

// A picture that came torn is left out; the stream goes on.
func TestTornPicture(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	raw := make([]byte, 64*48*3/2)
	for i := range raw {
		raw[i] = byte(i)
	}
	p := &played{t: t, end: stop, caps: coding, formats: []uint32{formatYU12}, script: []scene{
		{data: raw[:100], at: time.Second}, {data: raw, at: 2 * time.Second},
	}}
	var seen []time.Duration
	_ = (&Camera{kernel: p, log: slog.New(slog.DiscardHandler)}).Capture(ctx, drivers.VideoFormat{Width: 64, Height: 48, FPS: 15}, func(pic drivers.Picture) {
		seen = append(seen, pic.At)
		if pic.Width != 64 || pic.Height != 48 || pic.Y[5] != 5 {
			t.Errorf("a picture of %dx%d", pic.Width, pic.Height)
		}
	})
	if !slices.Equal(seen, []time.Duration{2 * time.Second}) {
		t.Errorf("pictures of %v", seen)
	}
	p.tidy()
}
