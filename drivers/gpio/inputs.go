package gpio

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/drivers"

	"periph.io/x/conn/v3/gpio"
)

// An InputLine is one input as the board describes it.
type InputLine struct {
	Name       string // the board's name, which is reported
	Line       string // as in OpenOutput
	ActiveLow  bool
	Pull       gpio.Pull     // best effort: chips without a resistor accept the wish
	Debounce   time.Duration // a level counts once it has been stable for so long
	StuckAfter time.Duration // active for so long is stuck; 0 is never
	Present    bool          // report the level that is found when Watch begins, too
}

// What can be said about an input besides its changes.
const (
	NoticeAbsent   = "not fitted"                    // the others are watched
	NoticeDebounce = "debounced here"                // the chip or the kernel cannot
	NoticeStuck    = "stuck, ignored until released" // said once
	NoticeFreed    = "released after having been stuck"
)

// A Notice is something about an input that is no change of it, for the log.
type Notice struct {
	Input string
	What  string // one of the Notice constants
	Err   error  // the cause, if there is one
}

// Inputs watches lines. It is a drivers.Inputs.
//
// The kernel debounces where it can, this package otherwise. The level is read
// again after edges and once a second besides. What is active when Watch begins
// is not reported, so that a button which is held at a restart presses nothing;
// of lines that are Present the level at the beginning is reported, whatever it is.
type Inputs struct {
	Lines  []InputLine
	Notice func(Notice) // is called between reports; must not block
}

var _ drivers.Inputs = (*Inputs)(nil)

// refresh is the longest wait for an edge.
const refresh = time.Second

// Watch implements drivers.Inputs. Lines that do not exist are left out with a
// notice; if none exists the error wraps drivers.ErrAbsent. It returns an error
// as soon as a line is lost.
func (in *Inputs) Watch(ctx context.Context, report func(drivers.Input)) error {
	w := watch{report: report, notice: in.Notice}
	defer w.close()
	if err := w.open(in.Lines); err != nil {
		return err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("gpio: inputs: %w", err)
	}
	woken := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(woken)
		_, _ = unix.Write(wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	})
	defer func() {
		if !stop() {
			<-woken
		}
		unix.Close(wake)
	}()
	return w.run(ctx, wake)
}

// A watched line.
type watched struct {
	contact
	line      string
	activeLow bool
	fd        int
	present   bool // its level at the beginning is to be reported
	level     func(fd int) (gpio.Level, error)
}

// watch is one run of Watch.
type watch struct {
	lines  []*watched
	report func(drivers.Input)
	notice func(Notice)

	poll    []unix.PollFd
	queue   []edge
	edges   []contactEdge
	changes []drivers.Input
}

func (w *watch) say(n Notice) {
	if w.notice != nil {
		w.notice(n)
	}
}

// open takes the lines that exist.
func (w *watch) open(lines []InputLine) error {
	var absent error
	for _, spec := range lines {
		l, err := w.take(spec)
		if errors.Is(err, drivers.ErrAbsent) {
			absent = err
			w.say(Notice{Input: spec.Name, What: NoticeAbsent, Err: err})
			continue
		}
		if err != nil {
			return fmt.Errorf("input %s: %w", spec.Name, err)
		}
		w.lines = append(w.lines, l)
	}
	if len(w.lines) == 0 {
		return fmt.Errorf("gpio: inputs: %w", cmp.Or(absent, drivers.ErrAbsent))
	}
	return nil
}

// take requests a line, debounced by the kernel if it can do so.
func (w *watch) take(spec InputLine) (*watched, error) {
	at, err := locate(spec.Line)
	if err != nil {
		return nil, err
	}
	l := &watched{
		contact: contact{name: spec.Name, stuckAfter: spec.StuckAfter},
		line:    spec.Line, activeLow: spec.ActiveLow, present: spec.Present, level: level,
	}
	l.fd, err = request(at, inputRequest(at.number, spec.Pull, gpio.BothEdges, spec.Debounce))
	if err != nil && spec.Debounce > 0 && !errors.Is(err, unix.EBUSY) {
		refused := err
		if l.fd, err = request(at, inputRequest(at.number, spec.Pull, gpio.BothEdges, 0)); err == nil {
			l.debounce = spec.Debounce
			w.say(Notice{Input: spec.Name, What: NoticeDebounce, Err: refused})
		}
	}
	if err != nil {
		return nil, lineError(spec.Line, err)
	}
	return l, nil
}

func (w *watch) close() {
	for _, l := range w.lines {
		unix.Close(l.fd)
	}
}

// run watches until ctx ends, when wake becomes readable, or a line is lost.
func (w *watch) run(ctx context.Context, wake int) error {
	for _, l := range w.lines {
		active, err := l.read()
		if err != nil {
			return err
		}
		now := monotonic()
		l.begin(active, now)
		if l.present {
			w.report(drivers.Input{Name: l.name, Active: active, At: now})
		}
	}
	for ctx.Err() == nil {
		if err := w.wait(wake); err != nil {
			return err
		}
		if ctx.Err() != nil {
			break
		}
		if err := w.look(); err != nil {
			return err
		}
	}
	return fmt.Errorf("gpio: inputs: %w", context.Cause(ctx))
}

// wait sleeps until an edge comes, a contact has to be looked at, or refresh is
// over.
func (w *watch) wait(wake int) error {
	w.poll = append(w.poll[:0], unix.PollFd{Fd: int32(wake), Events: unix.POLLIN})
	now, most := monotonic(), refresh
	for _, l := range w.lines {
		w.poll = append(w.poll, unix.PollFd{Fd: int32(l.fd), Events: unix.POLLIN})
		most = min(most, max(0, l.next()-now))
	}
	_, err := unix.Poll(w.poll, int((most+time.Millisecond-1)/time.Millisecond))
	if err != nil && err != unix.EINTR {
		return fmt.Errorf("gpio: inputs: wait: %w", err)
	}
	return nil
}

// look reads what has happened on every line, and reports it in the order of
// the edges.
func (w *watch) look() error {
	w.changes = w.changes[:0]
	for _, l := range w.lines {
		if err := w.lookAt(l); err != nil {
			return err
		}
	}
	slices.SortStableFunc(w.changes, func(a, b drivers.Input) int { return cmp.Compare(a.At, b.At) })
	for _, c := range w.changes {
		w.report(c)
	}
	return nil
}

func (w *watch) lookAt(l *watched) (err error) {
	if w.queue, err = edges(l.fd, w.queue); err != nil {
		return fmt.Errorf("gpio: input %s: line %s is lost: %w", l.name, l.line, err)
	}
	w.edges = w.edges[:0]
	for _, e := range w.queue {
		w.edges = append(w.edges, contactEdge{active: bool(e.level) != l.activeLow, at: e.at})
	}
	active, err := l.read()
	if err != nil {
		return err
	}
	now, stuck := monotonic(), l.stuck
	w.changes = l.look(w.edges, active, now, w.changes)
	if stuck && !l.stuck {
		w.say(Notice{Input: l.name, What: NoticeFreed})
	}
	if l.jammed(now) {
		w.say(Notice{Input: l.name, What: NoticeStuck})
	}
	return nil
}

// read is whether the line is active now.
func (l *watched) read() (bool, error) {
	level, err := l.level(l.fd)
	if err != nil {
		return false, fmt.Errorf("gpio: input %s: line %s is lost: %w", l.name, l.line, err)
	}
	return bool(level) != l.activeLow, nil
}

// monotonic reads CLOCK_MONOTONIC, the clock of the kernel's edges.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		panic("gpio: no CLOCK_MONOTONIC: " + err.Error())
	}
	return time.Duration(ts.Nano())
}
