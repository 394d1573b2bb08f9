package station

import (
	"errors"
	"fmt"

	"doorstation/callflow/timeline"
	"doorstation/drivers"
	"doorstation/firmware/control"
)

// fitted tells how a part of the hardware is: nil when it works, else why it
// does not. It is told in the log and in the record of the present call once
// for each loss and return, and always in the status.
func (s *Station) fitted(name string, err error) {
	state := control.PartRunning
	switch {
	case errors.Is(err, drivers.ErrAbsent):
		state = control.PartOff
	case err != nil:
		state = control.PartFailed
	}
	was, news := s.parts.found(name, state, err)
	switch {
	case !news:
	case err != nil:
		s.log.Warn("part lost, the panel goes on without it", "part", name, "err", err, "looked_for_again_every", restartMax)
		s.owner.box.post(func() {
			o := s.owner
			o.diary.mark(monotonic(), timeline.PartLost, 0, fmt.Sprintf("%s: %v", name, err))
		})
	case was == control.PartFailed || was == control.PartOff:
		s.log.Info("part is back", "part", name)
		s.owner.box.post(func() { s.owner.diary.mark(monotonic(), timeline.PartBack, 0, name) })
	}
}

// found notes how a part is, gives how it was, and whether it has been lost or
// has come back since.
func (s *supervisor) found(name, state string, err error) (was string, news bool) {
	s.mu.Lock()
	old := s.state[name]
	s.mu.Unlock()
	p := control.Part{Name: name, State: state, Restarts: old.Restarts}
	if err != nil {
		p.Error = err.Error()
		p.Restarts++
	}
	s.set(p)
	fine := func(state string) bool { return state != control.PartFailed && state != control.PartOff }
	return old.State, fine(old.State) != fine(state)
}
