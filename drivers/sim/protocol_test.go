package sim

import (
	"bytes"
	"strings"
	"testing"
)

func goodPackets() []packet {
	return []packet{
		{kind: kindHello, role: roleOutput, name: "DOOR1"},
		{kind: kindHello, role: roleListen},
		{kind: kindSet, level: true},
		{kind: kindPress, active: true, name: "BUTTON1"},
		{kind: kindFrame, frame: bytes.Repeat([]byte{1, 2}, frameBytes/2)},
		{kind: kindDone},
		{kind: kindFailed, fault: faultBusy, name: "DOOR1"},
		{kind: kindChange, level: true, active: true, at: 123456789, name: "DOOR1"},
	}
}

func TestProtocolTakesItsOwnWords(t *testing.T) {
	for _, p := range goodPackets() {
		raw := p.append(nil)
		got, err := decode(raw)
		if err != nil || !bytes.Equal(got.append(nil), raw) {
			t.Errorf("%+v became %+v, %v", p, got, err)
		}
	}
}

var badPackets = []string{
	"", "\x01", "\x02\x06", "\x01\x00", "\x01\x08", "\x01\xff", "\x01\x01", "\x01\x01\x00", "\x01\x01\x06",
	"\x01\x01\x01a\n", "\x01\x01\x01" + strings.Repeat("x", maxName+1), "\x01\x02", "\x01\x02\x02", "\x01\x02\x01x",
	"\x01\x03\x01\x7f", "\x01\x03\x03x", "\x01\x04", "\x01\x04short", "\x01\x04" + strings.Repeat("x", frameBytes+1),
	"\x01\x06x", "\x01\x05\x00x", "\x01\x06\x04x", "\x01\x07\x01\x01", "\x01\x07\x01\x01\xff\xff\xff\xff\xff\xff\xff\xffx",
}

func TestProtocolRefusesEverythingElse(t *testing.T) {
	for _, s := range badPackets {
		if p, err := decode([]byte(s)); err == nil {
			t.Errorf("%q was taken as %+v", s, p)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for _, p := range goodPackets() {
		f.Add(p.append(nil))
	}
	for _, s := range badPackets {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		p, err := decode(raw)
		if err == nil && !bytes.Equal(p.append(nil), raw) {
			t.Fatalf("%q was taken, and is written as %q", raw, p.append(nil))
		}
	})
}
