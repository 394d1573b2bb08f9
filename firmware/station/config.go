package station

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/provisioning"
)

// trialTime is how long a new configuration has for registering, before the
// panel goes back to the last good one.
const trialTime = 60 * time.Second

// A trial puts configurations in force between calls, and judges a new one by
// whether the panel registers with it. All but run belongs to the owner's
// goroutine.
type trial struct {
	log   *slog.Logger
	store *provisioning.Store
	key   []byte
	owner *owner

	running    string // hash of the configuration in force
	registered bool
	before     bool        // was registered when the trial began
	over       *time.Timer // nil: no trial
}

// run brings every change of the store to the owner.
func (t *trial) run(ctx context.Context) error {
	for {
		changed := t.store.Changed()
		if snap := t.store.Current(); snap != nil {
			t.owner.box.post(func() { t.owner.between(func() { t.apply(snap) }) })
		}
		select {
		case <-ctx.Done():
			return nil
		case <-changed:
		}
	}
}

// fetcher is the way to the configuration server, whose certificate is judged by
// the panel's clock.
func (s *Station) fetcher() (*provisioning.Fetcher, error) {
	src := *s.opt.Server
	src.Now = s.clock.forTLS
	return provisioning.NewFetcher(src, s.store, s.log)
}

// between does fn now or, during a call, at its end; the newest fn counts.
func (o *owner) between(fn func()) {
	if o.machine.State() != callflow.Idle {
		o.waiting = fn
		return
	}
	fn()
}

// apply puts a configuration in force.
func (t *trial) apply(snap *provisioning.Snapshot) {
	if snap.Hash == t.running {
		return
	}
	next, err := newSetup(snap.Document, t.key)
	if err != nil {
		t.log.Error("configuration not in force", "revision", snap.Revision, "err", err)
		t.store.Rollback(snap.Hash, err.Error())
		return
	}
	t.log.Info("configuration in force", "revision", snap.Revision, "from", snap.From, "trial", snap.Trial)
	t.running = snap.Hash
	t.owner.adopt(next)
	t.before = t.registered
	if t.owner.line.set(next.line) {
		t.registered = false
	}
	t.owner.video.learn(next.video)
	t.stop()
	switch {
	case !snap.Trial || !t.newest():
	case t.registered || next.line.account.User == "":
		t.store.Confirm(t.running)
	default:
		t.over = time.AfterFunc(trialTime, func() { t.owner.box.post(t.timeOut) })
	}
}

func (t *trial) stop() {
	if t.over != nil {
		t.over.Stop()
		t.over = nil
	}
}

// newest reports whether the store's document is the one in force here. It is
// not while one waits for the end of a call: that one is judged when it runs.
func (t *trial) newest() bool {
	snap := t.store.Current()
	return snap != nil && snap.Hash == t.running
}

// event watches the registration of the configuration on trial.
func (t *trial) event(ev sipua.Event) {
	switch ev := ev.(type) {
	case sipua.Registered:
		t.registered = true
		if t.over != nil {
			t.stop()
			if t.newest() {
				t.log.Info("configuration confirmed by its registration")
				t.store.Confirm(t.running)
			}
		}
	case sipua.Unregistered:
		t.registered = false
		if t.over != nil && (ev.Status == 401 || ev.Status == 403 || ev.Status == 404) {
			t.fail(fmt.Sprintf("the registrar refuses it: %s", ev.Reason))
		}
	}
}

// timeOut ends a trial without a registration. Where the configuration before
// it was not registered either, the network may be to blame: the trial goes on.
func (t *trial) timeOut() {
	if t.over == nil {
		return
	}
	if !t.before {
		t.over.Reset(trialTime)
		return
	}
	t.fail(fmt.Sprintf("not registered with it within %v", trialTime))
}

// fail goes back to the last good configuration.
func (t *trial) fail(why string) {
	t.stop()
	if !t.newest() {
		return
	}
	back := t.store.Rollback(t.running, why)
	if back == nil || back.Trial {
		t.log.Warn("configuration is bad, and there is none to go back to", "reason", why)
		return
	}
	t.log.Error("configuration rolled back", "reason", why, "revision", back.Revision)
	t.owner.between(func() { t.apply(back) })
}
