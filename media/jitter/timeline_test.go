package jitter

import (
	"math/rand/v2"
	"testing"
	"time"
)

// hearAll pulls frames at now and after, and counts those with sound.
func hearAll(b *Buffer, now time.Duration, frames int) (heard int) {
	frame := make([]int16, packet)
	for i := range frames {
		if b.Pull(now+time.Duration(i)*20*ms, frame) {
			heard++
		}
	}
	return heard
}

func TestNothingCame(t *testing.T) {
	b := New(Params{Min: 20 * ms, Max: 120 * ms})
	frame := []int16{1, 2, 3}
	if b.Pull(time.Hour, frame) || frame[0] != 0 || frame[2] != 0 {
		t.Error("something is heard of nothing")
	}
	if b.Concealed() != 0 {
		t.Error("nothing was concealed with something")
	}
}

// A stream that ends fades out within 60 ms and is then silent.
func TestStreamEnds(t *testing.T) {
	n := start(t, 1)
	steady := func(int) time.Duration { return 10 * ms }
	n.run(20, 0, steady)
	if heard := hearAll(n.b, 30*20*ms, 100); heard != 0 {
		t.Errorf("%d frames of an ended stream", heard)
	}
	if got := n.b.Concealed(); got > 4 {
		t.Errorf("%d frames invented", got)
	}
}

// What is invented goes on where the sound stopped, and becomes quieter.
func TestConcealmentFades(t *testing.T) {
	var c concealer
	for _, x := range voice(0) {
		c.good(x)
	}
	previous := voice(0)[packet-1]
	loudest := [3]int{}
	for i := range fade {
		x := c.missing()
		if step := int(x) - int(previous); step < -2600 || step > 2600 {
			t.Fatalf("a click of %d at sample %d", step, i)
		}
		previous = x
		loudest[i/packet] = max(loudest[i/packet], int(x))
	}
	if loudest[0] < 6000 || loudest[1] > 5600 || loudest[2] > 2900 || c.missing() != 0 || c.audible() {
		t.Errorf("loudest %v in each 20 ms, then %d", loudest, c.missing())
	}
}

// Far ends change their clocks: after a transfer, from hold, or after silence.
func TestTimelines(t *testing.T) {
	const begun = 100 * 20 * ms // after the first hundred packets
	for name, tt := range map[string]struct {
		ssrc     uint32
		ts       uint32 // of the first packet after the change
		pause    time.Duration
		missable int // frames that may be missed
	}{
		"another source":                  {2, 999, 0, 2},
		"another source, numbers nearby":  {2, 100*packet - 3000, 0, 2},
		"timestamps jump ahead":           {1, 100*packet + 1<<20, 0, 3},
		"timestamps jump back":            {1, 7, 0, 3},
		"silence, timestamps went on":     {1, 100*packet + 5*Rate, 5 * time.Second, 2},
		"silence, timestamps stood still": {1, 100 * packet, 5 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			n := start(t, 0)
			steady := func(int) time.Duration { return 10 * ms }
			frame := make([]int16, packet)
			for i := range 100 {
				now := time.Duration(i) * 20 * ms
				n.b.Push(now+steady(i), 1, uint32(i*packet), voice(i))
				n.b.Pull(now+15*ms, frame)
			}
			if tt.pause > 0 {
				hearAll(n.b, begun, int(tt.pause/(20*ms)))
			}
			heard := 0
			for i := range 50 {
				now := begun + tt.pause + time.Duration(i)*20*ms
				n.b.Push(now+10*ms, tt.ssrc, tt.ts+uint32(i*packet), voice(i))
				if n.b.Pull(now+15*ms, frame) {
					heard++
				}
			}
			if heard < 50-tt.missable {
				t.Errorf("heard %d frames of 50", heard)
			}
		})
	}
}

// A lone packet from nowhere does not disturb the timeline.
func TestStrayPacket(t *testing.T) {
	n := start(t, 0)
	frame := make([]int16, packet)
	heard := 0
	for i := range 100 {
		now := time.Duration(i) * 20 * ms
		n.b.Push(now+10*ms, 1, uint32(i*packet), voice(i))
		if i%20 == 10 {
			n.b.Push(now+11*ms, 1, rand.Uint32()|1<<30, voice(i))
		}
		if n.b.Pull(now+15*ms, frame) {
			heard++
		}
	}
	if heard < 98 || n.b.Concealed() > 2 {
		t.Errorf("heard %d of 100, %d concealed", heard, n.b.Concealed())
	}
}

// The far end's crystal is off by 300 ppm: for ten minutes nothing is lost,
// and the wait stays short.
func TestDrift(t *testing.T) {
	for name, ppm := range map[string]int{"fast": 300, "slow": -300} {
		t.Run(name, func(t *testing.T) {
			b := New(Params{Min: 20 * ms, Max: 120 * ms})
			frame := make([]int16, packet)
			step := 20 * time.Millisecond * time.Duration(1_000_000-ppm) / 1_000_000
			sent, longest := 0, int64(0)
			for i := range 30_000 {
				now := time.Duration(i) * 20 * ms
				for time.Duration(sent)*step <= now {
					b.Push(time.Duration(sent)*step, 1, uint32(sent*packet), voice(sent))
					sent++
				}
				b.Pull(now+5*ms, frame)
				longest = max(longest, b.end-b.play)
			}
			if longest > 3*packet {
				t.Errorf("up to %d samples wait", longest)
			}
			if b.Concealed() > 60 {
				t.Errorf("%d frames concealed", b.Concealed())
			}
			t.Logf("concealed %d, late %d, delay %v", b.Concealed(), b.Late(), b.Delay())
		})
	}
}

// Nobody listens for a minute, then somebody does: what is heard is of now.
func TestLateListener(t *testing.T) {
	b := New(Params{Min: 20 * ms, Max: 120 * ms})
	for i := range 3000 {
		b.Push(time.Duration(i)*20*ms, 1, uint32(i*packet), voice(i))
	}
	frame := make([]int16, packet)
	if !b.Pull(3000*20*ms, frame) {
		t.Fatal("nothing is heard")
	}
	if waits := b.end - b.play; waits > 3*packet {
		t.Errorf("%d samples wait behind what is heard", waits)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	b := New(Params{Min: 20 * ms, Max: 120 * ms})
	frame, pcm := make([]int16, packet), voice(0)
	i := 0
	if n := testing.AllocsPerRun(100, func() {
		b.Push(time.Duration(i)*20*ms, 1, uint32(i*packet), pcm)
		b.Pull(time.Duration(i)*20*ms, frame)
		i++
	}); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

// FuzzBuffer holds the buffer to its bounds whatever comes: it never waits
// longer than it may, and never plays beyond what it was given plus a fade.
func FuzzBuffer(f *testing.F) {
	f.Add([]byte{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	f.Add([]byte{0, 0, 1, 160, 20, 255, 255, 255, 255, 0, 80, 80})
	f.Fuzz(func(t *testing.T, script []byte) {
		b := New(Params{Min: 20 * ms, Max: 120 * ms})
		var now time.Duration
		var ts uint32
		given, heard := 0, 0
		frame := make([]int16, packet)
		for len(script) >= 3 {
			op, arg, size := script[0], script[1], int(script[2])
			script = script[3:]
			now += time.Duration(op>>4) * 5 * ms
			switch op % 4 {
			case 0:
				ts += uint32(arg) * 8
				b.Push(now, uint32(op>>6), ts, make([]int16, size))
				given++
			case 1:
				ts -= uint32(arg) << 12
				b.Push(now, uint32(op>>6), ts, make([]int16, size*20))
				given++
			default:
				if b.Pull(now, frame[:min(size, packet)]) {
					heard++
				}
			}
			if d := b.Delay(); d < 20*ms || d > 120*ms {
				t.Fatalf("waits %v", d)
			}
		}
		if given == 0 && heard > 0 {
			t.Fatal("heard something of nothing")
		}
	})
}
