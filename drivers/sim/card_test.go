package sim

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"doorstation/drivers"
)

// spoken is a frame whose first sample is n.
func spoken(n int16) []byte {
	var samples [drivers.FrameSamples]int16
	samples[0] = n
	return pack(nil, samples[:])
}

func first(frame [frameBytes]byte) int16 {
	var samples [drivers.FrameSamples]int16
	unpack(samples[:], frame[:])
	return samples[0]
}

func TestMicrophone(t *testing.T) {
	for _, c := range []struct {
		name string
		says []int // frames said before each tick
		want []int16
	}{
		{"silence", []int{0, 0}, []int16{0, 0}},
		{"speech begins with two frames", []int{1, 1, 1, 0, 0}, []int16{0, 1, 2, 3, 0}},
		{"a single frame is heard a little later", []int{1, 0, 0, 0}, []int16{0, 0, 1, 0}},
		{"a late frame makes no gap", []int{2, 0, 2, 0, 0}, []int16{1, 2, 3, 4, 0}},
		{"of too many the oldest are lost", []int{micQueue + 3}, []int16{4}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card, n := newCard(0), int16(0)
			for i, says := range c.says {
				for range says {
					n++
					card.say(spoken(n))
				}
				frame, ok := card.tick()
				card.play(spoken(0))
				if got := first(frame); got != c.want[i] || !ok {
					t.Errorf("tick %d: heard %d, %v, want %d", i, got, ok, c.want[i])
				}
			}
		})
	}
}

func TestStoppedPanelLosesFrames(t *testing.T) {
	card := newCard(0)
	for i := range 2 * maxUnanswered {
		if _, ok := card.tick(); ok != (i < maxUnanswered) {
			t.Fatalf("tick %d: sent %v", i, ok)
		}
	}
	card.play(spoken(0))
	if _, ok := card.tick(); !ok {
		t.Error("a panel that takes frames again gets none")
	}
}

func TestSlowListenerLosesItsOwn(t *testing.T) {
	card := newCard(0)
	slow, quick := card.listen(), card.listen()
	heard := 0
	for i := range 2 * listenQueue {
		card.play(spoken(int16(i)))
		if first(<-quick) == int16(i) {
			heard++
		}
	}
	if heard != 2*listenQueue || len(slow) != listenQueue || first(<-slow) != 0 {
		t.Errorf("quick one heard %d, slow one has %d", heard, len(slow))
	}
}

func TestRoomNoise(t *testing.T) {
	r := room{peak: 20, state: 1}
	var samples [drivers.FrameSamples]int16
	frame := r.frame()
	unpack(samples[:], frame[:])
	different := map[int16]bool{}
	for _, s := range samples {
		if s < -20 || s > 20 {
			t.Fatalf("sample %d is over the peak", s)
		}
		different[s] = true
	}
	if len(different) < 10 {
		t.Errorf("only %d different samples", len(different))
	}
}

// BenchmarkCardClock shows how evenly the card's frames reach the panel.
func BenchmarkCardClock(b *testing.B) {
	path := serve(b)
	p, err := Dial(path)
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	ticks, end := make(chan time.Duration, 100), make(chan error, 1)
	go func() { end <- p.Sound().Run(ctx, func(_, _ []int16) { ticks <- monotonic() }) }()
	var off []time.Duration
	for last := <-ticks; b.Loop(); {
		now := <-ticks
		off = append(off, (now - last - drivers.FrameTime).Abs())
		last = now
	}
	stop()
	if err := <-end; !errors.Is(err, context.Canceled) {
		b.Error(err)
	}
	slices.Sort(off)
	b.ReportMetric(float64(off[len(off)/2].Microseconds())/1000, "median_off_ms")
	b.ReportMetric(float64(off[(len(off)-1)*99/100].Microseconds())/1000, "p99_off_ms")
}
