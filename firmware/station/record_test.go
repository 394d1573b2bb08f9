package station

import (
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow/timeline"
	"doorstation/firmware/control"
	"doorstation/firmware/history"
)

func newTestDiary(t *testing.T) *diary {
	store, err := history.Open(t.TempDir(), history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	return newDiary(store, slog.New(slog.DiscardHandler))
}

func has(rec timeline.Record, name timeline.Name) bool {
	return slices.ContainsFunc(rec.Marks, func(m timeline.Mark) bool { return m.Name == name })
}

// A CANCEL leaves after the call is over, and the next visitor may press at
// once: the mark belongs to the call that was cancelled.
func TestLateMarkFindsItsOwnRecord(t *testing.T) {
	d := newTestDiary(t)
	d.begin(monotonic(), "button1", "Smith")
	d.mark(monotonic(), timeline.Invite, 1, "")
	d.done("cancelled", "")
	d.close()
	d.begin(monotonic(), "button2", "Jones")
	d.mark(monotonic(), timeline.Invite, 2, "")
	d.mark(monotonic(), timeline.Cancelled, 1, "")

	recs := d.records()
	if len(recs) != 2 || recs[0].Flat != "Jones" {
		t.Fatalf("records are %+v", recs)
	}
	if has(recs[0], timeline.Cancelled) || !has(recs[1], timeline.Cancelled) {
		t.Errorf("the CANCEL stands in the wrong record:\n%s%s", text(recs[0]), text(recs[1]))
	}
}

func TestClosedRecordIsKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := newTestDiary(t)
		go d.keep(t.Context())
		d.begin(monotonic(), "button1", "Smith")
		d.done("talked", "")
		d.close()
		time.Sleep(lateness / 2)
		synctest.Wait()
		if got := len(d.store.Records()); got != 0 {
			t.Errorf("%d records kept before late marks could come", got)
		}
		time.Sleep(lateness)
		synctest.Wait()
		if got := d.store.Records(); len(got) != 1 || got[0].Result != "talked" {
			t.Errorf("kept: %+v", got)
		}
		if got := len(d.records()); got != 1 {
			t.Errorf("%d records are listed, want 1", got)
		}
	})
}

// The record of a call that the end of the process cut short is on the flash.
func TestShutdownKeepsTheRecord(t *testing.T) {
	phone := newScriptPhone(t, func(*scriptCall) {})
	p := startPanel(t, fmt.Sprintf(randomConfig, phone.uri(), "sip:nobody@127.0.0.1:9"))
	if err := p.Press("button1"); err != nil {
		t.Fatal(err)
	}
	p.await("the ringing", func() bool { return p.Status().Call.State == control.CallRinging })
	p.stop()
	store, err := history.Open(filepath.Join(p.run, "data", "records"), history.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if all := store.Records(); len(all) != 1 || all[0].Result != "shutdown" {
		t.Errorf("on the flash is %+v", all)
	}
}
