package page

import (
	"log/slog"
	"math"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"doorstation/board"
	"doorstation/drivers"
)

// tone makes frames of a sine.
func tone(hz float64, frames int) [][]int16 {
	var all [][]int16
	for f := range frames {
		frame := make([]int16, drivers.FrameSamples)
		for i := range frame {
			at := float64(f*len(frame)+i) / drivers.SampleRate
			frame[i] = int16(6000 * math.Sin(2*math.Pi*hz*at))
		}
		all = append(all, frame)
	}
	return all
}

func TestMeter(t *testing.T) {
	silence := make([]int16, drivers.FrameSamples)
	quiet := [][]int16{silence, silence, silence, silence, silence, silence, silence, silence, silence, silence}
	var speech [][]int16
	for _, hz := range []float64{310, 620, 180, 900, 240, 510, 350, 700} {
		speech = append(speech, tone(hz, 1)...)
	}
	for name, tc := range map[string]struct {
		frames [][]int16
		want   string
	}{
		"nothing yet":         {quiet[:1], playsNothing},
		"silence":             {quiet, playsNothing},
		"dial tone":           {tone(425, 20), "tone of 425 Hz"},
		"high tone":           {tone(1175, 20), "tone of 1175 Hz"},
		"changing pitch":      {speech, playsSound},
		"a short pause":       {append(tone(425, 20), quiet[:4]...), "tone of 425 Hz"},
		"silence after tone":  {append(tone(425, 20), quiet...), playsNothing},
		"speech after a tone": {append(tone(425, 20), speech...), playsSound},
	} {
		t.Run(name, func(t *testing.T) {
			var m meter
			got := ""
			for _, f := range tc.frames {
				_, got, _ = m.take(f)
			}
			if got != tc.want {
				t.Errorf("heard %q, want %q", got, tc.want)
			}
		})
	}
}

func TestVoice(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	frame := make([]int16, drivers.FrameSamples)
	frames := (len(sample) + drivers.FrameSamples - 1) / drivers.FrameSamples

	t.Run("nobody speaks to nobody", func(t *testing.T) {
		var v voice
		if got, who := v.next(start, false); got != nil || who != voiceNobody {
			t.Errorf("%d samples by %s", len(got), who)
		}
	})
	t.Run("the sample speaks to somebody, pauses, and begins again", func(t *testing.T) {
		var v voice
		now := start
		for i := range frames {
			if got, who := v.next(now, true); got == nil || who != voiceSample {
				t.Fatalf("frame %d of %d: %d samples by %s", i, frames, len(got), who)
			}
			now = now.Add(drivers.FrameTime)
		}
		if got, _ := v.next(now, true); got != nil {
			t.Error("no pause after the sample")
		}
		if got, _ := v.next(now.Add(samplePause), true); got == nil {
			t.Error("the sample does not begin again")
		}
	})
	t.Run("a microphone silences the sample", func(t *testing.T) {
		var v voice
		v.spoken(start, frame)
		if got, who := v.next(start, true); got == nil || who != voiceMicrophone {
			t.Errorf("%d samples by %s", len(got), who)
		}
		if got, who := v.next(start.Add(microphoneHold/2), true); got != nil || who != voiceMicrophone {
			t.Errorf("%d samples by %s in the microphone's pause", len(got), who)
		}
		if _, who := v.next(start.Add(microphoneHold), true); who != voiceSample {
			t.Errorf("after the microphone %s speaks", who)
		}
	})
	t.Run("old words are dropped", func(t *testing.T) {
		var v voice
		for range 3 * maxSpoken {
			v.spoken(start, frame)
		}
		if len(v.waiting) != maxSpoken {
			t.Errorf("%d frames wait, limit %d", len(v.waiting), maxSpoken)
		}
	})
}

func TestReadFlats(t *testing.T) {
	for text, ok := range map[string]bool{
		"Flat 1=127.0.0.1:5071":                       true,
		"Flat 1=127.0.0.1:5071,Flat 2=127.0.0.1:5081": true,
		"":                    false,
		"=127.0.0.1:5071":     false,
		"Flat 1":              false,
		"Flat 1=192.0.2.1:80": false,
	} {
		if _, err := ReadFlats(text); (err == nil) != ok {
			t.Errorf("%q: %v, want accepted %t", text, err, ok)
		}
	}
}

// Without a line process and a panel the page says so, and still comes.
func TestAlone(t *testing.T) {
	p := New(slog.New(slog.NewTextHandler(t.Output(), nil)), Params{
		Board: &board.Board{Inputs: []board.Input{{Name: "button1", Line: "BUTTON1"}}},
		Run:   t.TempDir(),
		Flats: []Flat{{Name: "Flat 1"}},
	})
	for path, want := range map[string]int{
		"GET /": 200, "GET /app.js": 200, "GET /panel": 200, "GET /none": 404, "GET /calls": 502,
		"POST /panel/press": 404, "DELETE /phone/0/status": 405,
	} {
		method, path, _ := strings.Cut(path, " ")
		w := httptest.NewRecorder()
		p.Handler().ServeHTTP(w, httptest.NewRequest(method, path, nil))
		if w.Code != want {
			t.Errorf("%s %s: %d, want %d", method, path, w.Code, want)
		}
		if w.Header().Get("Content-Security-Policy") == "" {
			t.Errorf("%s %s: no content security policy", method, path)
		}
	}
	if p.panel.press(t.Context(), "button1") == nil {
		t.Error("a button was pressed that nobody holds")
	}
}
