package gpio

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"doorstation/drivers"

	"periph.io/x/conn/v3/gpio"
)

// A wire is a line whose queue of edges is a pipe, and whose level a test sets.
type wire struct {
	t     *testing.T
	queue [2]int
	level gpio.Level
	err   error
}

func newWire(t *testing.T, level gpio.Level) *wire {
	t.Helper()
	w := &wire{t: t, level: level}
	if err := unix.Pipe2(w.queue[:], unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(w.queue[1]) })
	return w
}

// edge queues what the kernel does.
func (w *wire) edge(level gpio.Level, at time.Duration) {
	w.t.Helper()
	e := lineEvent{id: 2, timestamp: uint64(at)}
	if level {
		e.id = eventRising
	}
	if _, err := unix.Write(w.queue[1], unsafe.Slice((*byte)(unsafe.Pointer(&e)), unsafe.Sizeof(e))); err != nil {
		w.t.Fatal(err)
	}
}

// line is the wire as the watch sees it. The watch closes its descriptor.
func (w *wire) line(c contact, activeLow bool) *watched {
	return &watched{
		contact: c, line: "W", activeLow: activeLow, fd: w.queue[0],
		level: func(int) (gpio.Level, error) { return w.level, w.err },
	}
}

func TestTwoButtonsAtOnce(t *testing.T) {
	a, b := newWire(t, gpio.High), newWire(t, gpio.Low)
	var got []drivers.Input
	var w watch
	defer w.close()
	w.lines = []*watched{a.line(contact{name: "a"}, true), b.line(contact{name: "b"}, false)}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	wake, err := unix.Eventfd(0, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(wake)
	w.report = func(in drivers.Input) {
		if got = append(got, in); len(got) == 2 {
			stop()
		}
	}
	// The level changes once the first one has been read: both are at rest then.
	first := w.lines[1].level
	w.lines[1].level = func(fd int) (gpio.Level, error) {
		was, err := first(fd)
		if !b.level {
			a.level, b.level = gpio.Low, gpio.High
			a.edge(gpio.Low, 20*time.Millisecond)
			b.edge(gpio.High, 10*time.Millisecond) // a moment before a
		}
		return was, err
	}
	if err := w.run(ctx, wake); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	want := []drivers.Input{{Name: "b", Active: true, At: 10 * time.Millisecond}, {Name: "a", Active: true, At: 20 * time.Millisecond}}
	if len(got) != 2 || got[0] != want[0] || got[1] != want[1] {
		t.Errorf("reported %v, want %v", got, want)
	}
}

func TestPresentLevelsAreReported(t *testing.T) {
	cover, leaf, button := newWire(t, gpio.High), newWire(t, gpio.High), newWire(t, gpio.High)
	var w watch
	defer w.close()
	w.lines = []*watched{cover.line(contact{name: "cover"}, false), leaf.line(contact{name: "leaf"}, true), button.line(contact{name: "button"}, false)}
	w.lines[0].present, w.lines[1].present = true, true
	var got []drivers.Input
	w.report = func(in drivers.Input) {
		in.At = 0
		got = append(got, in)
	}
	ctx, stop := context.WithCancel(t.Context())
	stop()
	if err := w.run(ctx, -1); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if want := []drivers.Input{{Name: "cover", Active: true}, {Name: "leaf"}}; !slices.Equal(got, want) {
		t.Errorf("reported %v, want %v", got, want)
	}
}

func TestFullQueueIsReadToItsEnd(t *testing.T) {
	a := newWire(t, gpio.Low)
	defer unix.Close(a.queue[0])
	for i := range 2*queueLength + 1 {
		a.edge(i%2 == 0, time.Duration(i))
	}
	got, err := edges(a.queue[0], nil)
	if err != nil || len(got) != 2*queueLength+1 {
		t.Fatalf("%d edges, %v", len(got), err)
	}
	if last := got[2*queueLength]; last.level != gpio.High || last.at != 2*queueLength {
		t.Errorf("last edge %+v", last)
	}
}

func TestLineIsLost(t *testing.T) {
	broken := newWire(t, gpio.Low)
	broken.err = unix.ENODEV
	gone := newWire(t, gpio.Low)
	unix.Close(gone.queue[1]) // its queue ends
	gone.queue[1] = -1
	for name, wire := range map[string]*wire{"level": broken, "queue": gone} {
		w := watch{lines: []*watched{wire.line(contact{name: "a"}, false)}}
		if err := w.look(); !errors.Is(err, unix.ENODEV) || errors.Is(err, drivers.ErrAbsent) {
			t.Errorf("%s: %v, want ENODEV", name, err)
		}
		w.close()
	}
}

func TestStuckIsSaidOnce(t *testing.T) {
	a := newWire(t, gpio.High)
	var said []string
	w := watch{notice: func(n Notice) { said = append(said, n.Input+" "+n.What) }}
	defer w.close()
	l := a.line(contact{name: "a", stuckAfter: time.Minute}, false)
	w.lines = []*watched{l}
	l.begin(true, monotonic()-time.Minute)
	for range 3 {
		if err := w.look(); err != nil {
			t.Fatal(err)
		}
	}
	if len(said) != 1 || said[0] != "a "+NoticeStuck {
		t.Errorf("said %q", said)
	}
}

func TestPinWaits(t *testing.T) {
	a := newWire(t, gpio.Low)
	p := &Pin{name: "W", fd: a.queue[0]}
	if p.WaitForEdge(0) {
		t.Error("an edge without an edge")
	}
	a.edge(gpio.High, 1)
	a.edge(gpio.Low, 2)
	if !p.WaitForEdge(-1) || p.WaitForEdge(0) {
		t.Error("two queued edges are not one")
	}
	if err := p.Close(); err != nil {
		t.Error(err)
	}
	if p.WaitForEdge(0) || p.Read() != gpio.Low || p.Close() != nil {
		t.Error("a closed pin lives")
	}
}
