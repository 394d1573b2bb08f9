package jitter

import (
	"math"
	"testing"
	"time"
)

const ms = time.Millisecond

// network is a far end with a steady clock and a network that delays.
type network struct {
	t    *testing.T
	b    *Buffer
	ts   uint32
	ssrc uint32
	sent int
}

func start(t *testing.T, ts uint32) *network {
	return &network{t: t, b: New(Params{Min: 20 * ms, Max: 120 * ms}), ts: ts, ssrc: 1}
}

// voice is packet i of a 400 Hz tone, continuous from one packet to the next.
func voice(i int) []int16 {
	pcm := make([]int16, packet)
	for k := range pcm {
		pcm[k] = int16(8000 * math.Sin(2*math.Pi*400*float64(i*packet+k)/Rate))
	}
	return pcm
}

// An outcome is what a listener got of a run.
type outcome struct {
	heard, silent int
	jumpiest      int // the greatest step between two neighbouring samples
	first         time.Duration
}

// run sends count packets, each delayed (negative: lost), and listens every
// 20 ms at phase.
func (n *network) run(count int, phase time.Duration, delay func(i int) time.Duration) outcome {
	type arrival struct {
		at time.Duration
		i  int
	}
	var due []arrival
	for i := range count {
		if d := delay(i); d >= 0 {
			due = append(due, arrival{time.Duration(i)*20*ms + d, i})
		}
	}
	out := outcome{first: -1}
	var previous int16
	frame := make([]int16, packet)
	for k := range count + 10 {
		now := time.Duration(k)*20*ms + phase
		for j := 0; j < len(due); j++ {
			if a := due[j]; a.at <= now {
				n.b.Push(a.at, n.ssrc, n.ts+uint32(a.i*packet), voice(a.i))
				due = append(due[:j], due[j+1:]...)
				j--
			}
		}
		if !n.b.Pull(now, frame) {
			out.silent++
			previous = 0
			continue
		}
		if out.heard++; out.first < 0 {
			out.first = now
		}
		for _, x := range frame {
			out.jumpiest = max(out.jumpiest, int(math.Abs(float64(x)-float64(previous))))
			previous = x
		}
	}
	n.sent += count
	return out
}

func TestPlayout(t *testing.T) {
	steady := func(int) time.Duration { return 30 * ms }
	tests := []struct {
		name      string
		phase     time.Duration
		ts        uint32
		delay     func(i int) time.Duration
		concealed uint64 // at most
		atLeast   uint64
		delayMost time.Duration
		late      uint64
	}{
		{"steady", 5 * ms, 0, steady, 1, 0, 20 * ms, 0},
		{"steady, pulled between", 19 * ms, 12345, steady, 1, 0, 20 * ms, 0},
		{"timestamp wraps", 5 * ms, math.MaxUint32 - 50*packet, steady, 1, 0, 20 * ms, 0},
		{"one lost in ten", 5 * ms, 7, func(i int) time.Duration {
			if i%10 == 5 {
				return -1
			}
			return 30 * ms
		}, 42, 19, 20 * ms, 0},
		{"pairs swapped", 5 * ms, 7, func(i int) time.Duration {
			if i%2 == 0 {
				return 52 * ms
			}
			return 30 * ms
		}, 3, 0, 45 * ms, 1},
		{"jitter of 40 ms", 5 * ms, 7, func(i int) time.Duration {
			return 30*ms + time.Duration(i*i%41)*ms
		}, 6, 0, 60 * ms, 4},
		{"far end's delay grows by 60 ms at once", 5 * ms, 7, func(i int) time.Duration {
			if i > 100 {
				return 90 * ms
			}
			return 30 * ms
		}, 5, 1, 80 * ms, 4},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := start(t, tt.ts)
			out := n.run(200, tt.phase, tt.delay)
			if got := n.b.Concealed(); got > tt.concealed+3 || got < tt.atLeast { // three fade out at the end
				t.Errorf("concealed %d frames, want %d to %d", got, tt.atLeast, tt.concealed+3)
			}
			if got := n.b.Late(); got > tt.late {
				t.Errorf("%d packets late, want at most %d", got, tt.late)
			}
			if got := n.b.Delay(); got > tt.delayMost {
				t.Errorf("waits %v, want at most %v", got, tt.delayMost)
			}
			if out.heard < 195 {
				t.Errorf("heard %d frames of 200", out.heard)
			}
			// A 400 Hz tone at this level steps by 2500 at most on its own.
			if out.jumpiest > 4500 {
				t.Errorf("a click: two neighbours differ by %d", out.jumpiest)
			}
			t.Logf("%+v concealed %d late %d delay %v", out, n.b.Concealed(), n.b.Late(), n.b.Delay())
		})
	}
}
