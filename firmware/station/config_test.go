package station

import (
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorstation/board"
	"doorstation/callflow"
	"doorstation/callflow/sipua"
	"doorstation/provisioning"
)

const goodConfig = `
revision: "1"
account: {user: panel, password: secret, domain: pbx.example}
flats: [{name: Smith, button: button1, stages: [{targets: ["sip:101@pbx.example", "tel:+49-30-1234"], for: 20s}]}]
doors:
  - {name: front, relay: door1, pulse: 3s, codes: [{name: home, digits: "1234"}]}
  - {name: yard, relay: door2}
web: {listen: "0.0.0.0:8080", user: admin, password: long enough}
`

const newConfig = `
revision: "2"
account: {user: panel, password: other, domain: pbx.example}
`

// A trialBench is a trial without sockets: an owner that runs its own mailbox,
// and a line that nobody serves.
type trialBench struct {
	*trial
	t *testing.T
}

func newTrialBench(t *testing.T) *trialBench {
	log := slog.New(slog.DiscardHandler)
	key := make([]byte, 32)
	store, err := provisioning.OpenStore(t.TempDir(), limits(simBoard(t)), sealer(key), log)
	if err != nil {
		t.Fatal(err)
	}
	o := &owner{log: log, box: newMailbox(), line: newLine("test", log), doors: newDoors("", log), video: newVideoHub(nil, nil, log), around: newSurroundings(&board.Board{}, func(func(*scenery)) {})}
	return &trialBench{&trial{log: log, store: store, key: key, owner: o}, t}
}

// offer brings a document in, as run would.
func (b *trialBench) offer(doc string) {
	b.t.Helper()
	if _, err := b.store.Offer([]byte(doc), "file"); err != nil {
		b.t.Fatal(err)
	}
	b.owner.between(func() { b.apply(b.store.Current()) })
}

// settle lets timers and posted work happen.
func (b *trialBench) settle() {
	synctest.Wait()
	for _, fn := range b.owner.box.take(nil) {
		fn()
	}
}

func (b *trialBench) inForce(revision string, trial bool) {
	b.t.Helper()
	st := b.store.State()
	if st.Revision != revision || st.Trial != trial || b.owner.setup.doc.Revision != revision {
		b.t.Errorf("in force: revision %s, trial %v, of the next call %s; want revision %s, trial %v",
			st.Revision, st.Trial, b.owner.setup.doc.Revision, revision, trial)
	}
}

func TestTrialIsConfirmedByRegistration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTrialBench(t)
		b.offer(goodConfig)
		b.inForce("1", true)
		b.event(sipua.Registered{})
		b.inForce("1", false)
		time.Sleep(2 * trialTime)
		b.settle()
		b.inForce("1", false)
	})
}

func TestTrialWithoutRegistrationGoesBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTrialBench(t)
		b.offer(goodConfig)
		b.event(sipua.Registered{})
		b.offer(newConfig)
		b.inForce("2", true)
		time.Sleep(trialTime)
		b.settle()
		b.inForce("1", false)
		if _, err := b.store.Offer([]byte(newConfig), "file"); err == nil {
			t.Error("the refused configuration is taken again")
		}
	})
}

func TestWrongPasswordEndsTheTrialAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTrialBench(t)
		b.offer(goodConfig)
		b.event(sipua.Registered{})
		b.offer(newConfig)
		b.event(sipua.Unregistered{Status: 403, Reason: "wrong password"})
		b.inForce("1", false)
	})
}

// A registrar that is away blames no configuration.
func TestTrialGoesOnWhileTheNetworkIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTrialBench(t)
		b.offer(goodConfig)
		b.event(sipua.Registered{})
		b.event(sipua.Unregistered{Status: 0, Reason: "nobody there"})
		b.offer(newConfig)
		time.Sleep(5 * trialTime)
		b.settle()
		b.inForce("2", true)
		b.event(sipua.Registered{})
		b.inForce("2", false)
	})
}

func TestConfigurationWaitsForTheEndOfTheCall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newTrialBench(t)
		b.offer(goodConfig)
		b.owner.machine.Step(time.Now(), callflow.Incoming{Leg: callflow.IncomingLeg | 1}, nil)
		if _, err := b.store.Offer([]byte(newConfig), "file"); err != nil {
			t.Fatal(err)
		}
		b.owner.between(func() { b.apply(b.store.Current()) })
		if got := b.owner.setup.doc.Revision; got != "1" {
			t.Errorf("in the call revision %s is in force", got)
		}
		b.owner.machine.Step(time.Now(), callflow.HungUp{Leg: callflow.IncomingLeg | 1}, nil)
		b.owner.step(callflow.Tick{})
		b.inForce("2", true)
	})
}

// A configuration that waits for the end of a call is not judged by the
// registration of the one before it.
func TestWaitingConfigurationIsNotJudged(t *testing.T) {
	for _, ev := range []sipua.Event{sipua.Registered{}, sipua.Unregistered{Status: 403, Reason: "wrong password"}} {
		synctest.Test(t, func(t *testing.T) {
			b := newTrialBench(t)
			b.offer(goodConfig)
			b.event(sipua.Registered{})
			b.offer(strings.Replace(goodConfig, "secret", "secret 1", 1)) // on trial
			b.owner.machine.Step(time.Now(), callflow.Incoming{Leg: callflow.IncomingLeg | 1}, nil)
			b.offer(newConfig) // waits
			b.event(ev)
			if st := b.store.State(); st.Revision != "2" || !st.Trial {
				t.Errorf("after %T: revision %s, trial %v; want 2, on trial", ev, st.Revision, st.Trial)
			}
			b.owner.machine.Step(time.Now(), callflow.HungUp{Leg: callflow.IncomingLeg | 1}, nil)
			b.owner.step(callflow.Tick{})
			b.inForce("2", true)
		})
	}
}

func TestSetupSaysWhatTheDocumentSays(t *testing.T) {
	key := make([]byte, 32)
	doc, err := provisioning.Decode([]byte(goodConfig), "test", limits(simBoard(t)), sealer(key))
	if err != nil {
		t.Fatal(err)
	}
	s, err := newSetup(doc, key)
	if err != nil {
		t.Fatal(err)
	}
	plan := s.plans["button1"]
	want := []string{"sip:101@pbx.example", "tel:+49301234"}
	if got := plan.Stages[0]; got.For != 20*time.Second || got.Targets[0].URI != want[0] || got.Targets[1].URI != want[1] {
		t.Errorf("the stage is %+v, want targets %v for 20s", got, want)
	}
	if len(plan.Doors) != 2 || !plan.EarlyAudio || plan.TalkFor != 3*time.Minute {
		t.Errorf("the plan is %+v", plan)
	}
	if got := s.doors["front"]; got != (doorRule{relay: "door1", pulse: 3 * time.Second, heldAfter: time.Minute}) {
		t.Errorf("the front door is %+v", got)
	}
	if len(s.warnings) != 1 || !strings.Contains(s.warnings[0], "0.0.0.0:8080") {
		t.Errorf("the warnings are %q, want one about the page", s.warnings)
	}
	if len(s.pad.Codes) != 1 || s.pad.Codes[0].Door != "front" || s.pad.Longest != 4 {
		t.Errorf("the keypad has %+v", s.pad)
	}
}
