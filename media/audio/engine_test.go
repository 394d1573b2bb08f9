package audio

import (
	"math"
	"sync"
	"testing"
	"time"

	"doorstation/media/tone"
)

// A rig drives an engine from both of its clocks.
type rig struct {
	e       *Engine
	mic     tone.Clip
	at      int
	speaker []int16 // all that was played
	up      []int16 // all that was sent
}

func newRig() *rig {
	return &rig{e: New(), mic: tone.Sine(400, 0.5, 60*time.Second)[200:]}
}

// record is one tick of the sound device.
func (r *rig) record() {
	out := make([]int16, frame)
	r.e.Exchange(r.mic[r.at:r.at+frame], out)
	r.at += frame
	r.speaker = append(r.speaker, out...)
}

// send is one tick of the sender.
func (r *rig) send() {
	out := make([]int16, frame)
	r.e.Uplink(out)
	r.up = append(r.up, out...)
}

func TestMicrophoneReachesTheUplink(t *testing.T) {
	r := newRig()
	for range 100 {
		r.record()
		r.send()
	}
	if p := tone.Power(r.up[frame:], 400); p < 0.2 {
		t.Errorf("%.3f of the microphone's tone in the uplink", p)
	}
	if p := tone.Power(r.speaker, 400); p != 0 {
		t.Errorf("the speaker plays the microphone: %.3f", p)
	}
}

func TestNothingOldIsSent(t *testing.T) {
	e := New()
	mic := make([]int16, frame)
	newest := int16(0)
	for range 50 {
		for i := range mic {
			newest++
			mic[i] = newest
		}
		e.Exchange(mic, make([]int16, frame))
	}
	e.Uplink(mic)
	if age := newest - mic[0]; age > frame+spare {
		t.Errorf("the first frame begins %d samples ago, want at most %d", age, frame+spare)
	}
}

// The clocks drift apart by far more than crystals do; the queue stays short
// and nothing clicks.
func TestClocksDrift(t *testing.T) {
	for name, every := range map[string]int{"sender slower": 300, "sender faster": -300} {
		t.Run(name, func(t *testing.T) {
			r := newRig()
			longest := 0
			for i := 1; i <= 2900; i++ {
				r.record()
				if every < 0 || i%every != 0 {
					r.send()
				}
				if every < 0 && i%-every == 0 {
					r.send()
				}
				if i > 200 {
					longest = max(longest, r.e.mic.count)
				}
			}
			if longest > most-spare {
				t.Errorf("up to %d samples wait, want at most %d", longest, most-spare)
			}
			step := 0
			for i := frame + 1; i < len(r.up); i++ {
				step = max(step, abs(int(r.up[i])-int(r.up[i-1])))
			}
			if step > 9000 { // 5100 is the tone's own steepest
				t.Errorf("a click of %d", step)
			}
		})
	}
}

func abs(x int) int { return max(x, -x) }

func TestClipsOverTheFarEnd(t *testing.T) {
	r := newRig()
	far := tone.Sine(1000, 0.4, 10*time.Second)
	at := 0
	r.e.Hear(func(out []int16) bool { at += copy(out, far[at:]); return true })
	r.e.Play(tone.Sine(2000, 0.4, 400*time.Millisecond), false)
	for range 20 {
		r.record()
	}
	if a, b := tone.Power(r.speaker, 1000), tone.Power(r.speaker, 2000); a < 0.1 || b < 0.1 {
		t.Errorf("far end %.3f, clip %.3f", a, b)
	}
	r.speaker = nil
	for range 20 {
		r.record()
	}
	if p := tone.Power(r.speaker, 2000); p > 0.001 {
		t.Errorf("the clip goes on: %.3f", p)
	}
	r.e.Hear(nil)
	r.speaker = nil
	r.record()
	if p := tone.Power(r.speaker, 1000); p != 0 {
		t.Errorf("the far end goes on: %.3f", p)
	}
}

func TestClipReplacesClip(t *testing.T) {
	r := newRig()
	r.e.Play(tone.Sine(515, 0.5, 100*time.Millisecond), true)
	for range 48 {
		r.record()
	}
	if p := tone.Power(r.speaker[2*800:3*800], 515); p < 0.1 {
		t.Errorf("a loop is not repeated: %.3f", p)
	}
	r.e.Play(tone.Sine(900, 0.5, time.Second), false)
	r.record()
	begin := len(r.speaker) - frame
	if step := abs(int(r.speaker[begin]) - int(r.speaker[begin-1])); step > 4000 {
		t.Errorf("a click of %d where the clips meet", step)
	}
	r.e.Play(nil, false)
	r.speaker = nil
	for range 5 {
		r.record()
	}
	for _, x := range r.speaker[frame:] {
		if x != 0 {
			t.Fatal("not silent after the stop")
		}
	}
}

func TestClipIntoTheUplink(t *testing.T) {
	r := newRig()
	r.e.PlayUp(tone.Sine(1500, 0.3, 200*time.Millisecond))
	for range 10 {
		r.record()
		r.send()
	}
	if a, b := tone.Power(r.up, 400), tone.Power(r.up, 1500); a < 0.1 || b < 0.05 {
		t.Errorf("microphone %.3f, clip %.3f", a, b)
	}
	if p := tone.Power(r.speaker, 1500); p != 0 {
		t.Errorf("the speaker plays the uplink's clip: %.3f", p)
	}
}

func TestSaturate(t *testing.T) {
	for in, want := range map[int32]int16{0: 0, 32767: 32767, 32768: 32767, 70000: 32767, -32768: -32768, -32769: -32768} {
		if got := saturate(in); got != want {
			t.Errorf("%d: %d, want %d", in, got, want)
		}
	}
}

func TestLevels(t *testing.T) {
	e := New()
	if mic, speaker := e.Levels(); mic != Floor || speaker != Floor {
		t.Errorf("before anything: %v, %v", mic, speaker)
	}
	square := make([]int16, frame)
	for i := range square {
		square[i] = math.MaxInt16 / 10
	}
	e.Exchange(square, make([]int16, frame))
	if mic, speaker := e.Levels(); math.Abs(mic+20) > 0.1 || speaker != Floor {
		t.Errorf("a tenth of full scale: %.2f dB, speaker %.2f dB", mic, speaker)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	e := New()
	far := func(out []int16) bool { clear(out); return true }
	e.Hear(far)
	e.Play(tone.Sine(500, 0.5, time.Second), true)
	mic, speaker, up := make([]int16, frame), make([]int16, frame), make([]int16, frame)
	if n := testing.AllocsPerRun(100, func() { e.Exchange(mic, speaker); e.Uplink(up) }); n != 0 {
		t.Errorf("%v allocations a frame", n)
	}
}

func TestAllAtOnce(t *testing.T) {
	e := New()
	var all sync.WaitGroup
	for _, do := range []func(){
		func() { e.Exchange(make([]int16, frame), make([]int16, frame)) },
		func() { e.Uplink(make([]int16, frame)) },
		func() { e.Hear(func([]int16) bool { return false }); e.Hear(nil) },
		func() { e.Play(tone.Sine(500, 0.5, 20*time.Millisecond), true); e.PlayUp(nil) },
		func() { e.Levels() },
	} {
		all.Go(func() {
			for range 200 {
				do()
			}
		})
	}
	all.Wait()
}
