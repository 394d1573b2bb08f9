package session

import (
	"net/netip"
	"testing"
	"time"
)

func TestSourceGate(t *testing.T) {
	const (
		exact  = "192.0.2.1:4000"
		mapped = "192.0.2.1:61234" // the same address behind a NAT that changes ports
		third  = "192.0.2.1:5000"
		alien  = "198.51.100.9:4000"
		former = "192.0.2.1:4400"
	)
	type step struct {
		from string
		want bool
	}
	for name, steps := range map[string][]step{
		"the described source":                 {{exact, true}, {exact, true}},
		"another address, first":               {{alien, false}, {alien, false}, {exact, true}},
		"another port is latched":              {{mapped, true}, {mapped, true}},
		"and only one":                         {{mapped, true}, {third, false}, {mapped, true}},
		"the described source always gets in":  {{mapped, true}, {exact, true}},
		"and ends the latch for good":          {{mapped, true}, {exact, true}, {mapped, false}, {exact, true}},
		"no latch beside the described one":    {{exact, true}, {mapped, false}},
		"the far end of before is not latched": {{former, false}, {mapped, true}},
	} {
		t.Run(name, func(t *testing.T) {
			g := sourceGate{described: netip.MustParseAddrPort(exact), former: netip.MustParseAddrPort(former)}
			for i, s := range steps {
				if got := g.admit(netip.MustParseAddrPort(s.from)); got != s.want {
					t.Fatalf("step %d, %s: admitted %v", i, s.from, got)
				}
			}
		})
	}
	var unset sourceGate // hold by 0.0.0.0: nobody is described
	if unset.admit(netip.MustParseAddrPort(exact)) {
		t.Error("a gate without a far end admits somebody")
	}
}

func TestSSRCGate(t *testing.T) {
	type step struct {
		after time.Duration
		ssrc  uint32
		want  bool
	}
	for name, tt := range map[string]struct {
		proof int
		steps []step
	}{
		"the first at once":               {2, []step{{0, 1, true}, {0, 1, true}}},
		"another needs two in a row":      {2, []step{{0, 1, true}, {0, 2, false}, {0, 2, true}, {0, 1, false}}},
		"a lone stray changes nothing":    {2, []step{{0, 1, true}, {0, 2, false}, {0, 1, true}, {0, 2, false}, {0, 1, true}}},
		"two strays are not one source":   {2, []step{{0, 1, true}, {0, 2, false}, {0, 3, false}, {0, 1, true}}},
		"events take another one at once": {1, []step{{0, 1, true}, {0, 2, true}, {0, 1, true}}},
		"not for ever": {1, []step{{0, 1, true}, {0, 2, true}, {0, 3, true}, {0, 4, true}, {0, 5, true},
			{0, 6, false}, {0, 5, true}, {time.Second, 6, false}, {time.Second, 6, true}}},
	} {
		t.Run(name, func(t *testing.T) {
			g := newSSRCGate(tt.proof)
			var now time.Duration
			for i, s := range tt.steps {
				now += s.after
				if got, _ := g.admit(now, s.ssrc); got != s.want {
					t.Fatalf("step %d, SSRC %d: admitted %v", i, s.ssrc, got)
				}
			}
		})
	}
}

func TestReception(t *testing.T) {
	r := reception{clock: 8000}
	r.start(9, 65534)
	for i, seq := range []uint16{65534, 65535, 1, 2, 3, 0} { // 0 comes late
		if !r.sequence(seq) {
			t.Fatalf("packet %d refused", i)
		}
		r.measure(time.Duration(i)*20*time.Millisecond, uint32(i*160))
	}
	if r.lost() != 0 || r.highest != 1<<16+3 || r.jitter != 0 {
		t.Errorf("lost %d, highest %d, jitter %d", r.lost(), r.highest, r.jitter)
	}
	if !r.sequence(13) { // nine are missing
		t.Fatal("a gap refused")
	}
	if b := r.block(0); b.TotalLost != 9 || b.FractionLost != 9*256/16 {
		t.Errorf("report %+v", b)
	}
	if r.sequence(40000) {
		t.Error("a jump was believed at once")
	}
	if !r.sequence(40001) || r.lost() != 0 {
		t.Error("a sender that began anew was not followed (RFC 3550 appendix A.1)")
	}
}

func TestReportDelaySinceSenderReport(t *testing.T) {
	r := reception{clock: 8000}
	r.start(9, 1)
	r.senderReport(time.Second, 0x1122334455667788)
	b := r.block(3 * time.Second)
	if b.LastSenderReport != 0x33445566 || b.Delay != 2*65536 {
		t.Errorf("LSR %x, DLSR %d", b.LastSenderReport, b.Delay)
	}
}

// RFC 3550 section 6.3.1 with two members: at least five seconds between
// packets, half of it before the first, each time 0.5 to 1.5 of it, less what
// reconsideration adds.
func TestCadence(t *testing.T) {
	c := newCadence(80)
	half := float64(minInterval) / 2
	for random, want := range map[float64]float64{0: 0.5, 0.5: 1, 0.999: 1.499} {
		if got := c.next(random).Seconds(); got < want*half/compensation/1e9-0.01 || got > want*half/compensation/1e9+0.01 {
			t.Errorf("first interval with %v: %v s", random, got)
		}
	}
	if send, due := c.expired(2*time.Second, time.Second, 0.5); send || due <= 2*time.Second {
		t.Errorf("reconsidered: send %v, due %v", send, due)
	}
	if send, _ := c.expired(10*time.Second, time.Second, 0.5); !send || !c.sentOne {
		t.Error("not sent when due")
	}
	for range 1000 {
		c.passed(40000) // a flood of large packets slows us down
	}
	if got := c.next(0.5); got < 2*minInterval {
		t.Errorf("interval with large packets: %v", got)
	}
}
