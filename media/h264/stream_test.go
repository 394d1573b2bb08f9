package h264

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"
)

func TestSplitAnnexB(t *testing.T) {
	for name, c := range map[string]struct {
		stream string
		want   []string
	}{
		"both start codes":           {"00000001 67aa 000001 68bb 00000001 65cc", []string{"67aa", "68bb", "65cc"}},
		"zero bytes behind":          {"000001 67aa 0000 000001 68 000000", []string{"67aa", "68"}},
		"rubbish in front":           {"ff00ff 000001 41", []string{"41"}},
		"empty NAL units":            {"000001 000001 41 000001", []string{"41"}},
		"no start code":              {"0000 0341 0000", nil},
		"nothing":                    {"", nil},
		"emulation prevention stays": {"000001 6500000301", []string{"6500000301"}},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, n := range SplitAnnexB(nil, unhex(t, c.stream)) {
				got = append(got, hex.EncodeToString(n))
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestKeyHelpers(t *testing.T) {
	sps, pps, idr, p := []byte{hSPS}, []byte{hPPS}, []byte{hIDR}, []byte{hP}
	for _, c := range []struct {
		nals          [][]byte
		key, complete bool
	}{
		{[][]byte{sps, pps, idr}, true, true},
		{[][]byte{{hAUD}, sps, pps, {hSEI}, idr, idr}, true, true},
		{[][]byte{idr}, true, false},
		{[][]byte{sps, idr, pps}, true, false},
		{[][]byte{sps, pps, p}, false, false},
		{[][]byte{p, {}, nil}, false, false},
		{nil, false, false},
	} {
		if key, complete := IsKey(c.nals), Complete(c.nals); key != c.key || complete != c.complete {
			t.Errorf("%x: key %v, complete %v; want %v, %v", c.nals, key, complete, c.key, c.complete)
		}
	}
}

func TestParseSPS(t *testing.T) {
	for _, c := range []struct {
		name, nal string
		want      SPS
		id        string
	}{
		{"openh264, VGA", "6742c0168c8d40501e900f08846a", SPS{0x42, 0xC0, 0x16, 640, 480}, "42c016"},
		{"x264 baseline", "6742c00cd90141fb0110000003001000000301e0f142a480", SPS{0x42, 0xC0, 12, 320, 240}, "42c00c"},
		{"x264 main", "674d401feca02802dd8088000003000800000300f078c18cb0", SPS{0x4D, 0x40, 31, 1280, 720}, "4d401f"},
		{"x264 high, cropped at the bottom", "67640028acd940780227e5c044000003000400000300783c60c658", SPS{0x64, 0, 40, 1920, 1080}, "640028"},
		{"x264 high, cropped both ways", "67640016acd940a43fe22230110000030001000003001e0f162d96", SPS{0x64, 0, 22, 642, 482}, "640016"},
		{"x264 interlaced", "6764001eacd940b424d8088000000300800000190f8a14cb", SPS{0x64, 0, 30, 720, 576}, "64001e"},
		{"x264 interlaced, cropped", "67640028acd94078044fde0220000003002000000643e2c5b2c0", SPS{0x64, 0, 40, 1920, 1080}, "640028"},
		{"x264 monochrome", "6764001ef3650280bfe27016c80000030008000003019078b16cb0", SPS{0x64, 0, 30, 640, 360}, "64001e"},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := ParseSPS(unhex(t, c.nal))
			if err != nil || got != c.want || got.ProfileLevelID() != c.id {
				t.Errorf("got %+v (%s), %v; want %+v (%s)", got, got.ProfileLevelID(), err, c.want, c.id)
			}
		})
	}
}

// ITU-T H.264 section 7.4.1: a 3 behind two zero bytes was put there.
func TestUnescape(t *testing.T) {
	got := unescape(unhex(t, "0000030000030100000302 0003 03"))
	if want := unhex(t, "00000000010000 02 0003 03"); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

func TestParseSPSRefuses(t *testing.T) {
	for name, nal := range map[string]string{
		"nothing":                "",
		"another type":           "68ce3c80",
		"cut short":              "6742c016",
		"cut in the numbers":     "6742c0168c",
		"numbers without an end": "6742c016 00000000 00000000",
		"4:4:4":                  "67f4001e 91 9b28 1405 f9",
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := ParseSPS(unhex(t, nal)); err == nil {
				t.Errorf("read as %+v", s)
			}
		})
	}
}

// smallKeyUnit is a key frame of two fragments, quick to mutate.
func smallKeyUnit() [][]byte { return [][]byte{nal(hSPS, 16), nal(hPPS, 4), nal(hIDR, 1210)} }

func FuzzDepacketizer(f *testing.F) {
	var p Packetizer
	packets, _ := p.Packets(nil, smallKeyUnit(), 1)
	var whole []byte
	for _, packet := range packets {
		payload := packet[Headroom:]
		whole = append(whole, 0x81, byte(len(payload)>>8), byte(len(payload)))
		whole = append(whole, payload...)
	}
	f.Add(whole)
	f.Add([]byte{0x81, 0, 5, 24, 0, 2, hP, 1, 0x41, 0, 3, 28, 0x85, 1})
	f.Fuzz(func(t *testing.T, script []byte) {
		var d Depacketizer
		var seq uint16
		var ts uint32
		for len(script) >= 3 {
			// Each packet: a byte of steps, two of length, the payload.
			control := script[0]
			n := min(len(script)-3, int(script[1])<<8|int(script[2]))
			seq += uint16(control & 3)
			ts += uint32(control >> 2 & 3)
			_ = d.Packet(seq, ts, control&0x40 != 0, script[3:3+n], func(u AccessUnit) {
				if len(u.NALs) == 0 {
					t.Fatal("empty access unit delivered")
				}
				for _, nal := range u.NALs {
					if len(nal) == 0 {
						t.Fatal("empty NAL unit delivered")
					}
				}
			})
			script = script[3+n:]
		}
	})
}

func FuzzAnnexB(f *testing.F) {
	f.Add(AppendAnnexB(nil, keyUnit()))
	f.Add([]byte{0, 0, 1, 0, 0, 0, 1, 0x41, 0, 0})
	f.Fuzz(func(t *testing.T, stream []byte) {
		nals := SplitAnnexB(nil, stream)
		again := SplitAnnexB(nil, AppendAnnexB(nil, nals))
		if !slices.EqualFunc(nals, again, bytes.Equal) {
			t.Fatalf("%x was read as %x, and then as %x", stream, nals, again)
		}
	})
}

func FuzzParseSPS(f *testing.F) {
	f.Add(unhex(f, "6742c0168c8d40501e900f08846a"))
	f.Add(unhex(f, "6764001eacd940b424d8088000000300800000190f8a14cb"))
	f.Fuzz(func(t *testing.T, nal []byte) {
		s, err := ParseSPS(nal)
		if err == nil && (s.Width <= 0 || s.Height <= 0 || len(s.ProfileLevelID()) != 6) {
			t.Fatalf("%+v", s)
		}
	})
}

// What was split comes back, whatever it is.
func FuzzRoundTrip(f *testing.F) {
	f.Add(AppendAnnexB(nil, smallKeyUnit()))
	f.Fuzz(func(t *testing.T, stream []byte) {
		var nals [][]byte
		for _, n := range SplitAnnexB(nil, stream) {
			if t := Type(n); t >= 1 && t < typeSTAPA && len(n) > 1 {
				nals = append(nals, n)
			}
		}
		if len(nals) == 0 || len(nals) > maxNALs || len(stream) > MaxAccessUnit {
			return
		}
		w := wire{}
		w.play(0, 0, true, []byte{hSPS})
		w.send(1, true, nil, nals...)
		if len(w.errs) != 0 || len(w.units) != 2 || !bytes.Equal(w.units[1], AppendAnnexB(nil, nals)) {
			t.Fatalf("%d units, errors %v", len(w.units), w.errs)
		}
	})
}
