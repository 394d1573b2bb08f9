package h264

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/pion/rtp/codecs"
)

// nal makes a NAL unit of a type with size bytes in all.
func nal(header byte, size int) []byte {
	n := make([]byte, size)
	n[0] = header
	for i := 1; i < size; i++ {
		n[i] = byte(i*7 + i/251 + 1)
	}
	return n
}

// header bytes, NRI included.
const (
	hSPS = 0x67
	hPPS = 0x68
	hSEI = 0x06
	hAUD = 0x09
	hIDR = 0x65
	hP   = 0x41
)

func TestPacketsByMode(t *testing.T) {
	key := [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 3000)}
	for _, c := range []struct {
		name string
		nals [][]byte
		mode int
		want []int // NAL type of each payload
	}{
		{"RFC 6184 5.6: a slice that fits goes alone", [][]byte{nal(hP, 1200)}, 1, []int{1}},
		{"5.8: one byte more takes two fragments", [][]byte{nal(hP, 1201)}, 1, []int{28, 28}},
		{"5.7.1: parameter sets share a packet", key, 1, []int{24, 28, 28, 28}},
		{"mode 0 carries them one by one", [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 1200)}, 0, []int{7, 8, 5}},
		{"slices are never aggregated", [][]byte{nal(hP, 50), nal(hP, 50)}, 1, []int{1, 1}},
		{"a lone parameter set goes alone", [][]byte{nal(hPPS, 4), nal(hIDR, 9)}, 1, []int{8, 5}},
		{"delimiter and SEI go with them", [][]byte{nal(hAUD, 2), nal(hSPS, 16), nal(hPPS, 4), nal(hSEI, 30), nal(hIDR, 9)}, 1, []int{24, 5}},
		{"what does not fit the packet stays out", [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hSEI, 1190)}, 1, []int{24, 6}},
		{"empty NAL units are left out", [][]byte{{}, nal(hP, 9), nil}, 1, []int{1}},
		{"nothing", nil, 1, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p Packetizer
			packets, err := p.Packets(nil, c.nals, c.mode)
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			for _, packet := range packets {
				payload := packet[Headroom:]
				got = append(got, Type(payload))
				if len(payload) > MaxPayload {
					t.Errorf("payload of %d bytes", len(payload))
				}
				if cap(packet)-len(packet) != Tailroom {
					t.Errorf("%d bytes of room behind the payload", cap(packet)-len(packet))
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("payload types %v, want %v", got, c.want)
			}
		})
	}
}

func TestModeSingleRefusesBigNALUnits(t *testing.T) {
	var p Packetizer
	dst := [][]byte{{1}}
	dst, err := p.Packets(dst, [][]byte{nal(hP, 10), nal(hIDR, 1201)}, ModeSingle)
	var big *TooBigError
	if !errors.As(err, &big) || big.Type != TypeIDR || big.Size != 1201 {
		t.Errorf("got %v", err)
	}
	if len(dst) != 1 {
		t.Errorf("dst has %d packets, it had 1", len(dst))
	}
}

// The packets of one access unit never share bytes: a header written into one
// and a tag behind it leave the others alone.
func TestPacketsDoNotOverlap(t *testing.T) {
	var p Packetizer
	unit := [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 5000), nal(hIDR, 1200)}
	packets, _ := p.Packets(nil, unit, 1)
	var before [][]byte
	for _, packet := range packets {
		before = append(before, slices.Clone(packet[Headroom:]))
	}
	for _, packet := range packets {
		copy(packet[:Headroom], "RRRRRRRRRRRR")
		_ = append(packet, "TTTTTTTTTTTTTTTT"...)
	}
	for i, packet := range packets {
		if !bytes.Equal(before[i], packet[Headroom:]) {
			t.Errorf("packet %d was overwritten", i)
		}
	}
}

// A reader that is not ours must find the same NAL units in our packets.
func TestForeignDepacketizerAgrees(t *testing.T) {
	var p Packetizer
	unit := [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 5000), nal(hIDR, 1200), nal(hIDR, 20)}
	for mode, unit := range map[int][][]byte{1: unit, 0: {unit[0], unit[1], unit[3]}} {
		packets, err := p.Packets(nil, unit, mode)
		if err != nil {
			t.Fatal(err)
		}
		var foreign codecs.H264Packet
		var stream []byte
		for _, packet := range packets {
			part, err := foreign.Unmarshal(packet[Headroom:])
			if err != nil {
				t.Fatal(err)
			}
			stream = append(stream, part...)
		}
		if want := AppendAnnexB(nil, unit); !bytes.Equal(stream, want) {
			t.Errorf("mode %d: another depacketizer reads %d bytes, want %d", mode, len(stream), len(want))
		}
	}
}

func TestPacketsAllocatesNothingOnceWarm(t *testing.T) {
	var p Packetizer
	unit := [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 30_000)}
	var dst [][]byte
	split := func() { dst, _ = p.Packets(dst[:0], unit, 1) }
	split()
	if n := testing.AllocsPerRun(100, split); n != 0 {
		t.Errorf("%v allocations for an access unit", n)
	}
}

// wire plays packets to a Depacketizer.
type wire struct {
	p     Packetizer
	d     Depacketizer
	seq   uint16
	units [][]byte // Annex B of what was delivered
	times []uint32
	errs  []error
}

// send splits a unit and plays those packets that pass lets through.
func (w *wire) send(ts uint32, markers bool, pass func(i int) bool, nals ...[]byte) {
	packets, _ := w.p.Packets(nil, nals, 1)
	for i, packet := range packets {
		w.seq++
		if pass != nil && !pass(i) {
			continue
		}
		w.play(w.seq, ts, markers && i == len(packets)-1, packet[Headroom:])
	}
}

func (w *wire) play(seq uint16, ts uint32, marker bool, payload []byte) {
	err := w.d.Packet(seq, ts, marker, payload, func(u AccessUnit) {
		w.units = append(w.units, AppendAnnexB(nil, u.NALs))
		w.times = append(w.times, u.Timestamp)
	})
	if err != nil {
		w.errs = append(w.errs, err)
	}
}

func keyUnit() [][]byte { return [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 5000)} }

func TestDepacketizerGivesBackWhatWasSplit(t *testing.T) {
	for name, markers := range map[string]bool{"with markers": true, "without markers": false} {
		t.Run(name, func(t *testing.T) {
			w := wire{seq: 65530} // the sequence number turns over on the way
			w.send(3000, markers, nil, keyUnit()...)
			w.send(6000, markers, nil, nal(hP, 2500))
			w.send(9000, markers, nil, nal(hP, 100), nal(hP, 200))
			w.send(12000, markers, nil, nal(hP, 10))
			want := [][]byte{
				AppendAnnexB(nil, keyUnit()), AppendAnnexB(nil, [][]byte{nal(hP, 2500)}),
				AppendAnnexB(nil, [][]byte{nal(hP, 100), nal(hP, 200)}), AppendAnnexB(nil, [][]byte{nal(hP, 10)}),
			}
			if !markers {
				want = want[:3] // the last one waits for a new timestamp
			}
			if len(w.errs) != 0 || !slices.EqualFunc(w.units, want, bytes.Equal) {
				t.Errorf("%d units of %d, errors %v", len(w.units), len(want), w.errs)
			}
			if w.times[0] != 3000 || w.times[1] != 6000 {
				t.Errorf("timestamps %v", w.times)
			}
		})
	}
}

func TestDepacketizerDropsWhatIsNotWhole(t *testing.T) {
	without := func(lost ...int) func(int) bool {
		return func(i int) bool { return !slices.Contains(lost, i) }
	}
	for _, c := range []struct {
		name string
		lose func(int) bool // of the second unit, five packets long
		want []uint32       // timestamps of the units delivered of four
		errs int
	}{
		{"nothing lost", nil, []uint32{1, 2, 3, 4}, 0},
		{"first fragment", without(0), []uint32{1, 3, 4}, 1},
		{"middle fragment", without(2), []uint32{1, 3, 4}, 1},
		{"all but the last", without(0, 1, 2, 3), []uint32{1, 3, 4}, 1},
		{"the last one: the next unit may lack its beginning", without(4), []uint32{1, 4}, 1},
		{"the whole unit", without(0, 1, 2, 3, 4), []uint32{1, 4}, 1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var w wire
			w.send(1, true, nil, keyUnit()...)
			w.send(2, true, c.lose, nal(hP, 5500))
			w.send(3, true, nil, nal(hP, 2000))
			w.send(4, true, nil, keyUnit()...)
			if !slices.Equal(w.times, c.want) || len(w.errs) != c.errs {
				t.Errorf("delivered %v with %d errors, want %v with %d: %v", w.times, len(w.errs), c.want, c.errs, w.errs)
			}
			for _, err := range w.errs {
				if !errors.Is(err, ErrLost) {
					t.Errorf("error %v", err)
				}
			}
		})
	}
}

// After a loss between two units, one that surely has its beginning is taken.
func TestKeyFrameAfterLossIsTaken(t *testing.T) {
	var w wire
	w.send(1, true, nil, keyUnit()...)
	w.seq += 7
	w.send(2, true, nil, keyUnit()...)
	if !slices.Equal(w.times, []uint32{1, 2}) {
		t.Errorf("delivered %v, errors %v", w.times, w.errs)
	}
}

func TestStreamThatBeginsInTheMiddle(t *testing.T) {
	var w wire
	w.send(1, true, func(i int) bool { return i > 1 }, keyUnit()...)
	w.send(2, true, nil, nal(hP, 100))
	if !slices.Equal(w.times, []uint32{2}) || len(w.errs) != 1 {
		t.Errorf("delivered %v, errors %v", w.times, w.errs)
	}
}

func TestLateAndDoubledPacketsAreIgnored(t *testing.T) {
	var w wire
	w.send(1, true, nil, keyUnit()...)
	w.play(w.seq, 1, true, nal(hP, 5))
	w.play(w.seq-2, 1, false, nal(hP, 5))
	w.send(2, true, nil, nal(hP, 100))
	if !slices.Equal(w.times, []uint32{1, 2}) || len(w.errs) != 0 {
		t.Errorf("delivered %v, errors %v", w.times, w.errs)
	}
}

func TestResetBeginsANewStream(t *testing.T) {
	w := wire{seq: 40000}
	w.send(1, true, nil, keyUnit()...)
	w.seq = 20000
	w.d.Reset()
	w.send(2, true, nil, keyUnit()...)
	if !slices.Equal(w.times, []uint32{1, 2}) {
		t.Errorf("delivered %v, errors %v", w.times, w.errs)
	}
}

func TestDamagedPayloads(t *testing.T) {
	for name, payload := range map[string][]byte{
		"empty":                      {},
		"type 0":                     {0x60, 1},
		"STAP-B":                     {25, 0, 0, 0, 1, hP},
		"STAP-A cut in the length":   {24, 0},
		"STAP-A cut in the NAL unit": {24, 0, 5, hP, 1},
		"STAP-A with an empty NAL":   {24, 0, 0, 0, 1, hP},
		"FU-A without data":          {28, 0x85},
		"FU-A that never began":      {28, 0x05, 1},
		"FU-A end that never began":  {28, 0x45, 1},
		"FU-A without its end":       {28, 0x85, 1},
	} {
		t.Run(name, func(t *testing.T) {
			var w wire
			w.send(1, true, nil, keyUnit()...)
			w.seq++
			w.play(w.seq, 2, true, payload)
			var format *FormatError
			if len(w.errs) != 1 || !errors.As(w.errs[0], &format) {
				t.Errorf("errors %v, want one FormatError", w.errs)
			}
			w.send(3, true, nil, nal(hP, 100))
			if !slices.Equal(w.times, []uint32{1, 3}) {
				t.Errorf("delivered %v", w.times)
			}
		})
	}
}

func TestEndlessUnitIsBounded(t *testing.T) {
	var w wire
	w.play(1, 1, false, nal(hSPS, 10))
	fragment := append([]byte{28, 0x85}, nal(hP, 1200)...)
	for seq := uint16(2); seq < 2000; seq++ {
		w.play(seq, 1, false, fragment)
		fragment[1] = 0x05
		if len(w.d.buf) > MaxAccessUnit {
			t.Fatalf("%d bytes collected", len(w.d.buf))
		}
	}
	if len(w.errs) != 1 {
		t.Errorf("errors %v, want one", w.errs)
	}
}

func BenchmarkKeyFrame30kB(b *testing.B) {
	unit := [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 30_000)}
	b.Run("ours", func(b *testing.B) {
		b.ReportAllocs()
		var p Packetizer
		var dst [][]byte
		for b.Loop() {
			dst, _ = p.Packets(dst[:0], unit, 1)
		}
	})
	b.Run("pion", func(b *testing.B) {
		b.ReportAllocs()
		var p codecs.H264Payloader
		stream := AppendAnnexB(nil, unit)
		for b.Loop() {
			p.Payload(MaxPayload, stream)
		}
	})
}
