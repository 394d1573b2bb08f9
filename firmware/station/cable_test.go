package station

import (
	"encoding/binary"
	"testing"

	"golang.org/x/sys/unix"
)

// news is one RTM_NEWLINK message of an interface.
func news(index int32, carrier bool) []byte {
	b := binary.NativeEndian.AppendUint32(nil, unix.SizeofNlMsghdr+unix.SizeofIfInfomsg)
	b = binary.NativeEndian.AppendUint16(b, unix.RTM_NEWLINK)
	b = append(b, make([]byte, 10+4)...)
	b = binary.NativeEndian.AppendUint32(b, uint32(index))
	flags := uint32(unix.IFF_UP)
	if carrier {
		flags |= unix.IFF_LOWER_UP
	}
	b = binary.NativeEndian.AppendUint32(b, flags)
	return binary.NativeEndian.AppendUint32(b, 0)
}

func TestCablesBack(t *testing.T) {
	c := make(cables)
	for i, step := range []struct {
		news []byte
		back bool
	}{
		{news(2, true), false}, // it was there
		{news(2, false), false},
		{news(3, true), false}, // another one
		{news(2, false), false},
		{news(2, true), true},
		{news(2, true), false}, // told once
		{append(news(2, false), news(2, true)...), true},
		{news(2, false)[:20], false},
		{nil, false},
	} {
		if got := c.read(step.news); got != step.back {
			t.Errorf("step %d: %v, want %v", i, got, step.back)
		}
	}
}

func FuzzCables(f *testing.F) {
	f.Add(append(news(2, false), news(2, true)...))
	f.Add([]byte{0, 0, 0, 0})
	f.Fuzz(func(_ *testing.T, raw []byte) { make(cables).read(raw) })
}
