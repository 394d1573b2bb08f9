package station

import (
	"context"
	"log/slog"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// attendEvery is how often an attendant looks, unless the service manager wants
// to hear more often.
const attendEvery = time.Second

// hangsFor is how many looks in a row find a loop hanging before it is worth a
// line in the log.
const hangsFor = 3

// An attendant tells the service manager (sd_notify(3)) that the panel has
// started, and then, for as long as it is well, that it lives; and the log, when
// a loop hangs.
type attendant struct {
	log   *slog.Logger
	sick  func() string
	tell  func(state string)
	every time.Duration

	ready bool
	well  int    // looks in a row that found no loop hanging
	hangs string // the loop that the last look found
	looks int    // that found it
}

func (s *Station) attendant() *attendant {
	a := &attendant{log: s.log, sick: s.health.Sick, every: attendEvery}
	a.tell = func(state string) {
		if _, err := daemon.SdNotify(false, state); err != nil {
			s.log.Warn("service manager not told", "state", state, "err", err)
		}
	}
	limit, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		s.log.Warn("time of the service manager's watchdog not understood", "err", err)
	}
	if limit > 0 {
		a.every = min(a.every, limit/3)
	}
	return a
}

// run looks until ctx ends. The end is told by stopping, which comes before it.
func (a *attendant) run(ctx context.Context) error {
	every := time.NewTicker(a.every)
	defer every.Stop()
	a.sick() // asks the loops
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-every.C:
			a.look()
		}
	}
}

// look passes on how the panel is.
func (a *attendant) look() {
	a.note(a.sick())
	switch {
	case a.hangs != "": // silence lets the service manager's watchdog run out
		a.well = 0
	case a.ready:
		a.tell(daemon.SdNotifyWatchdog)
	case a.well+1 < openTooLong: // a loop that hangs shows only later
		a.well++
	default:
		a.ready = true
		a.tell(daemon.SdNotifyReady)
	}
}

// note keeps what the last look found, and logs what lasts.
func (a *attendant) note(sick string) {
	if sick != a.hangs {
		if a.looks >= hangsFor {
			a.log.Warn("loop turns again", "loop", a.hangs)
		}
		a.hangs, a.looks = sick, 0
	}
	if a.looks++; a.looks == hangsFor && sick != "" {
		a.log.Error("loop hangs", "loop", sick)
	}
	if sick == "" {
		a.looks = 0
	}
}

// stopping tells the service manager that the panel ends on purpose.
func (a *attendant) stopping() { a.tell(daemon.SdNotifyStopping) }
