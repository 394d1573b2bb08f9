package station

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/beevik/ntp"
	"golang.org/x/sys/unix"
)

// How often time servers are asked: after a failure soon, then less and less
// often; after an answer seldom, since a crystal loses a second a day. A wait is
// longer by up to its half, so that the panels of one building spread.
const (
	askAgain  = 5 * time.Second
	askLatest = 5 * time.Minute
	askNext   = 6 * time.Hour
	askWithin = 5 * time.Second
)

// setAbove is how wrong the system's clock has to be to be set.
const setAbove = 500 * time.Millisecond

// A timekeeper asks time servers (SNTP, RFC 4330) for the time of day, and saves
// the time now and then.
type timekeeper struct {
	log     *slog.Logger
	clock   *clock
	servers func() (servers []string, changed <-chan struct{})
	ask     func(server string) (time.Time, error)
	proved  func() bool                 // whether the system's clock has been proved
	set     func(truth time.Time) error // sets the system's clock; nil: it is left alone
}

func (s *Station) timekeeper() *timekeeper {
	k := &timekeeper{log: s.log, clock: s.clock, servers: s.timeServers, ask: askTime, proved: s.timeProved}
	if s.opt.SetClock {
		k.set = setSystemClock
	}
	return k
}

// run keeps the time until ctx ends.
func (k *timekeeper) run(ctx context.Context) error {
	failures := 0
	for ctx.Err() == nil {
		servers, changed := k.servers()
		failures++
		if err := k.round(servers); err == nil {
			failures = 0
		} else if failures == 1 {
			k.log.Warn("no time from the time servers", "err", err)
		}
		k.clock.save(k.proved())
		k.pause(ctx, failures, changed)
	}
	return nil
}

// pause waits until the servers are to be asked again.
func (k *timekeeper) pause(ctx context.Context, failures int, changed <-chan struct{}) {
	wait := askNext
	if failures > 0 {
		wait = min(askAgain<<min(failures-1, 16), askLatest)
	}
	timer := time.NewTimer(wait + rand.N(wait/2))
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-changed:
	case <-timer.C:
	}
}

// round asks the servers in their order until one answers.
func (k *timekeeper) round(servers []string) error {
	var faults []error
	for _, server := range servers {
		truth, err := k.ask(server)
		if err == nil {
			err = k.take(server, truth)
		}
		if err == nil {
			return nil
		}
		faults = append(faults, fmt.Errorf("time server %s: %w", server, err))
	}
	return errors.Join(faults...)
}

// take believes a server, within reason.
func (k *timekeeper) take(server string, truth time.Time) error {
	before, was := k.clock.read()
	if err := k.clock.set(truth); err != nil {
		return err
	}
	if was != timeOfServer {
		k.log.Info("time of day learnt", "server", server, "time", truth.UTC(), "off_by", truth.Sub(before))
	}
	if wrong := truth.Sub(k.clock.system()).Abs(); k.set == nil || wrong < setAbove {
		return nil
	}
	if err := k.set(truth); err != nil {
		k.log.Warn("system's clock not set, the panel has the time for itself", "err", err)
		k.set = nil
	}
	return nil
}

// timeServers are those of the configuration in force.
func (s *Station) timeServers() ([]string, <-chan struct{}) {
	changed := s.store.Changed()
	var servers []string
	if snap := s.store.Current(); snap != nil {
		servers = snap.Time.Servers
	}
	return servers, changed
}

// askTime asks one server.
func askTime(server string) (time.Time, error) {
	answer, err := ntp.QueryWithOptions(server, ntp.QueryOptions{Timeout: askWithin})
	if err == nil {
		err = answer.Validate()
	}
	if err != nil {
		return time.Time{}, err
	}
	return time.Now().Add(answer.ClockOffset), nil
}

// setSystemClock needs CAP_SYS_TIME.
func setSystemClock(truth time.Time) error {
	ts := unix.NsecToTimespec(truth.UnixNano())
	return unix.ClockSettime(unix.CLOCK_REALTIME, &ts)
}

// timeProved reports whether a certificate was valid at the panel's time: that of
// a registrar, or of the configuration server. It proves the time to the life of a
// certificate, not to the second.
func (s *Station) timeProved() bool {
	st := s.store.State()
	fetched := s.opt.Server != nil && strings.HasPrefix(s.opt.Server.URL, "https:") && !st.LastFetch.IsZero() && st.FetchError == ""
	return fetched || s.verified.Load()
}
