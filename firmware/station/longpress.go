package station

import (
	"fmt"
	"time"

	"doorstation/callflow/timeline"
)

// A hold is a button that tells a long press.
type hold struct {
	after time.Duration // how long is long
	due   time.Time     // when the present press is long; zero: none, or told
	long  bool          // the present press is long
}

// moved takes the button's press or release.
func (h *hold) moved(pressed bool, at time.Time) {
	h.due, h.long = time.Time{}, false
	if pressed {
		h.due = at.Add(h.after)
	}
}

// tick reports whether the press has just become a long one.
func (h *hold) tick(now time.Time) bool {
	if h.due.IsZero() || now.Before(h.due) {
		return false
	}
	h.due, h.long = time.Time{}, true
	return true
}

// heldDown tells of a long press. It changes no call.
func (o *owner) heldDown(button string, after time.Duration) {
	o.log.Info("button held down", "button", button, "for", after)
	o.happening(monotonic(), timeline.LongPress, fmt.Sprintf("%s was held down for %v", button, after))
}
