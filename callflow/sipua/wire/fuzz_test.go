package wire

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func addTorture(f *testing.F) {
	f.Helper()
	files, err := filepath.Glob("../testdata/rfc*/*.dat")
	if err != nil || len(files) == 0 {
		f.Fatalf("no messages: %v", err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
}

// FuzzParse: the plain form is its own plain form, and no answer can carry more
// lines than it should.
func FuzzParse(f *testing.F) {
	addTorture(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := Parse(b)
		var fault *Fault
		if errors.As(err, &fault) {
			a := fault.Answer("tag", "192.0.2.1", 5060)
			head, rest, _ := bytes.Cut(a, []byte("\r\n\r\n"))
			if len(rest) > 0 || bytes.ContainsAny(bytes.ReplaceAll(head, []byte("\r\n"), nil), "\r\n") {
				t.Fatalf("the answer breaks its lines: %q", a)
			}
			return
		}
		plain := m.Bytes()
		again, err := Parse(plain)
		if err != nil {
			t.Fatalf("%v\n%q\nof\n%q", err, plain, b)
		}
		if got := again.Bytes(); !bytes.Equal(got, plain) {
			t.Fatalf("%q\nthen\n%q", plain, got)
		}
	})
}

// FuzzFramer: how a stream is cut into pieces does not change its frames.
func FuzzFramer(f *testing.F) {
	f.Add([]byte("\r\n\r\nOPTIONS sip:a@b SIP/2.0\r\nl: 3\r\n\r\nabc\r\n"), uint8(1))
	f.Add([]byte("A\r\nl:0\r\n\r\nB\r\nContent-Length : 1\r\n\r\nxC"), uint8(5))
	f.Add([]byte("A\r\nl:0\r\nl:0\r\n\r\n"), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		whole, wholeErr := cut(b, max(1, len(b)))
		pieces, err := cut(b, int(size)+1)
		if !errors.Is(err, wholeErr) || len(whole) != len(pieces) {
			t.Fatalf("%d frames, %v; in pieces %d, %v", len(whole), wholeErr, len(pieces), err)
		}
		for i := range whole {
			if !bytes.Equal(whole[i].Message, pieces[i].Message) && !whole[i].Lost || whole[i].Ping != pieces[i].Ping {
				t.Fatalf("frame %d: %q, in pieces %q", i, whole[i].Message, pieces[i].Message)
			}
		}
	})
}

func cut(b []byte, size int) (all []Frame, err error) {
	var f Framer
	for len(b) > 0 && err == nil {
		n := min(size, len(b))
		err = f.Feed(b[:n], func(f Frame) {
			f.Message = bytes.Clone(f.Message)
			all = append(all, f)
		})
		b = b[n:]
	}
	return all, err
}
