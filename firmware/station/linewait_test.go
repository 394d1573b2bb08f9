package station

import (
	"log/slog"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/callflow/sipua"
)

// waitBench is an owner that nobody runs, with a line that is being set up.
func waitBench(t *testing.T) *owner {
	t.Helper()
	o := bareOwner()
	b := newTrialBench(t)
	b.offer(goodConfig)
	o.setup = b.owner.setup
	o.line = newLine("test", slog.New(slog.DiscardHandler))
	o.line.on = func(lineRule, sipua.Event) {}
	o.line.set(o.setup.line)
	return o
}

// begun reports, after d, whether the call has been tried. Without a line to ring
// by it has ended, too.
func begun(o *owner, d time.Duration) bool {
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(holdCheck)
		synctest.Wait()
		for _, fn := range o.box.take(nil) {
			fn()
		}
	}
	return len(o.diary.closed) == 1
}

func TestPressWaitsForTheLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := waitBench(t)
		o.pressed("button1", monotonic())
		o.pressed("button1", monotonic()) // he presses again
		if begun(o, 2*time.Second) {
			t.Fatal("the call has begun without a line")
		}
		o.line.use(o.setup.line, new(sipua.UA), netip.Addr{}) // no media without an address
		if !begun(o, 2*holdCheck) {
			t.Error("the press is forgotten")
		}
	})
}

// A line that does not come is told to the visitor after a while, and at once
// when it has been away for long.
func TestPressDoesNotWaitForEver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := waitBench(t)
		o.pressed("button1", monotonic())
		if begun(o, holdFor-2*holdCheck) {
			t.Fatal("the press has not waited")
		}
		if !begun(o, 4*holdCheck) {
			t.Fatal("the press waits for ever")
		}
		o = waitBench(t)
		time.Sleep(holdFor)
		o.pressed("button1", monotonic())
		if !begun(o, 0) {
			t.Error("the press waits for a line that has long been away")
		}
	})
}

// A standby account rings at once.
func TestPressGoesByTheStandbyAccount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := waitBench(t)
		o.line.spare.set(account("standby"))
		o.line.spare.event(account("standby"), sipua.Registered{})
		o.pressed("button1", monotonic())
		if !begun(o, 0) {
			t.Error("the press waits")
		}
	})
}

// A button that rings nobody has nothing to wait for.
func TestPressOfAnUnusedButton(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := waitBench(t)
		o.pressed("button3", monotonic())
		if !begun(o, 0) {
			t.Error("the press waits")
		}
	})
}
