package station

import (
	"testing"
	"time"

	"doorstation/callflow"
	"doorstation/media/audio"
)

func TestRingbackGoesOnAfterTheBusyTone(t *testing.T) {
	now := time.Now()
	s := sounder{engine: audio.New()}
	s.play(now, callflow.SignalRingback)
	s.play(now, callflow.SignalBusy)
	if s.shown != callflow.SignalBusy || s.until.IsZero() {
		t.Fatalf("plays %q until %v", s.shown, s.until)
	}
	s.tick(s.until)
	if s.shown != callflow.SignalRingback {
		t.Errorf("after the busy tone the visitor hears %q", s.shown)
	}
}

func TestNothingGoesOnAfterTheCall(t *testing.T) {
	s := sounder{engine: audio.New()}
	s.play(time.Now(), callflow.SignalRingback)
	s.play(time.Now(), callflow.SignalNoAnswer)
	s.end()
	s.tick(s.until)
	if s.shown != "" {
		t.Errorf("after the call the visitor hears %q", s.shown)
	}
}
