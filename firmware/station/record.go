package station

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"log/slog"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"doorstation/callflow/timeline"
	"doorstation/firmware/history"
)

// monotonic reads CLOCK_MONOTONIC, the clock that the guard and the drivers
// stamp their edges with.
func monotonic() time.Duration {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts); err != nil {
		return 0
	}
	return time.Duration(ts.Nano())
}

// onMonotonic translates a time of this process. The two clocks are read one
// after the other: a process that was held up between them reads them again.
func onMonotonic(t time.Time) time.Duration {
	const close, tries = 20 * time.Microsecond, 8
	for n := 1; ; n++ {
		now := time.Now()
		mono := monotonic()
		if time.Since(now) < close || n == tries {
			return mono - now.Sub(t)
		}
	}
}

// lateness is how long a closed record waits for marks that are on their way,
// such as the CANCEL that has just been asked for.
const lateness = time.Second

// A page is one record that is still written, and the legs that belong to it.
type page struct {
	id   string
	rec  *timeline.Builder
	legs map[uint32]bool
}

// A diary keeps the records: the one that is written now, those on their way
// to the flash, and those before them.
type diary struct {
	log   *slog.Logger
	store *history.Store
	wake  chan struct{}
	wall  func() time.Time // for people, who read when it was
	kept  func(error)      // told of each try to keep a record
	tally *tally

	mu     sync.Mutex
	now    *page   // nil: nothing happens
	closed []*page // oldest first
}

func newDiary(store *history.Store, log *slog.Logger) *diary {
	return &diary{store: store, log: log, wake: make(chan struct{}, 1), wall: time.Now, kept: func(error) {}, tally: newTally()}
}

// begin opens a record for what happened at mono.
func (d *diary) begin(mono time.Duration, button, flat string) {
	var raw [4]byte
	_, _ = rand.Read(raw[:])
	id := hex.EncodeToString(raw[:])
	rec := timeline.New(id, d.wall().Add(mono-monotonic()), mono)
	rec.Of(button, flat)
	d.mu.Lock()
	defer d.mu.Unlock()
	d.now = &page{id: id, rec: rec, legs: make(map[uint32]bool)}
}

// current is the id of the record that is written now; empty when none is.
func (d *diary) current() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil {
		return ""
	}
	return d.now.id
}

// mark notes something that happened at mono: of a leg in the record of its
// call, late or not, and of the panel in the one that is written now.
func (d *diary) mark(mono time.Duration, name timeline.Name, leg uint32, detail string) {
	d.tally.marked(name, detail)
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.now
	if leg != 0 {
		if i := slices.IndexFunc(d.closed, func(p *page) bool { return p.legs[leg] }); i >= 0 {
			p = d.closed[i]
		}
	}
	if p != nil {
		p.legs[leg] = true
		p.rec.Add(mono, name, leg, detail)
	}
}

// done gives the record its result; late marks, such as the door's closing,
// still find it until close.
func (d *diary) done(result, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil {
		d.now.rec.Finish(monotonic(), result, reason)
	}
}

// close takes the record out and has it kept.
func (d *diary) close() {
	d.mu.Lock()
	if d.now != nil {
		d.closed = append(d.closed, d.now)
		d.now = nil
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// keep writes closed records to the flash until ctx ends.
func (d *diary) keep(ctx context.Context) error {
	for {
		select {
		case <-d.wake:
			pause(ctx, lateness)
			d.flush()
		case <-ctx.Done():
			return nil
		}
	}
}

// flush writes what has not been kept. The flash is slow: nothing waits for it.
func (d *diary) flush() {
	for {
		d.mu.Lock()
		if len(d.closed) == 0 {
			d.mu.Unlock()
			return
		}
		rec := d.closed[0].rec.Record()
		d.mu.Unlock()
		err := d.store.Append(rec)
		d.kept(err)
		if err != nil {
			d.log.Warn("record not kept on flash", "record", rec.ID, "err", err)
		}
		d.mu.Lock()
		d.closed = d.closed[1:]
		d.mu.Unlock()
	}
}

// records lists all, newest first, the running one included. The moment in
// which a record is both on its way and kept shows it once.
func (d *diary) records() []timeline.Record {
	d.mu.Lock()
	var list []timeline.Record
	if d.now != nil {
		list = append(list, d.now.rec.Record())
	}
	for _, p := range slices.Backward(d.closed) {
		list = append(list, p.rec.Record())
	}
	d.mu.Unlock()
	for _, rec := range d.store.Records() {
		if !slices.ContainsFunc(list, func(r timeline.Record) bool { return r.ID == rec.ID }) {
			list = append(list, rec)
		}
	}
	return list
}
