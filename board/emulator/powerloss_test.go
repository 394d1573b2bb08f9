package emulator

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"
)

// logged is a log of requests, as QEMU writes it.
func logged(entries ...logEntry) []byte {
	sector := func(words ...uint64) []byte {
		b := make([]byte, logSector)
		for i, w := range words {
			binary.LittleEndian.PutUint64(b[8*i:], w)
		}
		return b
	}
	out := sector(logMagic, 1, uint64(len(entries)), logSector)
	for _, e := range entries {
		out = append(out, sector(uint64(e.at)/logSector, uint64(len(e.data))/logSector, e.flags)...)
		out = append(out, e.data...)
	}
	return out
}

// at is a write of one sector of c to sector n.
func at(n int64, c byte, flags uint64) logEntry {
	return logEntry{flags: flags, at: n * logSector, data: bytes.Repeat([]byte{c}, logSector)}
}

func TestReplay(t *testing.T) {
	flush := logEntry{flags: logFlush}
	for name, c := range map[string]struct {
		log  []logEntry
		keep bool
		want string // a letter a sector
		loss Loss
	}{
		"nothing":                {nil, false, "----", Loss{}},
		"flushed":                {[]logEntry{at(0, 'a', 0), at(2, 'b', 0), flush}, false, "a-b-", Loss{}},
		"not flushed":            {[]logEntry{at(0, 'a', 0), flush, at(1, 'b', 0), at(0, 'c', 0)}, false, "a---", Loss{2, 2}},
		"not flushed, kept":      {[]logEntry{at(0, 'a', 0), flush, at(1, 'b', 0), at(0, 'c', 0)}, true, "cb--", Loss{2, 0}},
		"forced":                 {[]logEntry{at(3, 'a', logForced), at(1, 'b', 0)}, false, "---a", Loss{1, 1}},
		"flush that also writes": {[]logEntry{at(1, 'b', 0), at(3, 'a', logFlush)}, false, "-b-a", Loss{}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "image")
			must(t, os.WriteFile(path, bytes.Repeat([]byte{'-'}, 4*logSector), 0o600))
			image, err := os.OpenFile(path, os.O_RDWR, 0)
			must(t, err)
			loss, err := replay(readLog(bytes.NewReader(logged(c.log...))), image, func() bool { return c.keep })
			must(t, err)
			must(t, image.Close())
			raw, err := os.ReadFile(path)
			must(t, err)
			var got []byte
			for n := range 4 {
				got = append(got, raw[n*logSector+100])
			}
			if string(got) != c.want || loss != c.loss {
				t.Errorf("the disk has %s, %+v; want %s, %+v", got, loss, c.want, c.loss)
			}
		})
	}
}

// A log that ends anywhere gives whole entries, in their order.
func FuzzReadLog(f *testing.F) {
	whole := logged(at(0, 'a', 0), logEntry{flags: logFlush}, at(1, 'b', logForced))
	for _, n := range []int{0, 511, 512, 1024, 1500, len(whole) - 1, len(whole)} {
		f.Add(whole[:n])
	}
	f.Add(append(whole[:len(whole):len(whole)], make([]byte, 4*logSector)...)) // sparse behind its end
	f.Fuzz(func(t *testing.T, raw []byte) {
		entries := readLog(bytes.NewReader(raw))
		size := logSector
		for _, e := range entries {
			size += logSector + len(e.data)
		}
		if len(entries) > 0 && size > len(raw) {
			t.Errorf("%d entries of %d bytes in %d", len(entries), size, len(raw))
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
