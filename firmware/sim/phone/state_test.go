package phone

import (
	"testing"
	"time"
)

func TestLine(t *testing.T) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	ring := func(l *line) bool { return l.ring(now, "panel") == nil }
	answer := func(l *line) bool { return l.answer(now, VideoCount{Keys: 1}) == nil }
	end := func(l *line) bool { return l.end(now, "over") }
	for name, tc := range map[string]struct {
		before []func(*line) bool
		do     func(*line) bool
		ok     bool
		state  State
	}{
		"idle rings":              {nil, ring, true, Ringing},
		"idle cannot answer":      {nil, answer, false, Idle},
		"idle has nothing to end": {nil, end, false, Idle},
		"ringing is busy":         {[]func(*line) bool{ring}, ring, false, Ringing},
		"ringing answers":         {[]func(*line) bool{ring}, answer, true, Talking},
		"ringing ends":            {[]func(*line) bool{ring}, end, true, Idle},
		"talking is busy":         {[]func(*line) bool{ring, answer}, ring, false, Talking},
		"talking answers once":    {[]func(*line) bool{ring, answer}, answer, false, Talking},
		"talking ends":            {[]func(*line) bool{ring, answer}, end, true, Idle},
		"ended rings again":       {[]func(*line) bool{ring, answer, end}, ring, true, Ringing},
	} {
		t.Run(name, func(t *testing.T) {
			l := &line{state: Idle}
			for _, step := range tc.before {
				if !step(l) {
					t.Fatal("a step before was refused")
				}
			}
			if got := tc.do(l); got != tc.ok || l.state != tc.state {
				t.Errorf("allowed %t, then %s; want %t, then %s", got, l.state, tc.ok, tc.state)
			}
		})
	}
}

func TestNewCallForgetsTheLast(t *testing.T) {
	l := &line{state: Idle}
	for range 2 {
		if l.ring(time.Now(), "panel") != nil || l.early != (VideoCount{}) || l.ended != "" {
			t.Fatalf("rings with what the last call left: %+v", l)
		}
		if l.answer(time.Now(), VideoCount{Units: 3}) != nil || !l.end(time.Now(), "over") {
			t.Fatal("a whole call was refused")
		}
	}
	if l.calls != 2 {
		t.Errorf("%d calls counted, want 2", l.calls)
	}
}
