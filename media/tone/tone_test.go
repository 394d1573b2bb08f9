package tone

import (
	"math"
	"testing"
	"time"
)

func TestPower(t *testing.T) {
	full := Sine(1000, 1, time.Second)
	for freq, want := range map[float64]float64{1000: 1, 1100: 0, 400: 0, 3000: 0} {
		if got := Power(full, freq); math.Abs(got-want) > 0.03 {
			t.Errorf("full-scale 1000 Hz has %.3f of %v Hz, want %v", got, freq, want)
		}
	}
	if got := Power(Sine(1000, 0.5, time.Second), 1000); math.Abs(got-0.25) > 0.01 {
		t.Errorf("half the level has power %.3f, want 0.25", got)
	}
	if Power(nil, 1000) != 0 {
		t.Error("nothing has power")
	}
}

// The fundamental that makes each signal what it is.
func TestSignals(t *testing.T) {
	for name, freq := range map[string]float64{
		"ringback": 425, "busy": 425, "refused": 480, "no-answer": 425, "unreachable": 1400,
		"not-configured": 300, "warning": 1400, "ended": 425, "code-accepted": 1175,
		"code-rejected": 247, "door-open": 1175, "door-failed": 277, "incoming": 990,
	} {
		clip, _, ok := For(name)
		if !ok {
			t.Errorf("%s has no sound", name)
			continue
		}
		if p, other := strongest(clip, freq), strongest(clip, 610); p < 0.005 || p < 3*other {
			t.Errorf("%s: %.4f of %v Hz, %.4f of 610 Hz", name, p, freq, other)
		}
	}
	if _, loop, _ := For("ringback"); !loop {
		t.Error("ringback does not repeat")
	}
	if clip, _, ok := For("none"); !ok || clip != nil {
		t.Error("none is not silent")
	}
	if _, _, ok := For("no such signal"); ok {
		t.Error("an unknown name has a sound")
	}
}

// strongest is the most of a frequency in any 100 ms.
func strongest(clip Clip, freq float64) (most float64) {
	for at := 0; at+Rate/10 <= len(clip); at += Rate / 50 {
		most = max(most, Power(clip[at:at+Rate/10], freq))
	}
	return most
}

// No clip is too loud, too long, or clicks: it begins and ends in silence.
func TestClipsAreKind(t *testing.T) {
	for _, name := range Names() {
		clip, loop, _ := For(name)
		if len(clip) == 0 {
			continue
		}
		if clip[0] != 0 || abs(clip[len(clip)-1]) > 200 {
			t.Errorf("%s begins with %d and ends with %d", name, clip[0], clip[len(clip)-1])
		}
		if d := clip.Duration(); !loop && (d < 100*time.Millisecond || d > 4*time.Second) {
			t.Errorf("%s lasts %v", name, d)
		}
		loudest := 0
		for _, x := range clip {
			loudest = max(loudest, abs(x))
		}
		if loudest < math.MaxInt16/10 || loudest > math.MaxInt16/2 {
			t.Errorf("%s peaks at %d", name, loudest)
		}
	}
}

func abs(x int16) int { return max(int(x), -int(x)) }

func TestClipsDiffer(t *testing.T) {
	seen := map[string]string{}
	for _, name := range Names() {
		clip, _, _ := For(name)
		key := string(spectrum(clip))
		if other, ok := seen[key]; ok {
			t.Errorf("%s sounds like %s", name, other)
		}
		seen[key] = name
	}
}

// spectrum is when something sounds, and about how high, in steps of 50 ms.
func spectrum(clip Clip) []byte {
	const step = Rate / 20
	var out []byte
	for at := 0; at+step <= len(clip); at += step {
		best, most := byte(0), 0.002
		for i := range byte(36) {
			if p := Power(clip[at:at+step], 200+50*float64(i)); p > most {
				best, most = i+1, p
			}
		}
		out = append(out, best)
	}
	return out
}

// A clip is computed while a call goes on: nothing but its samples may be
// allocated with it, beside the parts and their partials.
func TestClipCostsItsSamples(t *testing.T) {
	for _, name := range Names() {
		clip, _, _ := For(name)
		if n := testing.AllocsPerRun(5, func() { For(name) }); n > 20 {
			t.Errorf("%s of %d samples takes %v allocations", name, len(clip), n)
		}
		if cap(clip) > len(clip)+len(clip)/8 {
			t.Errorf("%s of %d samples holds room for %d", name, len(clip), cap(clip))
		}
	}
}

func BenchmarkFor(b *testing.B) {
	for _, name := range []string{"ringback", "door-open"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				For(name)
			}
		})
	}
}
