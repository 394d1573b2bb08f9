package station

import (
	"fmt"

	"doorstation/callflow/timeline"
)

// lastGoodAfter is how many resets of the board in a row, forced by the guard
// because the daemon hung or kept dying, end the trial of a configuration.
const lastGoodAfter = 3

// wasReset hears from the guard how many resets in a row it has forced. Those of
// a panel that goes on with a configuration on trial are blamed on it. What has
// been proved by a registration stays: the one before it may hold codes that
// were taken back.
func (s *Station) wasReset(n int) {
	if s.resets.Swap(int64(n)) == int64(n) || n == 0 {
		return
	}
	s.log.Warn("the guard has reset the board", "resets_in_a_row", n)
	told := fmt.Sprintf("%d in a row", n)
	if n >= lastGoodAfter {
		if back := s.lastGood(fmt.Sprintf("the board was reset %d times in a row", n)); back != "" {
			told += ", back on configuration " + back
		}
	}
	s.owner.box.post(func() { s.owner.happening(monotonic(), timeline.BoardReset, told) })
}

// lastGood ends a trial, and gives the revision that takes its place, if any does.
func (s *Station) lastGood(why string) string {
	snap := s.store.Current()
	if snap == nil || !snap.Trial {
		return ""
	}
	back := s.store.Rollback(snap.Hash, why)
	if back.Hash == snap.Hash {
		return ""
	}
	s.log.Error("configuration rolled back", "reason", why, "revision", back.Revision)
	return back.Revision
}

// resetTrouble is what a person should know of resets.
func (s *Station) resetTrouble() string {
	n := s.resets.Load()
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("the guard has reset the board %d times in a row, because this program hung or kept ending; "+
		"from %d on a configuration on trial is given up for the last good one, and five healthy minutes end the count", n, lastGoodAfter)
}
