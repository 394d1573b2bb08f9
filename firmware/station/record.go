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

// onMonotonic translates a time of this process.
func onMonotonic(t time.Time) time.Duration {
	return monotonic() - time.Since(t)
}

// A diary keeps the records: the one that is written now, those on their way
// to the flash, and those before them.
type diary struct {
	log   *slog.Logger
	store *history.Store
	wake  chan struct{}

	mu     sync.Mutex
	now    *timeline.Builder
	id     string            // of now
	unkept []timeline.Record // oldest first
}

func newDiary(store *history.Store, log *slog.Logger) *diary {
	return &diary{store: store, log: log, wake: make(chan struct{}, 1)}
}

// begin opens a record for what happened at mono.
func (d *diary) begin(mono time.Duration, button, flat string) {
	var id [4]byte
	_, _ = rand.Read(id[:])
	d.mu.Lock()
	defer d.mu.Unlock()
	d.id = hex.EncodeToString(id[:])
	d.now = timeline.New(d.id, time.Now().Add(mono-monotonic()), mono)
	d.now.Of(button, flat)
}

// current is the id of the record that is written now; empty when none is.
func (d *diary) current() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now == nil {
		return ""
	}
	return d.id
}

// mark notes something that happened at mono in the record, if there is one.
func (d *diary) mark(mono time.Duration, name timeline.Name, leg uint32, detail string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil {
		d.now.Add(mono, name, leg, detail)
	}
}

// done gives the record its result; late marks, such as the door's closing,
// still find it until close.
func (d *diary) done(result, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.now != nil {
		d.now.Finish(monotonic(), result, reason)
	}
}

// close takes the record out and has it kept.
func (d *diary) close() {
	d.mu.Lock()
	if d.now != nil {
		d.unkept = append(d.unkept, d.now.Record())
		d.now = nil
	}
	d.mu.Unlock()
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// keep writes closed records to the flash until ctx ends, and then those that
// are left.
func (d *diary) keep(ctx context.Context) error {
	for {
		select {
		case <-d.wake:
			d.flush()
		case <-ctx.Done():
			d.flush()
			return nil
		}
	}
}

// flush writes what has not been kept. The flash is slow: nothing waits for it.
func (d *diary) flush() {
	for {
		d.mu.Lock()
		if len(d.unkept) == 0 {
			d.mu.Unlock()
			return
		}
		rec := d.unkept[0]
		d.mu.Unlock()
		if err := d.store.Append(rec); err != nil {
			d.log.Warn("record not kept on flash", "record", rec.ID, "err", err)
		}
		d.mu.Lock()
		d.unkept = d.unkept[1:]
		d.mu.Unlock()
	}
}

// records lists all, newest first, the running one included. The moment in
// which a record is both on its way and kept shows it once.
func (d *diary) records() []timeline.Record {
	d.mu.Lock()
	var list []timeline.Record
	if d.now != nil {
		list = append(list, d.now.Record())
	}
	for _, rec := range slices.Backward(d.unkept) {
		list = append(list, rec)
	}
	d.mu.Unlock()
	for _, rec := range d.store.Records() {
		if !slices.ContainsFunc(list, func(r timeline.Record) bool { return r.ID == rec.ID }) {
			list = append(list, rec)
		}
	}
	return list
}
