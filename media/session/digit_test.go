package session

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// event is one telephone-event packet (RFC 4733 section 2.3).
func (p *phone) event(pt uint8, ts uint32, code uint8, end bool, units uint16) []byte {
	payload := []byte{code, 10, 0, 0}
	if end {
		payload[1] |= 0x80
	}
	binary.BigEndian.PutUint16(payload[2:], units)
	h := rtp.Header{Version: 2, PayloadType: pt, Marker: units == 160, SequenceNumber: p.seq, Timestamp: ts, SSRC: p.ssrc}
	p.seq++
	raw, err := (&rtp.Packet{Header: h, Payload: payload}).Marshal()
	if err != nil {
		p.t.Fatal(err)
	}
	return raw
}

// press is the packets of a key: five reports and the end three times.
func (p *phone) press(pt uint8, ts uint32, code uint8) [][]byte {
	var out [][]byte
	for i := range uint16(5) {
		out = append(out, p.event(pt, ts, code, false, 160*(i+1)))
	}
	for range 3 {
		out = append(out, p.event(pt, ts, code, true, 960))
	}
	return out
}

func TestDigits(t *testing.T) {
	pick := func(all [][]byte, which ...int) (out [][]byte) {
		for _, i := range which {
			out = append(out, all[i])
		}
		return out
	}
	for _, tt := range []struct {
		name string
		send func(p *phone) [][]byte
		want string
	}{
		{"whole", func(p *phone) [][]byte { return p.press(101, 1000, 5) }, "5"},
		{"the first packet is enough", func(p *phone) [][]byte { return pick(p.press(101, 1000, 5), 0) }, "5"},
		{"all lost but the last", func(p *phone) [][]byte { return pick(p.press(101, 1000, 11), 7) }, "#"},
		{"each packet three times", func(p *phone) [][]byte {
			a := p.press(101, 1000, 5)
			return pick(a, 0, 0, 0, 1, 1, 1, 2, 2, 2, 7, 7, 7)
		}, "5"},
		{"order upset", func(p *phone) [][]byte { return pick(p.press(101, 1000, 5), 2, 0, 1, 6, 3, 5, 4, 7) }, "5"},
		{"the same key twice", func(p *phone) [][]byte {
			return append(p.press(101, 1000, 5), p.press(101, 3000, 5)...)
		}, "55"},
		{"a number of the sender's own", func(p *phone) [][]byte { return p.press(96, 1000, 10) }, "*"},
		{"and another source beside the sound", func(p *phone) [][]byte {
			sound := p.rtp(0, make([]byte, 160))
			p.ssrc++
			return append([][]byte{sound}, p.press(96, 1000, 1)...)
		}, "1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := newPhone(t)
			s, d := call(t, p, nil)
			for i, raw := range tt.send(p) {
				s.audio.take(time.Duration(i)*20*time.Millisecond, raw, p.audio.place())
			}
			var got []byte
			for len(d) > 0 {
				if e, ok := (<-d).(Digit); ok {
					got = append(got, e.Key)
				}
			}
			if string(got) != tt.want {
				t.Errorf("digits %q, want %q", got, tt.want)
			}
		})
	}
}

func TestDigitOverTheSocket(t *testing.T) {
	p := newPhone(t)
	_, d := call(t, p, nil)
	p.audio.write(p.event(101, 1000, 7, false, 160), p.leg.Audio.RTP)
	if e := next[Digit](t, d); e.Key != '7' || e.At.IsZero() {
		t.Errorf("%+v", e)
	}
}

// Nobody else's key counts: neither another address nor another port of the
// same one once the far end has spoken; nor does a key before the answer.
func TestStrangersPressNoKeys(t *testing.T) {
	p := newPhone(t)
	s, d := openLeg(t, nil)
	stranger, neighbour := listen(t, "127.0.0.2"), listen(t, "127.0.0.1")
	answer := p.answer(s.Offer())
	to := p.leg.Audio.RTP

	stranger.write(p.event(101, 500, 1, false, 160), to)
	p.audio.write(p.event(101, 600, 2, false, 160), to)
	waitFor(t, func() bool { return s.Stats().Audio.Strangers == 2 })
	if err := s.Apply(answer); err != nil {
		t.Fatal(err)
	}
	stranger.write(p.event(101, 1000, 3, false, 160), to)
	p.audio.write(p.event(101, 2000, 9, false, 160), to)
	neighbour.write(p.event(101, 3000, 4, false, 160), to)
	p.audio.write(p.event(101, 4000, 8, false, 160), to)
	if e := next[Digit](t, d); e.Key != '9' {
		t.Errorf("a stranger's key %q", e.Key)
	}
	if e := next[Digit](t, d); e.Key != '8' {
		t.Errorf("a neighbour's key %q", e.Key)
	}
	if got := s.Stats().Audio.Strangers; got != 4 {
		t.Errorf("%d strangers counted, want 4", got)
	}
}

// waitFor polls what a goroutine is about to do.
func waitFor(t *testing.T, done func() bool) {
	t.Helper()
	ticker := time.NewTicker(time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(patienceOfTests); !done(); {
		if <-ticker.C; time.Now().After(deadline) {
			t.Fatal("it did not come to pass")
		}
	}
}
