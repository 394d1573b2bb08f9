package station

import (
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/firmware/history"
)

const (
	// believable is how far beyond the last time that was proved the system's clock
	// is believed without proof: a panel may lie in a store for years, but a clock
	// chip without battery may say 2038.
	believable = 5 * 365 * 24 * time.Hour
	// serverMost is how long after the build a server's time is believed.
	serverMost = 4 * believable
	// tlsTurn is for how long certificates are judged by one of two times that may
	// both be right, before the other one has its turn.
	tlsTurn = time.Minute
	// saveEvery is how old the time on the flash may become: it is a floor for the
	// next start, not a clock.
	saveEvery = 24 * time.Hour
)

// A timeSource is where a time comes from.
type timeSource string

const (
	timeOfServer timeSource = "server" // an SNTP server
	timeOfKeeper timeSource = "keeper" // the system's clock, which a time daemon keeps right
	timeOfSystem timeSource = "system" // the system's clock, which could be right
	timeOfFloor  timeSource = "floor"  // no clock can be believed: since the last known time, or the build
)

// A clock is what the panel takes for the time of day. The system's clock may
// stand at 1970, or beyond 2038, without a battery; the panel then goes on from
// the latest time that it knows to have passed: that of its build, or the last
// one that it has saved.
//
// Saved is what an SNTP server or a time daemon said, what has passed since, and
// what the system's clock said as a server's certificate was found valid.
type clock struct {
	log     *slog.Logger
	path    string           // of the saved time
	system  func() time.Time // with a monotonic reading
	kept    func() bool      // whether a time daemon keeps the system's clock right
	started time.Time        // of system
	built   time.Time        // this program; zero: unknown

	mu    sync.Mutex
	floor time.Time // without a monotonic reading
	saved time.Time // what the flash holds
	truth time.Time // of a server; zero: unknown
	at    time.Time // of system, when truth was learnt
}

// openClock reads the saved time. built is when this program was made.
func openClock(path string, built time.Time, log *slog.Logger) *clock {
	c := &clock{log: log, path: path, system: time.Now, kept: systemClockKept, built: built.Round(0)}
	c.open()
	if now, source := c.read(); source == timeOfFloor {
		log.Warn("clock not set", "system_says", c.system().UTC(), "going_on_from", now.UTC())
	}
	return c
}

// open finds the floor.
func (c *clock) open() {
	c.started, c.floor = c.system(), c.built
	raw, err := history.LoadState(c.path)
	if err == nil && raw != nil {
		c.saved, err = parseSaved(raw)
	}
	if err != nil {
		c.log.Warn("saved time cannot be read", "path", c.path, "err", err)
	}
	if c.saved.After(c.floor) {
		c.floor = c.saved
	}
}

// parseSaved reads a saved time: Unix seconds in decimal.
func parseSaved(raw []byte) (time.Time, error) {
	n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil {
		return time.Time{}, fmt.Errorf("it is no number of seconds: %.20q", raw)
	}
	return time.Unix(n, 0), nil
}

// read gives the time and where it comes from.
func (c *clock) read() (now time.Time, source timeSource) {
	c.mu.Lock()
	defer c.mu.Unlock()
	sys := c.system()
	switch {
	case !c.truth.IsZero():
		return c.truth.Add(sys.Sub(c.at)), timeOfServer
	case c.kept():
		return sys.Round(0), timeOfKeeper
	case c.floor.IsZero(), !sys.Before(c.floor) && sys.Before(c.floor.Add(believable)):
		return sys.Round(0), timeOfSystem
	}
	return c.floor.Add(sys.Sub(c.started)), timeOfFloor
}

// now is the time for codes that have times; ok is false if it is only known to
// be no earlier.
func (c *clock) now() (now time.Time, ok bool) {
	now, source := c.read()
	return now, source != timeOfFloor
}

// wall is the time for records.
func (c *clock) wall() time.Time {
	now, _ := c.read()
	return now
}

// forTLS is the time by which certificates are judged. A system's clock that is
// too far ahead to be believed may be right after all, on a panel that nobody
// has switched on for years: it has every second turn.
func (c *clock) forTLS() time.Time {
	now, ok := c.now()
	sys := c.system()
	if !ok && sys.After(now) && sys.Sub(c.started)/tlsTurn%2 == 1 {
		return sys.Round(0)
	}
	return now
}

// set takes the time of a server.
func (c *clock) set(truth time.Time) error {
	if !c.built.IsZero() && (truth.Before(c.built) || truth.After(c.built.Add(serverMost))) {
		return fmt.Errorf("it says %s, and between %s and %s is believed", truth.UTC().Format(time.DateTime),
			c.built.UTC().Format(time.DateOnly), c.built.Add(serverMost).UTC().Format(time.DateOnly))
	}
	c.mu.Lock()
	c.truth, c.at = truth.Round(0), c.system()
	c.mu.Unlock()
	c.save(false)
	return nil
}

// save keeps the present time as a floor for later starts, seldom. What the
// system's clock alone says has to be proved, by a certificate that is valid.
func (c *clock) save(proved bool) {
	now, source := c.read()
	c.mu.Lock()
	defer c.mu.Unlock()
	away := now.Sub(c.saved)
	if source == timeOfSystem && !proved || 0 <= away && away < saveEvery {
		return
	}
	c.saved = now
	if err := history.SaveState(c.path, strconv.AppendInt(nil, now.Unix(), 10)); err != nil {
		c.log.Warn("time not saved", "path", c.path, "err", err)
	}
}

// trouble is what a person should know of the clock.
func (c *clock) trouble() string {
	now, ok := c.now()
	if ok {
		return ""
	}
	return fmt.Sprintf("the clock is not set (it says %s): the panel goes on from %s, and codes that have times open nothing; time.servers in the configuration would set it",
		c.system().UTC().Format(time.DateTime), now.UTC().Format(time.DateTime))
}

// systemClockKept asks the kernel whether a time daemon keeps its clock right
// (STA_UNSYNC of adjtimex(2) is not set).
func systemClockKept() bool {
	var t unix.Timex
	if _, err := unix.Adjtimex(&t); err != nil {
		return false
	}
	return t.Status&unix.STA_UNSYNC == 0
}
