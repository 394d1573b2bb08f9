package station

import "fmt"

// lastGoodAfter is how many resets of the board in a row, forced by the guard
// because the daemon hung or kept dying, end the trial of a configuration.
const lastGoodAfter = 3

// wasReset hears from the guard how many resets in a row it has forced. Those of
// a panel that goes on with a configuration on trial are blamed on it. What has
// been proved by a registration stays: the one before it may hold codes that
// were taken back.
func (s *Station) wasReset(n int) {
	s.resets.Store(int64(n))
	if n == 0 {
		return
	}
	s.log.Warn("the guard has reset the board", "resets_in_a_row", n)
	snap := s.store.Current()
	if n < lastGoodAfter || snap == nil || !snap.Trial {
		return
	}
	why := fmt.Sprintf("the board was reset %d times in a row", n)
	if back := s.store.Rollback(snap.Hash, why); back.Hash != snap.Hash {
		s.log.Error("configuration rolled back", "reason", why, "revision", back.Revision)
	}
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
