package station

import (
	"log/slog"
	"strings"
	"testing"

	"doorstation/provisioning"
)

// From the third reset in a row on, a configuration on trial is given up; one
// that has proved itself stays.
func TestResetsEndATrial(t *testing.T) {
	for _, c := range []struct {
		name   string
		good   bool // there is one before the trial
		proved bool // the newest is no trial
		resets int
		want   string
	}{
		{"none", true, false, 0, "2"},
		{"two", true, false, 2, "2"},
		{"three", true, false, 3, "1"},
		{"many", true, false, 9, "1"},
		{"three, and nothing to go back to", false, false, 3, "2"},
		{"three, with a configuration that is proved", true, true, 3, "2"},
	} {
		t.Run(c.name, func(t *testing.T) {
			store, err := provisioning.OpenStore(t.TempDir(), limits(simBoard(t)), sealer(make([]byte, keySize)), slog.New(slog.DiscardHandler))
			if err != nil {
				t.Fatal(err)
			}
			offer := func(doc string, confirm bool) {
				snap, err := store.Offer([]byte(doc), "server")
				if err != nil {
					t.Fatal(err)
				}
				if confirm {
					store.Confirm(snap.Hash)
				}
			}
			if c.good {
				offer(goodConfig, true)
			}
			offer(newConfig, c.proved)
			s := &Station{log: slog.New(slog.DiscardHandler), store: store, owner: bareOwner()}
			for range 2 { // the guard is found again
				s.wasReset(c.resets)
			}
			for _, fn := range s.owner.box.take(nil) {
				fn()
			}
			if n := len(s.owner.diary.closed); n != min(c.resets, 1) {
				t.Errorf("%d records of it", n)
			}
			if got := store.Current().Revision; got != c.want {
				t.Errorf("revision %s is in force, want %s", got, c.want)
			}
			if trouble := s.resetTrouble(); (trouble != "") != (c.resets > 0) {
				t.Errorf("told as %q", trouble)
			}
			if c.want == "1" && !strings.Contains(store.State().LastError, "reset") {
				t.Errorf("why is told as %q", store.State().LastError)
			}
		})
	}
}
