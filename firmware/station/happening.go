package station

import (
	"time"

	"doorstation/callflow/timeline"
)

// The records of what happens outside of calls. A contact that rattles must
// not wear out the flash: once mostRecords have been used up, one more is
// allowed every recordEvery, and the rest is in the log alone.
const (
	mostRecords = 30
	recordEvery = 2 * time.Minute
)

// An allowance is a number of records, renewed slowly.
type allowance struct {
	left int
	at   time.Time // of the last renewal
}

// take uses one up, if there is one.
func (a *allowance) take(now time.Time) bool {
	if gained := int(now.Sub(a.at) / recordEvery); gained > 0 {
		a.left = min(a.left+gained, mostRecords)
		a.at = now
	}
	if a.left == 0 {
		return false
	}
	a.left--
	return true
}

// happening notes something that is about no call: in the record that is
// written now, or else in one of its own, whose result is the mark's name.
func (o *owner) happening(at time.Duration, name timeline.Name, detail string) {
	switch {
	case o.diary.current() != "":
		o.diary.mark(at, name, 0, detail)
	case o.around.records.take(time.Now()):
		o.diary.begin(at, "", "")
		o.diary.mark(at, name, 0, detail)
		o.diary.done(string(name), "")
		o.diary.close()
	default:
		o.log.Warn("no record of this: too many of its kind", "what", name, "one_every", recordEvery)
	}
}
