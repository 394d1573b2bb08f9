package station

import (
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
)

// The SIP line waits for the inputs at the start, each once, for a second at
// most, and not for those that the guard watches.
func TestLineWaitsForTheInputs(t *testing.T) {
	inputs := []board.Input{{Name: "button1"}, {Name: "leaf", Contact: "door1"}, {Name: "exit", Opens: "door1"}, {Name: "cover", Tamper: true}}
	for name, c := range map[string]struct {
		present []string
		after   time.Duration
	}{
		"all":    {[]string{"button1", "leaf"}, 0},
		"twice":  {[]string{"button1", "button1"}, mustered},
		"broken": {nil, mustered},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newMuster(inputs)
				for _, in := range c.present {
					m.present(in)
				}
				began := time.Now()
				m.wait(t.Context())
				if got := time.Since(began); got != c.after {
					t.Errorf("waits %v, want %v", got, c.after)
				}
			})
		})
	}
	newMuster(nil).wait(t.Context())
}
