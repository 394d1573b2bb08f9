package guard

import (
	"strings"
	"testing"
)

// Whoever still works beside the guard at its end may say something: it is lost.
func TestJournalAfterItsEnd(t *testing.T) {
	var said strings.Builder
	j := newJournal(&said)
	j.say("before")
	j.close()
	j.say("after")
	if got := said.String(); got != "doorguard: before\n" {
		t.Errorf("written %q", got)
	}
}
